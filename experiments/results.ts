import { existsSync, readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { InputError } from "../src/core/errors.ts";
import { writeWhole } from "./files.ts";

/** One line of runs.csv: one evaluation network trained on the synthetic set of one run. results/README.md has units. */
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
  readonly distillSeed: number;
  readonly protocol: string;
  readonly evaluationNetwork: string;
  readonly evaluationSeed: number;
  readonly accuracy: number;
  readonly headAccuracy: number;
  readonly mediumAccuracy: number;
  readonly tailAccuracy: number;
  /** Accuracy of each class in label order. */
  readonly classAccuracies: readonly number[];
  readonly distillSeconds: number;
  readonly evaluationSeconds: number;
  readonly status: string;
}

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
  status: "text",
} as const satisfies Record<keyof Row, "text" | "number" | "numbers">;
const names = Object.keys(columns) as (keyof Row)[];

/** What makes two rows the same measurement: a later one replaces the earlier. */
const identity = [
  "experiment",
  "dataset",
  "imbalance",
  "imagesPerClass",
  "objective",
  "plugins",
  "network",
  "steps",
  "distillSeed",
  "protocol",
  "evaluationNetwork",
  "evaluationSeed",
] as const satisfies readonly (keyof Row)[];

/**
 * All rows of a runs.csv; none where the file does not exist yet.
 *
 * @throws InputError if its columns are not those of this version.
 */
export function readRows(path: string): Row[] {
  if (!existsSync(path)) return [];
  const records: Record<string, string>[] = parse(readFileSync(path, "utf8"), { columns: true });
  return records.map((record, line) => {
    const missing = names.filter((name) => !(name in record));
    if (missing.length > 0) {
      throw new InputError(
        `${path}, line ${line + 2}: expected the columns ${names.join(", ")}, got none called ` +
          `${missing.join(", ")}; was it written by another version? Move it away and evaluate again`,
      );
    }
    return Object.fromEntries(
      names.map((name) => [name, read[columns[name]](record[name]!)]),
    ) as unknown as Row;
  });
}

/** From the text of a cell to its value. */
const read = {
  text: (cell: string) => cell,
  number: Number,
  numbers: (cell: string) => cell.split(" ").map(Number),
};

/** From a value to the text of its cell. Six decimals are enough for a fraction of any test set, and for seconds. */
const written = {
  text: (value: unknown) => String(value),
  number: (value: unknown) => String(Number((value as number).toFixed(6))),
  numbers: (value: unknown) => (value as number[]).map((each) => Number(each.toFixed(6))).join(" "),
};

/** Adds rows to a runs.csv, in place of earlier rows of the same measurement. The file is replaced whole. */
export function recordRows(path: string, rows: readonly Row[]): void {
  const key = (row: Row): string => JSON.stringify(identity.map((column) => row[column]));
  const fresh = new Set(rows.map(key));
  const all = [...readRows(path).filter((row) => !fresh.has(key(row))), ...rows];
  writeRows(path, all);
}

/** Removes the rows of one run, whose images are about to be replaced. */
export function removeRows(path: string, run: Pick<Row, "experiment" | "distillSeed">): void {
  const rows = readRows(path);
  const others = rows.filter(
    ({ experiment, distillSeed }) => experiment !== run.experiment || distillSeed !== run.distillSeed,
  );
  if (others.length < rows.length) writeRows(path, others);
}

function writeRows(path: string, rows: readonly Row[]): void {
  const lines = rows.map((row) => names.map((name) => written[columns[name]](row[name])));
  writeWhole(path, stringify([names, ...lines]));
}
