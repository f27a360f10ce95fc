import { check, InputError } from "../core/errors.ts";
import { type ImageShape, sizeOf } from "../core/shape.ts";
import type { Whitening } from "./whitening.ts";

/** Pixels of images: bytes, 0 … 255, or numbers on the scale of byte/255, where 0 is black and 1 is white. */
export type Pixels = Uint8Array | Float32Array;

/** Labeled images in memory, normalized when a batch is taken. */
export interface Dataset {
  /** Names it in messages and results. */
  readonly name: string;
  /** Class names in label order. */
  readonly classNames: readonly string[];
  /** Names of the classes' folders in label order, where these are others: ImageNet's WordNet IDs. */
  readonly classFolders?: readonly string[];
  /** Height, width and channels of every image. */
  readonly imageShape: ImageShape;
  /** [n, height, width, channels]. */
  readonly pixels: Pixels;
  /** Labels 0 … classes − 1, [n]. */
  readonly labels: Int32Array;
  /** Per-channel mean and standard deviation of pixel/255, by which `normalized` centers and scales. */
  readonly mean: readonly number[];
  /** See `mean`. */
  readonly std: readonly number[];
  /** Of a set that holds some classes of another: that one's class names, in its label order. */
  readonly wholeClassNames?: readonly string[];
  /** Of images that are whitened: `pixels` are then numbers of that space, with mean 0 and deviation 1 in each channel. */
  readonly whitening?: Whitening;
}

/** Training and test split of one data set; both share class names and normalization. */
export interface Splits {
  /** Images to distil. */
  readonly train: Dataset;
  /** Images that accuracy is measured on, and nothing else. */
  readonly test: Dataset;
}

/** Number of images. */
export function countOf(dataset: Dataset): number {
  return dataset.labels.length;
}

/** Positions of each class's images, in data set order: one list per class. */
export function classIndices(dataset: Dataset): Int32Array[] {
  const lists: number[][] = dataset.classNames.map(() => []);
  dataset.labels.forEach((label, i) => lists[label]!.push(i));
  return lists.map((list) => Int32Array.from(list));
}

/** Images per class. */
export function classCounts(dataset: Dataset): number[] {
  const counts = dataset.classNames.map(() => 0);
  for (const label of dataset.labels) counts[label]!++;
  return counts;
}

/** The images at `indices`, in that order, as a data set of their own. */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const size = sizeOf(dataset.imageShape);
  const pixels =
    dataset.pixels instanceof Uint8Array
      ? new Uint8Array(indices.length * size)
      : new Float32Array(indices.length * size);
  const labels = new Int32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    pixels.set(dataset.pixels.subarray(index * size, (index + 1) * size), i * size);
    labels[i] = dataset.labels[index]!;
  }
  return { ...dataset, pixels, labels };
}

/** Class names of the whole that a set is of: its own where it holds all classes. What suits the classes suits a part of them. */
export function wholeClassNames({
  classNames,
  wholeClassNames: whole = classNames,
}: Pick<Dataset, "classNames" | "wholeClassNames">): readonly string[] {
  return whole;
}

/**
 * The images of some classes as a data set of their own, in data set order. The first label given becomes class 0, the second
 * class 1, …; all else stays that of the whole, the constants of normalization among it.
 *
 * @param labels two or more, each once.
 * @returns the subset, and the positions of its images in `dataset`.
 * @throws InputError for fewer labels, one that is no class's, and one that is there twice.
 */
export function classSubset(
  dataset: Dataset,
  labels: readonly number[],
): { subset: Dataset; indices: Int32Array } {
  const { classNames, classFolders } = dataset;
  const newLabels = checkedLabels(dataset, labels);
  const isKept = (i: number): boolean => newLabels.has(dataset.labels[i]!);
  const indices = Int32Array.from(dataset.labels.keys()).filter(isKept);
  const kept = subset(dataset, indices);
  return {
    subset: {
      ...kept,
      classNames: labels.map((label) => classNames[label]!),
      ...(classFolders && { classFolders: labels.map((label) => classFolders[label]!) }),
      wholeClassNames: wholeClassNames(dataset),
      labels: kept.labels.map((label) => newLabels.get(label)!),
    },
    indices,
  };
}

