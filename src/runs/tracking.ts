import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Choice } from "../core/options.ts";
import { parsed } from "../core/parse.ts";
import { seeded } from "../core/rng.ts";
import type { Dataset } from "../datasets/dataset.ts";
import type { Engine } from "../engines/index.ts";
import { type BatchDifficulty, batchDifficulty, type LabeledImages } from "../evaluation/batchDifficulty.ts";
import { mean } from "../evaluation/statistics.ts";
import {
  type Network,
  type NetworkChoice,
  networkOf,
  networkOption,
  type networks,
} from "../networks/index.ts";
import type { Preparation, Source } from "../objectives/objective.ts";
import { pretrainedModel, pretraining, pretrainingOptions } from "../objectives/pretraining.ts";
import { freshModel, type Model } from "../training/model.ts";
import { sampleGradients } from "../training/sampleGradients.ts";
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
  network: networkOption.optional().describe("Their architecture; by default that of the matching"),
});

/** Options of tracking the difficulty of synthetic images along a distillation, as a config states them. */
export const trackingOptions = z.strictObject({
  every: z
    .int()
    .min(1)
    .default(100)
    .describe("Steps between measurements; before the first step and after the last there is one, too"),
  gradn: z
    .boolean()
    .default(false)
    .describe(
      "Also the mean norm of the gradients of single images (GraDN); a measurement then takes up to four times as long",
    ),
  networks: ensembleOptions.prefault({}).describe("Networks that find the images easy or hard"),
});

/** What is tracked of a set. */
export interface TrackedDifficulty extends BatchDifficulty {
  /** Mean over the images of ‖∇_θ ℓ(θ; x)‖₂, each image's own gradient (GraDN). There where it was asked for. */
  readonly gradn?: number;
}

/** Measures synthetic sets under networks that are the same whatever the set. */
export interface DifficultyTracker {
  /** What must be there before it measures: the networks, where they are trained. */
  readonly preparations: readonly Preparation[];
  /**
   * Means over the networks.
   *
   * @param set normalized as the real images are; of mosaics the images count that they stand for.
   */
  measured(source: Source, set: StoredSet): TrackedDifficulty;
}

/**
 * The tracker of an ensemble. Networks at their random start depend on their architecture and number alone; trained ones are
 * a preparation, which runs share. No dice of a run are rolled.
 */
export function difficultyTracker({
  networks: { models, epochs, network: chosen },
  gradn,
}: Pick<z.infer<typeof trackingOptions>, "networks" | "gradn">): DifficultyTracker {
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
          engine.scope(() => {
            const model = modelAt(source, index);
            return { ...batchDifficulty(model, tensors), ...(gradn && { gradn: meanNorm(model, tensors) }) };
          }),
        );
        return averaged(found);
      });
    },
  };
}

/** GraDN of a set under one network. */
function meanNorm(model: Model, { images, labels, softLabels }: LabeledImages): number {
  return mean(Array.from(sampleGradients(model, { images, labels: softLabels ?? labels }).norms));
}

/** Means over the networks. */
function averaged(found: readonly TrackedDifficulty[]): TrackedDifficulty {
  const names = Object.keys(found[0]!) as (keyof TrackedDifficulty)[];
  return Object.fromEntries(
    names.map((name) => [name, mean(found.map((one) => one[name]!))]),
  ) as unknown as TrackedDifficulty;
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

/** @throws InputError where the networks do not take the set's images, know them in another space, or have no logit for a class. */
function checkFits({ real, classes }: Source, { imageShape, labels, whitening }: StoredSet): void {
  const [expected, got] = [real.whitening, whitening].map((one) =>
    one ? "whitened images" : "images that are not whitened",
  );
  check(
    expected === got,
    () =>
      `tracking: expected ${expected}, as the real ones are, got ${got}; track sets of whitened images beside those of ` +
      "whitenedDataset",
  );
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
  /** Whether GraDN, the mean over single images, is measured, too, which takes longer. Default false. */
  readonly gradn?: boolean;
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
  { engine, network, gradn = false, ...given }: InMemoryTracking,
): (set: StoredSet) => TrackedDifficulty {
  const tracker = difficultyTracker({ networks: parsed("trackingOf", ensembleOptions, given), gradn });
  const options = resolvedOptions("trackingOf", { steps: 0, ...(network && { network }) });
  const source = withPreparations(sourceOf(options, { train }, engine), tracker);
  return (set) => tracker.measured(source, set);
}
