import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
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

const columns = [
  "experiment",
  "commit",
  "engine",
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
  "accuracy",
  "headAccuracy",
  "mediumAccuracy",
  "tailAccuracy",
  "classAccuracies",
  "distillSeconds",
  "evaluationSeconds",
  "status",
] as const satisfies readonly (keyof Row)[];

const numeric: ReadonlySet<string> = new Set<keyof Row>([
  "imbalance",
  "imagesPerClass",
  "steps",
  "distillSeed",
  "evaluationSeed",
  "accuracy",
  "headAccuracy",
  "mediumAccuracy",
  "tailAccuracy",
  "distillSeconds",
  "evaluationSeconds",
]);

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
    const missing = columns.filter((column) => !(column in record));
    if (missing.length > 0) {
      throw new InputError(
        `${path}, line ${line + 2}: expected the columns ${columns.join(", ")}, got none called ` +
          `${missing.join(", ")}; was it written by another version? Move it away and evaluate again`,
      );
    }
    const values = columns.map((column) => {
      const text = record[column]!;
      if (column === "classAccuracies") return [column, text.split(" ").map(Number)];
      return [column, numeric.has(column) ? Number(text) : text];
    });
    return Object.fromEntries(values) as unknown as Row;
  });
}

/** Adds rows to a runs.csv, in place of earlier rows of the same measurement. The file is replaced whole. */
export function recordRows(path: string, rows: readonly Row[]): void {
  const key = (row: Row): string => JSON.stringify(identity.map((column) => row[column]));
  const fresh = new Set(rows.map(key));
  const all = [...readRows(path).filter((row) => !fresh.has(key(row))), ...rows];
  mkdirSync(dirname(path), { recursive: true });
  const lines = all.map((row) => ({ ...row, classAccuracies: row.classAccuracies.join(" ") }));
  writeWhole(path, stringify(lines, { header: true, columns: [...columns] }));
}
