import { z } from "zod";
import { seeded } from "../core/rng.ts";
import { sizeOf } from "../core/shape.ts";
import { type Dataset, subset } from "../datasets/dataset.ts";
import { embedded } from "../evaluation/classFeatures.ts";
import type { Points } from "../evaluation/maps/points.ts";
import { networkOption } from "../networks/index.ts";
import type { Preparation, Source } from "../objectives/objective.ts";
import { architectureIn } from "../objectives/preparedParts.ts";
import { pretrainedModel, pretraining, pretrainingOptions } from "../objectives/pretraining.ts";
import { disposeModel, freshModel, type Model } from "../training/model.ts";

/** A space in which images are points. */
export interface FeatureSpace {
  /** What is made before features can be taken. */
  readonly preparations: readonly Preparation[];
  /** Features of the images at these positions of a data set, one point each. @param source reads what was made before. */
  features(source: Source, dataset: Dataset, positions: ArrayLike<number>): Points;
  /** What the space is made of. */
  describe(source: Source): FeatureSpaceFacts;
}

/** What a feature space is made of. */
export interface FeatureSpaceFacts {
  /** Architecture; null where there is no network. */
  readonly network: string | null;
  /** How many networks. */
  readonly models: number;
  /** Of each that was trained, on the real training images, 0 to 1. */
  readonly accuracies: readonly number[];
}

const architecture = networkOption
  .optional()
  .describe("Architecture; by default that of the first set's matching networks");
const sideBySide = "features of several stand side by side";

const trainedOptions = pretrainingOptions.extend({
  models: z.int().min(1).default(1).describe(`Networks to train on the real images; ${sideBySide}`),
  network: architecture,
  epochs: z.int().min(1).default(10).describe("Passes over the real training images"),
});

const randomOptions = z.strictObject({
  models: z.int().min(1).default(1).describe(`Networks at their random start; ${sideBySide}`),
  network: architecture,
});

const pixelOptions = z.strictObject({});

/** Spaces by name: penultimate features of trained or random networks, or pixels, 0 black and 1 white. */
export const featureSpaces = {
  trained: { options: trainedOptions, build: trained },
  random: { options: randomOptions, build: random },
  pixels: { options: pixelOptions, build: pixels },
};

/** Networks trained on the real images: runs and commands that train the same share them. Batch norm uses running statistics. */
function trained(options: z.infer<typeof trainedOptions>): FeatureSpace {
  const preparation = pretraining(options);
  const modelsOf = (source: Source) =>
    Array.from({ length: options.models }, (_, i) => pretrainedModel(source, preparation, i));
  return {
    preparations: [preparation],
    features: (source, dataset, positions) =>
      source.engine.scope(() => {
        const models = modelsOf(source).map(({ network, trained: parameters, statistics }) => ({
          network,
          parameters,
          statistics,
        }));
        return underAll(models, source, dataset, positions);
      }),
    describe: (source) => {
      const models = modelsOf(source);
      return {
        network: models[0]!.network.name,
        models: models.length,
        accuracies: models.map(({ accuracy }) => accuracy),
      };
    },
  };
}

/** Fresh networks, whose parameters depend on nothing but their architecture and number. */
function random({ models: count, network: own }: z.infer<typeof randomOptions>): FeatureSpace {
  return {
    preparations: [],
    features(source, dataset, positions) {
      const { engine } = source;
      const network = architectureIn(source, own);
      const rng = seeded(0).stream(`map/${network.name}`);
      const models = Array.from({ length: count }, (_, i) =>
        freshModel(network, engine, rng.stream(String(i))),
      );
      try {
        return underAll(models, source, dataset, positions);
      } finally {
        models.forEach(disposeModel);
      }
    },
    describe: (source) => ({ network: architectureIn(source, own).name, models: count, accuracies: [] }),
  };
}

function pixels(): FeatureSpace {
  return {
    preparations: [],
    features(_, dataset, positions) {
      const { pixels: chosen, imageShape } = subset(dataset, positions);
      const values = Float64Array.from(chosen);
      if (chosen instanceof Uint8Array) values.forEach((byte, i) => (values[i] = byte / 255));
      return { values, width: sizeOf(imageShape) };
    },
    describe: () => ({ network: null, models: 0, accuracies: [] }),
  };
}

/** Features under all models side by side, one row for each image. */
function underAll(
  models: readonly Model[],
  { engine }: Source,
  dataset: Dataset,
  positions: ArrayLike<number>,
): Points {
  const parts = models.map((model) => {
    const features = embedded(dataset, positions, model, engine);
    const part = { rows: features.values(), width: features.shape[1]! };
    features.dispose();
    return part;
  });
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const values = new Float64Array(positions.length * width);
  let begin = 0;
  for (const { rows, width: own } of parts) {
    for (let i = 0; i < positions.length; i++)
      values.set(rows.subarray(i * own, (i + 1) * own), i * width + begin);
    begin += own;
  }
  return { values, width };
}
