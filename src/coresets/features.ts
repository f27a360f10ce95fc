import { z } from "zod";
import type { Rng } from "../core/rng.ts";
import { type Dataset, normalized } from "../datasets/dataset.ts";
import { imagesAtOnce } from "../networks/network.ts";
import type { Preparation, Source } from "../objectives/objective.ts";
import { pretrainedModel, pretraining, pretrainingOptions } from "../objectives/pretraining.ts";
import { candidatesOf, type Coreset, eachClassIn } from "./coreset.ts";
import { meanOfRows, normalizedRows, type Rows } from "./rows.ts";

/** Options of coresets that look at features. */
export const featureOptions = z.strictObject({
  normalize: z.boolean().default(false).describe("Whether features are brought to length 1 first"),
  networks: pretrainingOptions
    .extend({
      models: z
        .int()
        .min(1)
        .default(1)
        .describe("Networks whose features stand side by side, each from a start of its own"),
    })
    .prefault({})
    .describe("Trained on the real images; the input of their classifier is the feature. Runs share them"),
});

/** What an order of a class's features is made by. */
export interface FeatureOrder {
  /** Images to choose, at most. */
  readonly count: number;
  /** Of the class's real images in feature space, those of a pool as well. */
  readonly mean: Float64Array;
  /** Dice of the class. */
  readonly rng: Rng;
}

/**
 * A coreset of images whose features are what counts: the embeddings that trained networks classify.
 *
 * @param order positions among a class's rows, those to choose first in front.
 */
export function featureCoreset(
  { normalize, networks }: z.infer<typeof featureOptions>,
  order: (rows: Rows, by: FeatureOrder) => readonly number[],
): Coreset {
  const ensemble = pretraining(networks);
  const featuresOf = (source: Source, dataset: Dataset, members: Int32Array): Rows => {
    const rows = embeddings(source, ensemble, dataset, members);
    return normalize ? normalizedRows(rows) : rows;
  };
  return {
    preparations: [ensemble],
    choose(source, asked, rng) {
      const { dataset } = candidatesOf(source);
      const positions = eachClassIn(source, asked, (members, label) => {
        if (members.length === 0) return members;
        const rows = featuresOf(source, dataset, members);
        const mean = meanOfRows(source.pool ? featuresOf(source, source.real, source.classes[label]!) : rows);
        const by = { count: asked.perClass, mean, rng: rng.stream(`class/${label}`) };
        return order(rows, by).map((at) => members[at]!);
      });
      return { positions, record: { networkAccuracies: accuraciesOf(source, ensemble) } };
    },
  };
}

/** Accuracy of each network on the real training images, 0 to 1. */
export function accuraciesOf(source: Source, ensemble: Preparation): number[] {
  return Array.from(
    { length: ensemble.parts },
    (_, index) => pretrainedModel(source, ensemble, index).accuracy,
  );
}

/** Embeddings of the images at these positions under all networks of a `pretraining`, side by side. */
export function embeddings(
  source: Source,
  ensemble: Preparation,
  dataset: Dataset,
  positions: Int32Array,
): Rows {
  const each = Array.from({ length: ensemble.parts }, (_, index) =>
    source.engine.scope(() => embeddingsUnder(source, { ensemble, index }, dataset, positions)),
  );
  const [first] = each as [Rows];
  if (each.length === 1) return first;
  const width = each.reduce((sum, one) => sum + one.width, 0);
  const values = new Float32Array(positions.length * width);
  let offset = 0;
  for (const rows of each) {
    for (let i = 0; i < positions.length; i++) {
      values.set(rows.values.subarray(i * rows.width, (i + 1) * rows.width), i * width + offset);
    }
    offset += rows.width;
  }
  return { values, width };
}

function embeddingsUnder(
  source: Source,
  { ensemble, index }: { readonly ensemble: Preparation; readonly index: number },
  dataset: Dataset,
  positions: Int32Array,
): Rows {
  const { engine } = source;
  const { network, trained, statistics } = pretrainedModel(source, ensemble, index);
  const values = new Float32Array(positions.length * network.width);
  const size = imagesAtOnce(network);
  for (let begin = 0; begin < positions.length; begin += size) {
    const block = positions.subarray(begin, begin + size);
    const rows = engine.scope(() => {
      const images = engine.tensor([block.length, ...dataset.imageShape], normalized(dataset, block));
      return engine.noGrad(() => network.embed(trained, images, { use: "running", statistics })).values();
    });
    values.set(rows, begin * network.width);
  }
  return { values, width: network.width };
}
