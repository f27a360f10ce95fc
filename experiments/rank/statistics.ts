import { mean, populationStandardDeviation } from "../../src/evaluation/statistics.ts";
import type { Spread } from "../report/statistics.ts";
import type { RankedSeed, RankingRecord, TakenAccuracy, Tuning } from "./record.ts";

/** Mean and population standard deviation (divisor n), as DD-Ranking reports them; NaN of a single value. */
export function populationSpread(values: readonly number[]): Spread {
  const count = values.length;
  return {
    mean: count > 0 ? mean(values) : NaN,
    std: count > 1 ? populationStandardDeviation(values) : NaN,
    count,
  };
}

/** One quantity over the evaluation seeds of rankings. */
export function overSeeds(rankings: readonly RankingRecord[], value: (seed: RankedSeed) => number): Spread {
  return populationSpread(rankings.flatMap(({ seeds }) => seeds.map(value)));
}

/** How learning rates were chosen and which accuracies count, for whoever reads the numbers. */
export function countingText(tuning: Tuning, taken: TakenAccuracy): string {
  const rates =
    tuning === "holdout"
      ? "Learning rates are chosen by held-out training images."
      : "Learning rates are chosen by the test images, as published: optimistic.";
  const accuracies =
    taken === "last"
      ? "Accuracies are those after the last epoch."
      : "Accuracies are the best of several looks at the test images, as published: optimistic.";
  return `${rates} ${accuracies}`;
}
