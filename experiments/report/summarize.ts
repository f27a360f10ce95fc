import type { Row } from "../results.ts";
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

/** What Welch's test says of two summaries. */
export interface Comparison {
  /** Whether both have the repetitions that a test needs. */
  readonly testable: boolean;
  /** Of the means tested, the first minus the second. */
  readonly difference: number;
  /** Two-sided; 1 where nothing can be concluded. */
  readonly p: number;
  /** Whether the means differ at the 5% level. */
  readonly holds: boolean;
  /** What the test takes for repetitions, and how many of each. */
  readonly unit: "seed" | "network";
  readonly counts: readonly [number, number];
}

type Measured = Pick<Summary, "accuracy" | "seedAccuracy">;

/**
 * Whether two means differ, by Welch's t-test at the 5% level, two-sided. Repetitions are distillation seeds where both
 * have at least two; else networks, and then the statement is about these synthetic sets, not about the methods.
 */
export function compare(one: Measured, other: Measured): Comparison {
  const bySeed = one.seedAccuracy.count > 1 && other.seedAccuracy.count > 1;
  const [x, y] = bySeed ? [one.seedAccuracy, other.seedAccuracy] : [one.accuracy, other.accuracy];
  const p = welch(x, y);
  return {
    testable: x.count > 1 && y.count > 1,
    difference: x.mean - y.mean,
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
