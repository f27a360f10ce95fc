import { z } from "zod";
import { seeded } from "../../core/rng.ts";
import { classIndices, type Dataset } from "../../datasets/dataset.ts";
import type { Preparation, Source } from "../../objectives/objective.ts";
import { pretrainingOptions } from "../../objectives/pretraining.ts";
import { strategyOption } from "../../objectives/strategyOption.ts";
import { poolScores, realScores, type ScoringNetworks, scoringNetworks } from "./scoringNetworks.ts";

/** How hard images are, by networks trained on the real ones. */
export interface GuidingScores {
  /** D of each real image, 0 to 1. */
  readonly real: Float64Array;
  /** D of each image of the pool, the mean over all networks; absent without a pool. */
  readonly pool?: Float64Array;
  /** Accuracy of each network on the real images that it scores, 0 to 1. */
  readonly accuracies: readonly number[];
  /** The same on the pool; absent without a pool. */
  readonly poolAccuracies?: readonly number[];
}

/** Finds how hard images are. */
export interface DifficultyScorer {
  /** Networks that it trains, each with its scores of real images. */
  readonly preparations: readonly Preparation[];
  /** Reads what was prepared, and scores the pool of the source, if it has one. */
  scores(source: Source): GuidingScores;
}

const training = pretrainingOptions.omit({ models: true });

const outOfFoldOptions = training.extend({
  folds: z
    .int()
    .min(2)
    .max(5)
    .default(3)
    .describe("Parts of the real images; each is scored by a network that was trained on all others"),
  epochs: z.int().min(1).default(10).describe("Passes over the real images that a network is trained on"),
});

const underFitOptions = training.extend({
  models: z
    .int()
    .min(1)
    .default(3)
    .describe("Networks, each from a start of its own; scores are means over them"),
  epochs: z
    .int()
    .min(1)
    .default(3)
    .describe("Passes over the real images: few, so that they are not memorized"),
  augmentation: strategyOption
    .optional()
    .describe("Of each mini-batch; by default one operation at a time of all that suit the data set"),
});

/** Ways to find how hard images are, by name. */
export const difficultyScorers = {
  /**
   * Each real image is scored by the network that has not seen it, of one for each fold. The folds split every class, by dice
   * of their own.
   */
  outOfFold: {
    options: outOfFoldOptions,
    build: (options: z.output<typeof outOfFoldOptions>): DifficultyScorer => outOfFold(options),
  },
  /** Every real image is scored by all of some networks that were trained on it for a few epochs, with augmentation. */
  underFit: {
    options: underFitOptions,
    build: (options: z.output<typeof underFitOptions>): DifficultyScorer => underFit(options),
  },
} as const;

function outOfFold({ folds, ...options }: z.output<typeof outOfFoldOptions>): DifficultyScorer {
  const scored = (real: Dataset, index: number): Int32Array => foldsOf(real, folds)[index]!;
  const trained = (real: Dataset, index: number): Int32Array => {
    const held = new Set(scored(real, index));
    return real.labels.map((_, i) => i).filter((i) => !held.has(i));
  };
  return scorerOf({ name: "outOfFold", options, parts: folds, key: { folds }, trained, scored });
}

function underFit({ models, ...options }: z.output<typeof underFitOptions>): DifficultyScorer {
  const all = (real: Dataset): Int32Array => real.labels.map((_, i) => i);
  return scorerOf({ name: "underFit", options, parts: models, key: {}, trained: all, scored: all });
}

/** Positions of the images of each fold: every class is dealt out in a random order, each from another fold on. */
export function foldsOf(real: Dataset, folds: number): Int32Array[] {
  const rng = seeded(0).stream("folds");
  const dealt: number[][] = Array.from({ length: folds }, () => []);
  classIndices(real).forEach((members, label) => {
    const order = rng.stream(String(label)).permutation(members.length);
    order.forEach((at, i) => dealt[(label + i) % folds]!.push(members[at]!));
  });
  return dealt.map((positions) => Int32Array.from(positions).sort());
}

function scorerOf(networks: ScoringNetworks): DifficultyScorer {
  const preparation = scoringNetworks(networks);
  return {
    preparations: [preparation],
    scores: (source) => ({
      ...realScores(source, preparation, networks),
      ...(source.pool && poolScores(source, preparation, source.pool)),
    }),
  };
}