/** The place of each label among them. */
function checkedLabels({ name, classNames }: Dataset, labels: readonly number[]): Map<number, number> {
  check(
    labels.length >= 2,
    () =>
      `labels: expected two or more classes of ${name}, as there is nothing to tell apart otherwise, got [${labels.join(", ")}]`,
  );
  const last = classNames.length - 1;
  const unknown = labels.find((label) => !Number.isInteger(label) || label < 0 || label > last);
  check(unknown === undefined, () => `labels: expected classes of ${name}, 0 to ${last}, got ${unknown}`);
  const twice = labels.find((label, i) => labels.indexOf(label) < i);
  check(twice === undefined, () => `labels: expected every class once, got ${twice} twice`);
  return new Map(labels.map((label, i) => [label, i]));
}

/**
 * The images at `indices` as (pixel/255 − mean)/std, of numbers as (pixel − mean)/std, row-major [indices, height, width, channels].
 *
 * @param into where they go, if not into a new array; engines copy what they are given, so that one serves many batches.
 */
export function normalized(
  dataset: Dataset,
  indices: ArrayLike<number>,
  into = new Float32Array(indices.length * sizeOf(dataset.imageShape)),
): Float32Array {
  const { pixels } = dataset;
  const size = sizeOf(dataset.imageShape);
  const batch = into.subarray(0, indices.length * size);
  if (pixels instanceof Float32Array) return normalizedNumbers(pixels, dataset, indices, batch);
  const table = normalizationTable(dataset);
  for (let i = 0; i < indices.length; i++) {
    const bytes = pixels.subarray(indices[i]! * size, (indices[i]! + 1) * size);
    const image = batch.subarray(i * size, (i + 1) * size);
    for (let p = 0, channel = 0; p < size; p++) {
      image[p] = table[channel + bytes[p]!]!;
      channel = channel + 256 === table.length ? 0 : channel + 256;
    }
  }
  return batch;
}

function normalizedNumbers(
  pixels: Float32Array,
  { imageShape, mean, std }: Dataset,
  indices: ArrayLike<number>,
  batch: Float32Array,
): Float32Array {
  const size = sizeOf(imageShape);
  if (mean.every((center) => center === 0) && std.every((scale) => scale === 1)) {
    for (let i = 0; i < indices.length; i++) {
      batch.set(pixels.subarray(indices[i]! * size, (indices[i]! + 1) * size), i * size);
    }
    return batch;
  }
  const channels = mean.length;
  for (let i = 0; i < batch.length; i++) {
    const channel = i % channels;
    const value = pixels[indices[Math.floor(i / size)]! * size + (i % size)]!;
    batch[i] = (value - mean[channel]!) / std[channel]!;
  }
  return batch;
}

/** Normalized value of every byte in every channel, [channels, 256]. */
function normalizationTable({ mean, std }: Dataset): Float32Array {
  const table = new Float32Array(mean.length * 256);
  mean.forEach((center, c) => {
    for (let byte = 0; byte < 256; byte++) table[256 * c + byte] = (byte / 255 - center) / std[c]!;
  });
  return table;
}

/**
 * Checks a data set that a reader has put together, and returns it.
 *
 * @throws InputError for lengths that do not agree, a label out of range, or a class without images.
 */
export function checkedDataset(dataset: Dataset): Dataset {
  const { name, labels, pixels, classNames, imageShape } = dataset;
  check(
    pixels.length === labels.length * sizeOf(imageShape),
    () =>
      `${name}: expected ${labels.length} images of ${imageShape.join("×")}, got ${pixels.length} pixel values`,
  );
  labels.forEach((label, i) => {
    if (label < 0 || label >= classNames.length) {
      throw new InputError(
        `${name}: label of image ${i}: expected 0 to ${classNames.length - 1}, got ${label}; the file is damaged or of another data set`,
      );
    }
  });
  classCounts(dataset).forEach((count, c) =>
    check(count > 0, () => `${name}: class ${c} (${classNames[c]}): expected at least 1 image, got none`),
  );
  return dataset;
}
