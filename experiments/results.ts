import { existsSync, readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { InputError } from "../src/core/errors.ts";
import { readJson, writeWhole } from "./files.ts";
import { completedOptions } from "./leaves.ts";

/**
 * One line of runs.csv: one evaluation network trained on the synthetic set of one run, or a distillation that failed.
 * results/README.md has units.
 */
export interface Row {
  readonly experiment: string;
  readonly commit: string;
  readonly engine: string;
  readonly dataset: string;
  readonly imbalance: number;
  readonly imagesPerClass: number;
  readonly objective: string;
  readonly plugins: string;
  readonly network: string;
  readonly steps: number;
  /** Every option of the method that has no column of its own, as `optionsText` writes them. */
  readonly options: string;
  readonly distillSeed: number;
  readonly protocol: string;
  readonly evaluationNetwork: string;
  /** 0, 1, …; −1 where the distillation itself failed. */
  readonly evaluationSeed: number;
  readonly accuracy: number;
  readonly headAccuracy: number;
  readonly mediumAccuracy: number;
  readonly tailAccuracy: number;
  /** Accuracy of each class in label order. */
  readonly classAccuracies: readonly number[];
  readonly distillSeconds: number;
  readonly evaluationSeconds: number;
  /** Largest resident memory of the process that distilled, in megabytes of 10⁶ bytes. */
  readonly peakMegabytes: number;
  readonly status: string;
}

/** Evaluation seed of the row that says why there is no synthetic set. */
export const DISTILLATION_FAILED = -1;

/** Columns in order, and what they hold. */
const columns = {
  experiment: "text",
  commit: "text",
  engine: "text",
  dataset: "text",
  imbalance: "number",
  imagesPerClass: "number",
  objective: "text",
  plugins: "text",
  network: "text",
  steps: "number",
  options: "text",
  distillSeed: "number",
  protocol: "text",
  evaluationNetwork: "text",
  evaluationSeed: "number",
  accuracy: "number",
  headAccuracy: "number",
  mediumAccuracy: "number",
  tailAccuracy: "number",
  classAccuracies: "numbers",
  distillSeconds: "number",
  evaluationSeconds: "number",
  peakMegabytes: "number",
  status: "text",
} as const satisfies Record<keyof Row, "text" | "number" | "numbers">;
const names = Object.keys(columns) as (keyof Row)[];

/**
 * All rows of a runs.csv; none where the file does not exist yet.
 *
 * @throws InputError if its columns are not those of this version, or it is cut short.
 */
export function readRows(path: string): Row[] {
  if (!existsSync(path)) return [];
  const records = recordsOf(path);
  return records.map((record, line) => {
    const missing = names.filter((name) => !(name in record));
    if (missing.length > 0) {
      throw new InputError(
        `${path}, line ${line + 2}: expected the columns ${names.join(", ")}, got none called ` +
          `${missing.join(", ")}; was it written by another version? Move it away and evaluate again`,
      );
    }
    return completed(
      Object.fromEntries(names.map((name) => [name, read[columns[name]](record[name]!)])) as unknown as Row,
    );
  });
}

function recordsOf(path: string): Record<string, string>[] {
  const text = readFileSync(path, "utf8");
  try {
    const records: Record<string, string>[] = parse(text, { columns: true });
    // Rows of runs that lie elsewhere are in this file alone: one without them is not taken for an empty one.
    if (records.length > 0 || text.trimEnd() === names.join(",")) return records;
    throw new Error("no whole line");
  } catch (error) {
    throw new InputError(
      `${path}: expected rows, got a file that is damaged (${(error as Error).message}); restore it, or move it ` +
        "away: the rows of run folders beside it are gathered again",
    );
  }
}

/** From the text of a cell to its value. */
const read = {
  text: (cell: string) => cell,
  number: Number,
  numbers: (cell: string) => (cell === "" ? [] : cell.split(" ").map(Number)),
};

/** From a value to the text of its cell. Six decimals are enough for a fraction of any test set, and for seconds. */
const written = {
  text: (value: unknown) => String(value),
  number: (value: unknown) => String(rounded(value)),
  numbers: (value: unknown) => (value as number[]).map(rounded).join(" "),
};

const rounded = (value: unknown): number => Number((value as number).toFixed(6));

/** Replaces a runs.csv whole. */
export function writeRows(path: string, rows: readonly Row[]): void {
  const lines = rows.map((row) => names.map((name) => written[columns[name]](row[name])));
  writeWhole(path, stringify([names, ...lines]));
}

/** A row as JSON with the decimals of runs.csv; what is no number becomes null. */
export function rowJson(row: Row): string {
  const short = (_: string, value: unknown): unknown => (typeof value === "number" ? rounded(value) : value);
  return `${JSON.stringify(row, short, 2)}\n`;
}

/** The row that `rowJson` wrote to a file. */
export const readRow = (path: string): Row => rowOf(readJson(path));

/** The row that `rowJson` wrote. */
export const rowFromJson = (text: string): Row => rowOf(JSON.parse(text));

function rowOf(parsed: unknown): Row {
  const noNumber = (value: unknown): unknown =>
    value === null ? NaN : Array.isArray(value) ? value.map(noNumber) : value;
  const entries = Object.entries(parsed as Row).map(([name, value]) => [name, noNumber(value)]);
  return completed(Object.fromEntries(entries) as Row);
}

/** Rows of earlier versions are of the same config as new ones of the same settings. */
function completed(row: Row): Row {
  return { ...row, options: completedOptions(row.options) };
}
