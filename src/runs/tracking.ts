import { z } from "zod";
import { check } from "../core/errors.ts";
import { type Choice, choice } from "../core/options.ts";
import { parsed } from "../core/parse.ts";
import { seeded } from "../core/rng.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Engine } from "../engines/index.ts";
import { type BatchDifficulty, batchDifficulty } from "../evaluation/batchDifficulty.ts";
import { mean } from "../evaluation/statistics.ts";
import { type Network, type NetworkChoice, networkOf, networks } from "../networks/index.ts";
import type { Preparation, Source } from "../objectives/objective.ts";
import { pretrainedModel, pretraining, pretrainingOptions } from "../objectives/pretraining.ts";
import { freshModel, type Model } from "../training/model.ts";
import { withPreparations } from "./distillation.ts";
import { resolvedOptions } from "./options.ts";
import { sourceOf } from "./setting.ts";
import { decodedSet, type StoredSet } from "./storedSet.ts";

const ensembleOptions = z.strictObject({
  models: z.int().min(1).default(5).describe("How many; the same ones for all steps, methods and seeds"),
  epochs: z
    .int()
    .min(0)
    .default(0)
    .describe("Passes over the real images that they were trained for; 0 for their random start"),
  network: choice(networks).optional().describe("Their architecture; by default that of the matching"),
});

/** Options of tracking the difficulty of synthetic images along a distillation, as a config states them. */
export const trackingOptions = z.strictObject({
  every: z
    .int()
    .min(1)
    .default(100)
    .describe("Steps between measurements; before the first step and after the last there is one, too"),
  networks: ensembleOptions.prefault({}).describe("Networks that find the images easy or hard"),
});

/** Measures synthetic sets under networks that are the same whatever the set. */
export interface DifficultyTracker {
  /** What must be there before it measures: the networks, where they are trained. */
  readonly preparations: readonly Preparation[];
  /**
   * Means over the networks.
   *
   * @param set normalized as the real images are; of mosaics the images count that they stand for.
   */
  measured(source: Source, set: StoredSet): BatchDifficulty;
}

/**
 * The tracker of an ensemble. Networks at their random start depend on their architecture and number alone; trained ones are
 * a preparation, which runs share. No dice of a run are rolled.
 */
export function difficultyTracker({
  models,
  epochs,
  network: chosen,
}: z.infer<typeof ensembleOptions>): DifficultyTracker {
  const preparation =
    epochs > 0
      ? pretraining(pretrainingOptions.parse({ models, epochs, ...(chosen && { network: chosen }) }))
      : undefined;
  const modelAt = (source: Source, index: number): Model =>
    preparation
      ? trainedModel(source, preparation, index)
      : randomModel(source, networkIn(source, chosen), index);
  return {
    preparations: preparation ? [preparation] : [],
    measured(source, set) {
      checkFits(source, set);
      const { engine } = source;
      const { images, imageShape, labels, softLabels } = decodedSet(set);
      const n = labels.length;
      return engine.scope(() => {
        const tensors = {
          images: engine.tensor([n, ...imageShape], images),
          labels,
          softLabels: softLabels && engine.tensor([n, softLabels.length / n], softLabels),
        };
        const found = Array.from({ length: models }, (_, index) =>
          engine.scope(() => batchDifficulty(modelAt(source, index), tensors)),
        );
        const average = (name: keyof BatchDifficulty): number => mean(found.map((one) => one[name]));
        return {
          difficulty: average("difficulty"),
          difficultyPerClass: average("difficultyPerClass"),
          misclassified: average("misclassified"),
          syntheticLoss: average("syntheticLoss"),
        };
      });
    },
  };
}

function trainedModel(source: Source, preparation: Preparation, index: number): Model {
  const { network, trained, statistics } = pretrainedModel(source, preparation, index);
  return { network, parameters: trained, statistics };
}

function randomModel({ engine }: Source, network: Network, index: number): Model {
  return freshModel(network, engine, seeded(0).stream(`tracking/${network.name}/${index}`));
}

function networkIn({ network, real, classes }: Source, chosen: NetworkChoice | undefined): Network {
  return chosen ? networkOf(chosen, { imageShape: real.imageShape, classes: classes.length }) : network;
}

/** @throws InputError where the networks do not take the set's images, or have no logit for one of its classes. */
function checkFits({ real, classes }: Source, { imageShape, labels }: StoredSet): void {
  const outside = labels.find((label) => label < 0 || label >= classes.length);
  check(
    String(imageShape) === String(real.imageShape) && outside === undefined,
    () =>
      `tracking: expected images of ${real.imageShape.join("×")} in ${classes.length} classes, as the real ones are, got ` +
      `${imageShape.join("×")}${outside === undefined ? "" : ` and label ${outside}`}`,
  );
}

/** Networks that synthetic sets in memory are measured under. What is left out has the default of a config. */
export interface InMemoryTracking {
  /** Where it computes, from `selectEngine`. */
  readonly engine: Engine;
  /** Their architecture: a choice of `networks`, or your own. Default: ConvNet-3, width 128. */
  readonly network?: Choice<typeof networks> | Network;
  /** How many. Default 5. */
  readonly models?: number;
  /** Passes over the real images that they were trained for. Default 0, their random start. */
  readonly epochs?: number;
}

/**
 * Measures how difficult synthetic sets are under networks that are the same for all of them, as a config's `tracking` does:
 *
 *     const difficultyOf = trackingOf(train, { engine });
 *     for (const { step } of run) if (step % 100 === 0) console.log(step, difficultyOf(run.synthetic()).difficulty);
 *
 * Networks to be trained are trained when the first set is measured.
 *
 * @param train real images; synthetic ones are normalized as they are.
 * @returns the measures of a set, means over the networks. It throws InputError where images or classes are others.
 * @throws InputError naming every option that is wrong.
 */
export function trackingOf(
  train: Dataset,
  { engine, network, ...given }: InMemoryTracking,
): (set: StoredSet) => BatchDifficulty {
  const tracker = difficultyTracker(parsed("trackingOf", ensembleOptions, given));
  const options = resolvedOptions("trackingOf", { steps: 0, ...(network && { network }) });
  const source = withPreparations(sourceOf(options, { train }, engine), tracker);
  return (set) => tracker.measured(source, set);
}
