import { z } from "zod";
import { choice } from "../core/options.ts";
import { type Coreset, eachClassIn } from "./coreset.ts";
import { difficultyShapes } from "./guided/allocation.ts";
import { type ClassRecord, guidedChoice } from "./guided/guidedChoice.ts";
import { type DifficultyScorer, difficultyScorers } from "./guided/scorers.ts";
import { thresholdSearches, type ThresholdSearch } from "./guided/thresholds.ts";

/** Options of difficulty-guided sampling. */
export const difficultyGuidedOptions = z.strictObject({
  shape: z
    .enum(difficultyShapes)
    .default("scale")
    .describe(
      "Distribution of difficulty to sample: scale for that of the real images, or hill, ground, slope or cliff, as the paper " +
        "gives them",
    ),
  search: z
    .enum(Object.keys(thresholdSearches) as [ThresholdSearch, ...ThresholdSearch[]])
    .default("codeEps")
    .describe(
      "How the thresholds of the log transform are judged: code as the published code does, where an empty bin is infinitely " +
        "bad; codeEps, the same of smoothed histograms; paperEps for the divergences the other way round, as in the paper",
    ),
  scorer: choice(difficultyScorers, { name: "outOfFold" }).describe("Networks that find images easy or hard"),
});

/** Options of difficulty-guided sampling. */
export type DifficultyGuidedOptions = z.output<typeof difficultyGuidedOptions>;

/** What is kept of a choice by difficulty, as plain data. */
export interface DifficultyGuidedRecord {
  /** Which images are how hard. */
  readonly shape: DifficultyGuidedOptions["shape"];
  /** How thresholds were searched. */
  readonly search: ThresholdSearch;
  /** What difficulties are by. */
  readonly scorer: {
    readonly name: DifficultyGuidedOptions["scorer"]["name"];
    /** Of each network on the real images that it scores, 0 to 1. */
    readonly accuracies: readonly number[];
    /** Of each network on the images to choose from; the same where these are the real ones. */
    readonly poolAccuracies: readonly number[];
  };
  /** What a reader should know of the scores. */
  readonly warnings: readonly string[];
  /** In label order. */
  readonly classes: readonly ClassRecord[];
}

/**
 * Difficulty-guided sampling (DGS): chooses images of each class so that they are as easy and as hard as the real ones are,
 * class by class as `guidedChoice` says. Images to choose from and real ones are scored by the same networks.
 */
export function difficultyGuided({ shape, search, scorer: chosen }: DifficultyGuidedOptions): Coreset {
  const scorer = (difficultyScorers[chosen.name].build as (options: never) => DifficultyScorer)(
    chosen as never,
  );
  return {
    preparations: scorer.preparations,
    choose(source, asked, rng) {
      const { real, pool = real, accuracies, poolAccuracies = accuracies } = scorer.scores(source);
      const classes: ClassRecord[] = [];
      const positions = eachClassIn(source, asked, (members, label) => {
        if (members.length === 0) return [];
        const scores = { pool: at(pool, members), real: at(real, source.classes[label]!) };
        const options = { perClass: asked.perClass, shape, search };
        const { positions: chosen, record } = guidedChoice(scores, options, rng.stream(`class/${label}`));
        classes.push(record);
        return chosen.map((i) => members[i]!);
      });
      const record: DifficultyGuidedRecord = {
        ...{ shape, search, classes },
        scorer: { name: chosen.name, accuracies, poolAccuracies },
        warnings: warningsOf(classes),
      };
      return { positions, record: { ...record } };
    },
  };
}

function at(scores: Float64Array, positions: Int32Array): Float64Array {
  return Float64Array.from(positions, (i) => scores[i]!);
}

/** Real images below 0.1 of which share the histogram says nothing more of the rest. */
const MEMORIZED = 0.95;

function warningsOf(classes: readonly ClassRecord[]): string[] {
  const total = (counts: (one: ClassRecord) => readonly number[]): number =>
    classes.reduce((sum, one) => sum + counts(one).reduce((a, b) => a + b, 0), 0);
  const easy = total(({ real }) => real.raw.slice(0, 1)) / total(({ real }) => real.raw);
  const repeated = total((one) => [one.repeated]);
  const unsearched = classes.filter(({ objective }) => objective === null).length;
  return [
    ...(unsearched > 0
      ? [
          `no thresholds leave a finite objective in ${unsearched} of ${classes.length} classes: none are clipped there`,
        ]
      : []),
    ...(easy > MEMORIZED
      ? [
          `${(100 * easy).toFixed(1)}% of the real images have a difficulty below 0.1: what is sampled is a matter of their ` +
            "logarithm's floor; score by networks that know the images less, as outOfFold, with fewer epochs, or smaller",
        ]
      : []),
    ...(repeated > 0
      ? [`${repeated} images were taken again, as the pool has fewer than were asked for`]
      : []),
  ];
}
