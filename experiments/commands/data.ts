import { oneOf } from "../../src/core/errors.ts";
import {
  classCounts,
  countOf,
  type Dataset,
  type DatasetEntry,
  type DatasetName,
  datasets,
} from "../../src/datasets/index.ts";
import { longTailCounts } from "../../src/datasets/longTail.ts";
import { channelStatistics } from "../../src/datasets/statistics.ts";
import { type ProgressLine, progressLine } from "../progress.ts";
import { fetchDistribution, type FetchOptions } from "../data/fetch.ts";
import { loadData, parsedDatasetOptions, smallestClass } from "../data/load.ts";

export interface DataArguments {
  readonly name: string;
  readonly root: string;
  /** Download what is missing from the official address first. */
  readonly fetch?: boolean;
  /** Imbalance factors to list class sizes for. */
  readonly imbalance?: readonly number[];
  /** The data set's other options, as in a config. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Factors of the long-tailed benchmarks. */
export const benchmarkImbalances = [10, 50, 100, 200];

/**
 * Prints what a data set holds: classes, image shape, statistics, and images per class under each imbalance factor.
 *
 * @throws InputError for an unknown name, files missing or damaged, and downloads that fail.
 */
export async function dataCommand(given: DataArguments, print: (line: string) => void): Promise<void> {
  const entry: DatasetEntry = oneOf("data", datasets, given.name);
  const name = given.name as DatasetName;
  if (given.fetch === true) await fetchFiles(name, entry, given.root, print);
  const options = parsedDatasetOptions({ ...given.options, name, root: given.root });
  const { splits } = await loadData(options);
  for (const line of described(
    splits.train,
    splits.test,
    given.imbalance ?? (options.onlyLabels ? [] : benchmarkImbalances),
  ))
    print(line);
}

async function fetchFiles(
  name: DatasetName,
  entry: DatasetEntry,
  root: string,
  print: (line: string) => void,
) {
  const distribution = entry.from === "options" ? undefined : entry.distribution;
  if (distribution === undefined || distribution.downloads.length === 0) {
    print(`${name} is not downloaded: ${distribution?.source ?? entry.summary}`);
    return;
  }
  const fetched = await fetchDistribution(name, distribution, root, { onProgress: downloads() });
  print(fetched ? `fetched and checked: ${root}` : `nothing to fetch: ${root} has the files`);
}

/** Shows a line of progress for each file. */
function downloads(): NonNullable<FetchOptions["onProgress"]> {
  const megabytes = (bytes: number): number => bytes / 1e6;
  const lines = new Map<string, ProgressLine>();
  return ({ file, received, total }) => {
    let line = lines.get(file);
    if (!line) {
      const options = { unit: "MB", start: megabytes(received) };
      line = progressLine(file, total === undefined ? undefined : megabytes(total), options);
      lines.set(file, line);
    }
    line.at(megabytes(received));
    if (received === total) line.end(`${megabytes(total).toFixed(1)} MB`);
  };
}

/** A data set in lines of text: a summary, then a table of images per class. */
export function described(train: Dataset, test: Dataset, imbalances: readonly number[]): string[] {
  const classes = train.classNames.length;
  const measured = channelStatistics(train.pixels, train.imageShape[2]);
  const possible = imbalances.filter((factor) => factor <= smallestClass(train));
  const left = imbalances.filter((factor) => !possible.includes(factor));
  const columns = [
    ["train", ...totaled(classCounts(train))],
    ["test", ...totaled(classCounts(test))],
    ...possible.map((factor) => [
      `1:${factor}`,
      ...totaled(longTailCounts(classes, smallestClass(train), factor)),
    ]),
  ];
  return [
    `${train.name}: ${classes} classes, ${countOf(train)} + ${countOf(test)} images of ${train.imageShape.join("×")}`,
    `mean  ${decimals(measured.mean)}  normalized by ${decimals(train.mean)}`,
    `std   ${decimals(measured.std)}  normalized by ${decimals(train.std)}`,
    "",
    ...table(["class", ...train.classNames, "total"], columns),
    ...left.map(
      (factor) =>
        `1:${factor} needs ${factor} images in every class, the smallest has ${smallestClass(train)}`,
    ),
  ];
}

function totaled(counts: readonly number[]): string[] {
  return [...counts, counts.reduce((sum, count) => sum + count, 0)].map(String);
}

function decimals(values: readonly number[]): string {
  return values.map((value) => value.toFixed(4)).join(" ");
}

/** Rows of a first column aligned left and the others aligned right. */
function table(first: readonly string[], columns: readonly (readonly string[])[]): string[] {
  const widthOf = (column: readonly string[]): number => Math.max(...column.map((cell) => cell.length));
  return first.map((label, row) =>
    [
      label.padEnd(widthOf(first)),
      ...columns.map((column) => column[row]!.padStart(Math.max(6, widthOf(column)))),
    ].join("  "),
  );
}
