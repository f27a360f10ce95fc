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
  "experiment",
] as const satisfies readonly (keyof Row)[];

/** What two summaries must share to be compared: all of a cell but the method. */
const setting = cell.slice(0, 6);

/** Below this p-value a difference is said to hold. */
const SIGNIFICANCE = 0.05;

/** All repetitions of one measurement. Accuracies are fractions. */
export interface Summary extends Pick<Row, (typeof cell)[number]> {
  /** Over all networks of all seeds. */
  readonly accuracy: Spread;
  /** Over the means of the distillation seeds. */
  readonly seedAccuracy: Spread;
  readonly headAccuracy: number;
  readonly mediumAccuracy: number;
  readonly tailAccuracy: number;
  /** Mean accuracy of each class in label order. */
  readonly classAccuracies: readonly number[];
  /** Mean seconds of one distillation. */
  readonly distillSeconds: number;
  /** Mean seconds of one evaluation network. */
  readonly evaluationSeconds: number;
  readonly engines: readonly string[];
  /** Rows without an accuracy; they are counted here and enter nothing else. */
  readonly failures: number;
  /** Best of its setting, by more than chance explains: see `better`. */
  readonly best: boolean;
}

/** One summary for each measurement, in the order of first appearance. */
export function summarize(rows: readonly Row[]): Summary[] {
  const summaries = [...groups(rows, cell).values()].map(summary);
  return [...groups(summaries, setting).values()].flatMap((rivals) =>
    rivals.map((one) => ({
      ...one,
      best: rivals.length > 1 && rivals.every((other) => other === one || better(one, other)),
    })),
  );
}

/** Summaries that can be compared with each other, by setting, in order of first appearance. */
export function settings(summaries: readonly Summary[]): Summary[][] {
  return [...groups(summaries, setting).values()];
}

/**
 * Whether `one` is above `other` by Welch's t-test at the 5% level, two-sided. Repetitions are distillation seeds where
 * both have at least two; else networks, and then the statement is about these synthetic sets, not about the methods.
 */
function better(one: Omit<Summary, "best">, other: Omit<Summary, "best">): boolean {
  const bySeed = one.seedAccuracy.count > 1 && other.seedAccuracy.count > 1;
  const [x, y] = bySeed ? [one.seedAccuracy, other.seedAccuracy] : [one.accuracy, other.accuracy];
  return x.mean > y.mean && welch(x, y) < SIGNIFICANCE;
}

function summary(rows: readonly Row[]): Omit<Summary, "best"> {
  const good = rows.filter((row) => Number.isFinite(row.accuracy));
  const seeds = [...groups(good, ["distillSeed"]).values()];
  const mean = (value: (row: Row) => number, of: readonly Row[] = good): number =>
    spreadOf(of.map(value)).mean;
  const classes = good[0]?.classAccuracies ?? [];
  return {
    ...picked(rows[0]!),
    accuracy: spreadOf(good.map((row) => row.accuracy)),
    seedAccuracy: spreadOf(seeds.map((seed) => mean((row) => row.accuracy, seed))),
    headAccuracy: mean((row) => row.headAccuracy),
    mediumAccuracy: mean((row) => row.mediumAccuracy),
    tailAccuracy: mean((row) => row.tailAccuracy),
    classAccuracies: classes.map((_, label) => mean((row) => row.classAccuracies[label]!)),
    distillSeconds: spreadOf(seeds.map((seed) => seed[0]!.distillSeconds)).mean,
    evaluationSeconds: mean((row) => row.evaluationSeconds),
    engines: [...new Set(rows.map((row) => row.engine))],
    failures: rows.length - good.length,
  };
}

function picked(row: Row): Pick<Row, (typeof cell)[number]> {
  return Object.fromEntries(cell.map((key) => [key, row[key]])) as Pick<Row, (typeof cell)[number]>;
}

function groups<T>(items: readonly T[], keys: readonly (keyof T)[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const key = JSON.stringify(keys.map((name) => item[name]));
    const group = found.get(key);
    if (group) group.push(item);
    else found.set(key, [item]);
  }
  return found;
}
