import { z } from "zod";
import type { Rng } from "../core/rng.ts";
import { augment, type Augmentation, drawAugmentation } from "../datasets/augment.ts";
import { normalized } from "../datasets/dataset.ts";
import type { Tensor } from "../engines/index.ts";
import { initialTensors, type Parameters } from "../networks/network.ts";
import type { Draw, Learned, Objective, Source } from "./objective.ts";
import { differentiableGradient } from "./parameterGradient.ts";

/** Embeddings of one batch of every class, class-major. */
export interface ClassFeatures {
  /** [Σ counts, d]. */
  readonly values: Tensor;
  /** Rows of each class. */
  readonly counts: readonly number[];
}

/** What a term compares the synthetic embeddings with, all of it constant in a step. */
export interface Comparison {
  /** Scalar, summed over classes; differentiable in the synthetic embeddings. */
  loss(synthetic: ClassFeatures): Tensor;
  readonly metrics?: Readonly<Record<string, number>>;
}

/** A weighted loss between the embeddings of real and synthetic images. Dice are rolled in `prepare`. */
export interface Term {
  readonly weight: number;
  prepare(real: ClassFeatures, source: Source, rng: Rng): Comparison;
}

export const distributionOptions = z.strictObject({
  realBatch: z
    .int()
    .min(1)
    .default(256)
    .describe("Real images of each class in a step; all of a class that has fewer"),
});

export interface DistributionDraw extends Draw {
  readonly source: Source;
  readonly network: Parameters;
  /** One for each class, shared by its real and synthetic images. */
  readonly augmentations: readonly Augmentation[];
  readonly comparisons: readonly { readonly weight: number; readonly comparison: Comparison }[];
}

/**
 * Images in one forward pass without gradients. Batches near this size convolve fastest, and buffers stay small enough
 * for malloc to keep.
 */
const CHUNK = 256;

/**
 * A method that compares embeddings of real and synthetic images of each class under a fresh random network (DM's
 * iteration, Zhao & Bilen 2023, algorithm 1), by a sum of terms:
 *
 *     L(S) = Σ_terms weight · Σ_c term( f(A_c(R_c)), f(A_c(S_c)) )
 *
 * with a siamese augmentation A_c of each class. All classes go through the network together, which changes nothing
 * where samples do not interact. Under batch norm they do: then all real images form one batch, and all synthetic ones
 * another, as DM's own code has it.
 *
 * A penalty on the synthetic gradient sees that of the mean cross-entropy on the augmented synthetic images under the
 * step's network.
 */
export function distributionMatching(
  name: string,
  terms: readonly Term[],
  { realBatch }: z.infer<typeof distributionOptions>,
): Objective<DistributionDraw> {
  return {
    name,
    draw(source, rng, { step }) {
      const { engine, network, classes, real } = source;
      const theta = initialTensors(network.parameters, engine, rng.stream("network"));
      const batches = classes.map((members, label) =>
        sample(members, realBatch, rng.stream(`real/${label}`)),
      );
      const augmentations = classes.map((_, label) =>
        drawAugmentation(
          source.augmentation,
          "siamese",
          real.imageShape,
          rng.stream(`augmentation/${label}`),
        ),
      );
      const features = realFeatures(source, theta, batches, augmentations);
      const comparisons = terms.map((term, i) => ({
        weight: term.weight,
        comparison: term.prepare(features, source, rng.stream(`term/${i}`)),
      }));
      const metrics: Record<string, number> = {};
      for (const { comparison } of comparisons) Object.assign(metrics, comparison.metrics);
      return { step, source, network: theta, augmentations, comparisons, metrics };
    },
    loss(learned, draw, penalty) {
      const { source, network: theta, step } = draw;
      const { network, labels, imagesPerClass, classes } = source;
      const images = augmentedSynthetic(learned, draw);
      const synthetic: ClassFeatures = {
        values: network.embed(theta, images),
        counts: classes.map(() => imagesPerClass),
      };
      const losses = draw.comparisons.map(({ weight, comparison }) => comparison.loss(synthetic).mul(weight));
      if (penalty) losses.push(penalty(differentiableGradient(network, theta, { images, labels }), step));
      return losses.reduce((total, loss) => total.add(loss));
    },
  };
}

/** Up to `count` of the members, without replacement. */
function sample(members: Int32Array, count: number, rng: Rng): Int32Array {
  return rng
    .permutation(members.length)
    .subarray(0, count)
    .map((i) => members[i]!);
}

/** Embeddings of the real batches, as constants. */
function realFeatures(
  source: Source,
  theta: Parameters,
  batches: readonly Int32Array[],
  augmentations: readonly Augmentation[],
): ClassFeatures {
  const { engine, network, real } = source;
  const chunk = network.statistics.length > 0 ? Infinity : CHUNK;
  const embedded = engine.noGrad(() =>
    inChunks(batches, chunk).map((labels) =>
      engine.scope(() => {
        const images = labels.map((label) => {
          const batch = batches[label]!;
          const pixels = engine.tensor([batch.length, ...real.imageShape], normalized(real, batch));
          return augment(pixels, augmentations[label]!);
        });
        return network.embed(theta, engine.concat(images));
      }),
    ),
  );
  return { values: engine.concat(embedded), counts: batches.map(({ length }) => length) };
}

/** Consecutive labels whose batches together have at most `chunk` images, or one label where its batch alone has more. */
function inChunks(batches: readonly Int32Array[], chunk: number): number[][] {
  const groups: number[][] = [];
  let room = 0;
  batches.forEach(({ length }, label) => {
    if (groups.length === 0 || length > room) {
      groups.push([]);
      room = chunk;
    }
    groups.at(-1)!.push(label);
    room -= length;
  });
  return groups;
}

function augmentedSynthetic(learned: Learned, { source, augmentations }: DistributionDraw): Tensor {
  const { engine, imagesPerClass, real } = source;
  const parts = augmentations.map((augmentation, label) => {
    const own = learned.images.slice([label * imagesPerClass, 0, 0, 0], [imagesPerClass, ...real.imageShape]);
    return augment(own, augmentation);
  });
  return engine.concat(parts);
}
