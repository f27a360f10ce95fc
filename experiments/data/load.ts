import { createHash } from "node:crypto";
import { z } from "zod";
import { InputError } from "../../src/core/errors.ts";
import { choice } from "../../src/core/options.ts";
import {
  classCounts,
  classSubset,
  type Dataset,
  type DatasetEntry,
  type DatasetName,
  datasets,
  type Splits,
} from "../../src/datasets/index.ts";
import { longTail, longTailSubsets } from "../../src/datasets/longTail.ts";
import { working } from "../progress.ts";
import { readFiles } from "./files.ts";
import { readImages } from "./readImages.ts";

/** What every data set can be told, beside its own options. */
const common = z.object({
  root: z
    .string()
    .default("data")
    .describe("Folder with the data set's files, or with the folder that holds them."),
  imbalance: z
    .number()
    .min(1)
    .default(1)
    .describe("Training images of the first class over those of the last; sizes fall exponentially between."),
  classSize: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Training images of the first class, or of every class where balanced. Default: as many as all have.",
    ),
  subsetSeed: z
    .int()
    .min(0)
    .default(42)
    .describe("Seed by which training images are chosen; it does not change with the run's seed."),
  subset: z
    .enum(longTailSubsets)
    .optional()
    .describe(
      "Whose subset it is: lad for the images that LAD's released code draws by NumPy's generator (its seed is 42, too). " +
        "Default: a subset of this project's own.",
    ),
  onlyLabels: z
    .array(z.int().min(0))
    .min(2, "expected two or more classes, as there is nothing to tell apart otherwise")
    .refine((labels) => new Set(labels).size === labels.length, "expected every class once")
    .optional()
    .describe(
      "Keeps these classes only, of training and test images, as in [3, 7]: the first becomes class 0. A long tail is that of " +
        "the whole set, so that each class keeps the images it has there; so are the constants of normalization. Default: all.",
    ),
});

/** A data set's name, where it lies, how its training images are thinned, and its own options. */
export type DatasetOptions = {
  [Name in DatasetName]: { name: Name } & z.output<typeof common> &
    z.output<(typeof datasets)[Name]["options"]>;
}[DatasetName];

/** Schema of the data set in a config: strict, with one case per name; a bare name takes all defaults. */
export const datasetOptions = choice(
  Object.fromEntries(
    Object.entries(datasets).map(([name, { options }]) => [name, { options: options.extend(common.shape) }]),
  ),
) as unknown as z.ZodType<DatasetOptions>;

/** Labels that a name spells out; more are told apart by a hash. */
const SPELLED = 10;

/**
 * Names what was distilled in rows and tables: "mnist", or of some classes "mnist (3, 7)" or "cifar100 (20 classes, 1a2b3c)",
 * as accuracies on different classes do not compare.
 */
export function dataName({ name, onlyLabels: labels }: Pick<DatasetOptions, "name" | "onlyLabels">): string {
  if (labels === undefined) return name;
  if (labels.length <= SPELLED) return `${name} (${labels.join(", ")})`;
  const hash = createHash("sha256").update(labels.join(",")).digest("hex").slice(0, 6);
  return `${name} (${labels.length} classes, ${hash})`;
}

/** Training and test images, and which of the data set's training images they are. */
export interface LoadedData {
  readonly splits: Splits;
  /** Positions in the full training split, ascending; absent where all of it is used. Saved with a run. */
  readonly indices?: Int32Array;
}

/**
 * Reads or generates a data set and thins its training split; the test split stays whole. Of both, some classes are kept
 * where only these are asked for.
 *
 * @throws InputError for files missing or damaged, for classes with fewer images than asked for, and for labels that are no
 *   class's.
 */
export async function loadData(options: DatasetOptions): Promise<LoadedData> {
  const { onlyLabels: labels, ...others } = options;
  const whole = await loadWhole(others as DatasetOptions);
  if (labels === undefined) return whole;
  if (latestClasses?.whole !== whole || String(latestClasses.labels) !== String(labels)) {
    latestClasses = { whole, labels, data: someClasses(whole, labels) };
  }
  return latestClasses.data;
}

/** The classes kept last. */
let latestClasses:
  { readonly whole: LoadedData; readonly labels: readonly number[]; readonly data: LoadedData } | undefined;

function someClasses({ splits, indices }: LoadedData, labels: readonly number[]): LoadedData {
  const train = classSubset(splits.train, labels);
  const test = classSubset(splits.test, labels).subset;
  return {
    splits: { ...splits, train: train.subset, test },
    indices: indices ? train.indices.map((i) => indices[i]!) : train.indices,
  };
}

async function loadWhole(options: DatasetOptions): Promise<LoadedData> {
  const key = JSON.stringify(options);
  if (latest?.key !== key) {
    // Images show themselves how far they are.
    const isShown = datasets[options.name].from === "images";
    const data = await (isShown
      ? loadAnew(options)
      : working(`reading ${options.name}`, () => loadAnew(options)));
    latest = { key, data };
  }
  return latest.data;
}

/** The set loaded last, with all its classes: a command that distils and then evaluates reads it once. */
let latest: { readonly key: string; readonly data: LoadedData } | undefined;

async function loadAnew(options: DatasetOptions): Promise<LoadedData> {
  const { imbalance, classSize, subsetSeed, subset } = options;
  const splits = await readSplits(options);
  if (imbalance === 1 && classSize === undefined) return { splits };
  const largest = classSize ?? smallestClass(splits.train);
  const thinned = longTail(splits.train, { imbalance, largest, seed: subsetSeed, subset });
  return { splits: { ...splits, train: thinned.subset }, indices: thinned.indices };
}

/** What of a data set's options says which images it has: official files hold the same wherever they lie. */
export function withoutPlace({ root, ...set }: DatasetOptions): Readonly<Record<string, unknown>> {
  return { ...set, ...(datasets[set.name].from === "images" && { root }) };
}

/** Images in the class that has fewest: as many as every class can give. */
export function smallestClass(dataset: Dataset): number {
  return Math.min(...classCounts(dataset));
}

async function readSplits(options: DatasetOptions): Promise<Splits> {
  const { name, root } = options;
  const entry: DatasetEntry = datasets[name];
  const taken = new Set(["name", ...Object.keys(common.shape)]);
  const own = Object.fromEntries(Object.entries(options).filter(([key]) => !taken.has(key)));
  switch (entry.from) {
    case "files":
      return entry.read(await readFiles(name, entry.distribution, root), own);
    case "images":
      return entry.read(await readImages({ name, root, entry }, own), own);
    case "options":
      return entry.read(own);
  }
}

/**
 * Options of a data set, with defaults for what `value` leaves out.
 *
 * @throws InputError naming every wrong option, and those there are.
 */
export function parsedDatasetOptions(
  value: { readonly name: DatasetName } & Record<string, unknown>,
): DatasetOptions {
  const result = datasetOptions.safeParse(value);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(
    ({ path, message }) => `${["dataset", ...path].join(".")}: ${message}`,
  );
  const known = Object.keys({ ...datasets[value.name].options.shape, ...common.shape });
  throw new InputError(`${wrong.join("; ")} (options of ${value.name}: ${known.join(", ")})`);
}
