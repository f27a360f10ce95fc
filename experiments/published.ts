import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { InputError } from "../src/core/errors.ts";

/** The numbers that come along, wherever the command is called. */
export const publishedFile = join(dirname(fileURLToPath(import.meta.url)), "..", "results", "published.csv");

const printedNumber = z.string().regex(/^\d+(\.\d+)?$/, "expected a number as printed, as in 48.9");
const empty = z.literal("").transform(() => undefined);
const count = z
  .string()
  .regex(/^[1-9]\d*$/, "expected a whole number from 1 on, or nothing")
  .transform(Number);

const rowSchema = z
  .strictObject({
    cell: z.string().regex(/^\w[\w.+-]*$/, "expected a name as dm-cifar10-ipc10"),
    method: z.string().min(1),
    plugins: z.string(),
    variant: z.string(),
    dataset: z.string().min(1),
    imbalance: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(1)),
    imagesPerClass: empty.or(count),
    network: z.string(),
    evaluationNetwork: z.string(),
    protocol: z.string(),
    selection: z.enum(["last", "best", ""]),
    metric: z.enum(["accuracy", "finalAccuracy", "accuracyGain", "accuracyDrop"]),
    mean: printedNumber.refine(
      (text) => Number(text) > 0 && Number(text) <= 100,
      "expected percent, up to 100",
    ),
    std: z.literal("").or(printedNumber),
    distillations: empty.or(count),
    networks: empty.or(count),
    source: z.string().min(1),
    evidence: z.enum(["paper", "readme", "code", "fig", "abstract", "3rd", "issue", "memory"]),
    link: z.literal("").or(z.url()),
    note: z.string(),
  })
  .transform(({ mean, std, ...others }) => ({
    ...others,
    /** Fraction. */
    mean: Number(mean) / 100,
    /** Standard deviation, a fraction; undefined where none is given. */
    std: std === "" ? undefined : Number(std) / 100,
    /** Half a unit of the last digit of the mean, a fraction: what rounding may hide. */
    rounding: 0.5 * 10 ** -((mean.split(".")[1] ?? "").length + 2),
    /** In percent, with the digits of the source. */
    printed: std === "" ? mean : `${mean} ± ${std}`,
  }));

/** A number of a paper, and where it stands; docs/reproducing.md explains every column. */
export type Published = z.output<typeof rowSchema>;

/** Columns of the file, in order. */
export const publishedColumns = Object.keys(rowSchema.def.in.shape);

/**
 * The numbers of a published.csv, in its order.
 *
 * @throws InputError with line and column for a missing file or column, a value that is none of its column's, and a
 *   number given twice for the same cell, metric and source.
 */
export function readPublished(path = publishedFile): Published[] {
  const records = recordsOf(path);
  const known = new Set<string>();
  return records.map((record, index) => {
    const line = `${path}, line ${index + 2}`;
    const parsed = rowSchema.safeParse(record);
    if (!parsed.success) {
      const wrong = parsed.error.issues.map((issue) => explained(issue, record));
      throw new InputError(`${line}: ${wrong.join("; ")}`);
    }
    const { cell, metric, source } = parsed.data;
    const key = JSON.stringify([cell, metric, source]);
    if (known.has(key)) {
      throw new InputError(`${line}: expected each cell once for a source, got ${cell} of ${source} again`);
    }
    known.add(key);
    return parsed.data;
  });
}

function recordsOf(path: string): Record<string, string>[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new InputError(`${path}: expected the published numbers, found no file`);
  }
  try {
    return parse(text, { columns: true });
  } catch (error) {
    throw new InputError(`${path}: ${(error as Error).message}`);
  }
}

function explained(issue: z.core.$ZodIssue, record: Record<string, string>): string {
  if (issue.code === "unrecognized_keys") {
    return `expected the columns ${publishedColumns.join(", ")}, got also ${issue.keys.join(", ")}`;
  }
  const column = String(issue.path[0]);
  const value = record[column];
  if (value === undefined) return `expected a column ${column}, got none`;
  return `${column}: ${messageOf(issue).replace(/^Invalid input: /, "")}, got ${JSON.stringify(value)}`;
}

/** Of a choice between nothing and a value, what the value should be. */
function messageOf(issue: z.core.$ZodIssue): string {
  const last = issue.code === "invalid_union" ? issue.errors.at(-1)?.[0] : undefined;
  return last ? messageOf(last) : issue.message;
}
