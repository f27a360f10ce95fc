import type { PairedDifference } from "../../src/evaluation/statistics.ts";
import type { Row } from "../results.ts";
import { type Distillation, pairBySeed } from "./pairs.ts";
import { type Spread, spreadOf, welch } from "./statistics.ts";

/** What two rows must share to be repetitions of one measurement. */
const cell = [
  "dataset",
  "imbalance",
  "imagesPerClass",
  "network",
  "protocol",
  "evaluationNetwork",
  "objective",
  "plugins",
  "steps",
  "options",
  "experiment",
] as const satisfies readonly (keyof Row)[];

/** What two summaries must share to be compared: all of a cell but the method. */
export const setting = cell.slice(0, 6);

/** Below this p-value a difference is said to hold. */
const SIGNIFICANCE = 0.05;

/** All repetitions of one measurement. Accuracies are fractions. */
export interface Summary extends Pick<Row, (typeof cell)[number]> {
  /** Over all networks of all seeds. */
  readonly accuracy: Spread;
  /** Over the means of the distillation seeds. */
  readonly seedAccuracy: Spread;
  /** Those that have an accuracy, in order of first appearance. */
  readonly distillations: readonly Distillation[];
  readonly headAccuracy: Spread;
  readonly mediumAccuracy: Spread;
  readonly tailAccuracy: Spread;
  /** Accuracy of each class in label order. */
  readonly classAccuracies: readonly Spread[];
  /** Of one distillation, over the seeds. */
  readonly distillSeconds: Spread;
  /** Of one evaluation network. */
  readonly evaluationSeconds: Spread;
  /** Of one distillation, over the seeds that it is known of. */
  readonly peakMegabytes: Spread;
  readonly engines: readonly string[];
  /** Rows without an accuracy; they are counted here and enter nothing else. */
  readonly failures: number;
  /** Best of its setting, by more than chance explains: see `leads`. */
  readonly best: boolean;
}

/** One summary for each measurement, in the order of first appearance. */
export function summarize(rows: readonly Row[]): Summary[] {
  const summaries = [...groups(rows, cell).values()].map(summary);
  return [...groups(summaries, setting).values()].flatMap((rivals) =>
    rivals.map((one) => ({ ...one, best: leads(one, rivals) })),
  );
}

/** Summaries that can be compared with each other, by setting, in order of first appearance. */
export function settings(summaries: readonly Summary[]): Summary[][] {
  return [...groups(summaries, setting).values()];
}

/** What a t-test says of two summaries. */
export interface Comparison {
  /** Whether both have the repetitions that a test needs. */
  readonly testable: boolean;
  /** The first minus the second, as tested. */
  readonly difference: number;
  /** Of the difference, with 95 % confidence; where it is paired. */
  readonly interval: PairedDifference["interval"];
  /** Two-sided; 1 where nothing can be concluded. */
  readonly p: number;
  /** Whether the means differ at the 5% level. */
  readonly holds: boolean;
  /** What the test takes for repetitions, and how many of each. */
  readonly unit: "pair" | "seed" | "network";
  readonly counts: readonly [number, number];
}

type Measured = Pick<Summary, "accuracy" | "seedAccuracy" | "distillations">;

/**
 * Whether two means differ, by a t-test at the 5% level, two-sided. Where both have two distillation seeds in common it is
 * the paired test over these. Else it is Welch's: between distillation seeds where both have at least two, or between
 * networks, and then the statement is about these synthetic sets, not about the methods.
 */
export function compare(one: Measured, other: Measured): Comparison {
  const { difference: paired } = pairBySeed(one.distillations, other.distillations);
  if (paired?.p !== undefined) {
    const { mean: difference, interval, p, differences } = paired;
    const counts = [differences.length, differences.length] as const;
    return { testable: true, difference, interval, p, holds: p < SIGNIFICANCE, unit: "pair", counts };
  }
  const bySeed = one.seedAccuracy.count > 1 && other.seedAccuracy.count > 1;
  const [x, y] = bySeed ? [one.seedAccuracy, other.seedAccuracy] : [one.accuracy, other.accuracy];
  const p = welch(x, y);
  return {
    testable: x.count > 1 && y.count > 1,
    difference: x.mean - y.mean,
    interval: undefined,
    p,
    holds: p < SIGNIFICANCE,
    unit: bySeed ? "seed" : "network",
    counts: [x.count, y.count],
  };
}

/** Whether `one` is above every other of its rivals that has an accuracy, and there is one, by more than chance explains. */
export function leads<T extends Measured>(one: T, rivals: readonly T[]): boolean {
  const others = rivals.filter((other) => other !== one && other.accuracy.count > 0);
  return (
    others.length > 0 &&
    others.every((other) => {
      const { difference, holds } = compare(one, other);
      return difference > 0 && holds;
    })
  );
}

function summary(rows: readonly Row[]): Omit<Summary, "best"> {
  const good = rows.filter((row) => Number.isFinite(row.accuracy));
  const seeds = [...groups(good, ["distillSeed"]).values()];
  const spread = (value: (row: Row) => number): Spread => spreadOf(good.map(value));
  const classes = good[0]?.classAccuracies ?? [];
  return {
    ...picked(rows[0]!),
    accuracy: spread((row) => row.accuracy),
    seedAccuracy: spreadOf(seeds.map((seed) => spreadOf(seed.map((row) => row.accuracy)).mean)),
    distillations: seeds.map(distillation),
    headAccuracy: spread((row) => row.headAccuracy),
    mediumAccuracy: spread((row) => row.mediumAccuracy),
    tailAccuracy: spread((row) => row.tailAccuracy),
    classAccuracies: classes.map((_, label) => spread((row) => row.classAccuracies[label]!)),
    distillSeconds: spreadOf(seeds.map((seed) => seed[0]!.distillSeconds)),
    evaluationSeconds: spread((row) => row.evaluationSeconds),
    peakMegabytes: spreadOf(seeds.map((seed) => seed[0]!.peakMegabytes).filter(Number.isFinite)),
    engines: [...new Set(rows.map((row) => row.engine))],
    failures: rows.length - good.length,
  };
}

/** A network that is there twice, as where rows of two files were put together, counts once, with its mean. */
function distillation(rows: readonly Row[]): Distillation {
  const networks = [...groups(rows, ["evaluationSeed"]).values()].map(
    (alike) => [alike[0]!.evaluationSeed, spreadOf(alike.map(({ accuracy }) => accuracy)).mean] as const,
  );
  return { seed: rows[0]!.distillSeed, networks: new Map(networks) };
}

function picked(row: Row): Pick<Row, (typeof cell)[number]> {
  return Object.fromEntries(cell.map((key) => [key, row[key]])) as Pick<Row, (typeof cell)[number]>;
}

/** Items that share the values of some keys, in order of first appearance. */
export function groups<T>(items: readonly T[], keys: readonly (keyof T)[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const key = JSON.stringify(keys.map((name) => item[name]));
    const group = found.get(key);
    if (group) group.push(item);
    else found.set(key, [item]);
  }
  return found;
}
