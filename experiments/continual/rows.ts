import { existsSync } from "node:fs";
import { stringify } from "csv-stringify/sync";
import type { StepResult } from "../../src/evaluation/continual.ts";
import { readJson } from "../files.ts";

/** One line of continual.csv: a network trained on the memories of some steps. docs/continual-learning.md has units. */
export interface ContinualRow extends Omit<StepResult, "network"> {
  readonly experiment: string;
  readonly method: string;
  readonly dataset: string;
  readonly imbalance: number;
  readonly imagesPerClass: number;
  /** Steps of the order, of which `step` is one, counted from 0. */
  readonly classSteps: number;
  readonly classesSeen: number;
  readonly protocol: string;
  readonly protocolVersion: number;
  readonly evaluationNetwork: string;
  /** Which of the networks of this step: 0, 1, … */
  readonly evaluationSeed: number;
  /** Images that it was trained on: of mosaics, their cells. */
  readonly trainingImages: number;
  /** That it was trained by: the protocol's, or what was learned with the memories. */
  readonly learningRate: number;
  readonly testImages: number;
  /** Of each class in label order; NaN of those not seen yet. */
  readonly classAccuracies: readonly number[];
  readonly seconds: number;
  readonly engine: string;
  readonly commit: string;
  /** Tells the images, labels and learning rate that it was trained with from any others. */
  readonly memorySha256: string;
  readonly status: string;
}

/** Columns of continual.csv, in order. */
const columns = [
  "experiment",
  "method",
  "dataset",
  "imbalance",
  "imagesPerClass",
  "classSteps",
  "order",
  "step",
  "classesSeen",
  "protocol",
  "protocolVersion",
  "evaluationNetwork",
  "evaluationSeed",
  "trainingImages",
  "learningRate",
  "testImages",
  "accuracy",
  "stepAccuracies",
  "classAccuracies",
  "seconds",
  "engine",
  "commit",
  "memorySha256",
  "status",
] as const satisfies readonly (keyof ContinualRow)[];

/** Six decimals are enough for a fraction of any test set, and for seconds. */
const rounded = (value: number): number => Number(value.toFixed(6));

/** Rows as CSV. */
export function rowsCsv(rows: readonly ContinualRow[]): string {
  const cell = (value: ContinualRow[(typeof columns)[number]]): string => {
    if (typeof value === "string") return value;
    return typeof value === "number" ? String(rounded(value)) : value.map(rounded).join(" ");
  };
  return stringify([columns, ...rows.map((row) => columns.map((column) => cell(row[column])))]);
}

/** A row as JSON; what is no number becomes null. */
export function rowText(row: ContinualRow): string {
  const short = (_: string, value: unknown): unknown => (typeof value === "number" ? rounded(value) : value);
  return `${JSON.stringify(row, short, 2)}\n`;
}

/** The row in a file; none where there is no file. */
export function rowIn(file: string): ContinualRow | undefined {
  if (!existsSync(file)) return undefined;
  const row = readJson(file) as ContinualRow;
  const number = (value: number | null): number => value ?? NaN;
  return {
    ...row,
    accuracy: number(row.accuracy),
    stepAccuracies: row.stepAccuracies.map(number),
    classAccuracies: row.classAccuracies.map(number),
  };
}
