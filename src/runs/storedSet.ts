import { check } from "../core/errors.ts";
import { type ImageShape, sizeOf } from "../core/shape.ts";
import {
  cellsOf,
  checkPartition,
  decodedLabels,
  decodedValues,
  type Partition,
} from "../datasets/partition.ts";
import type { HostArray, NamedArrays } from "../formats/array.ts";
import { channelsFirst, channelsLast, type Space } from "./space.ts";

/** A synthetic set as files hold it, a run's or anyone's. */
export interface StoredSet extends Space {
  /** As trained on, or mosaics of what is trained on, [n, height, width, channels]. */
  readonly images: Float32Array;
  /** Of images that are mosaics; `decodedSet` gives what is trained on. */
  readonly partition?: Partition | undefined;
  /** Height, width and channels of an image. */
  readonly imageShape: ImageShape;
  /** Class of each image, [n]. */
  readonly labels: Int32Array;
  /** Weights of the classes in the cross-entropy of each image, [n, classes], to train with instead of the labels. */
  readonly softLabels?: Float32Array | undefined;
  /** Learned with the images, to train with instead of the protocol's. */
  readonly learningRate?: number | undefined;
  /** Whatever else a method learned, by its name. */
  readonly others: Readonly<NamedArrays>;
}

/** The set as networks are trained on it: of mosaics their cells, enlarged, each with the mosaic's label. */
export function decodedSet(set: StoredSet): StoredSet {
  const { images, imageShape, partition, labels, softLabels } = set;
  if (!partition) return set;
  const [cells, classes] = [cellsOf(partition), softLabels ? softLabels.length / labels.length : 0];
  return {
    ...set,
    images: decodedValues(images, imageShape, partition),
    partition: undefined,
    labels: decodedLabels(labels, partition),
    softLabels:
      softLabels &&
      Float32Array.from(
        { length: softLabels.length * cells },
        (_, at) => softLabels[Math.floor(at / (classes * cells)) * classes + (at % classes)]!,
      ),
  };
}

/**
 * The set under the plain names of files; images are turned to [n, channels, height, width], labels to int64. Mosaics are
 * `mosaics`: what is called `images` can be trained on as it is.
 */
export function arraysOf(set: StoredSet): NamedArrays {
  const { images, imageShape, partition, labels, softLabels, learningRate, whitening, others } = set;
  const n = labels.length;
  const [height, width, channels] = imageShape;
  const d = sizeOf(imageShape);
  return {
    ...others,
    [partition ? "mosaics" : "images"]: {
      shape: [n, channels, height, width],
      data: channelsFirst(images, imageShape),
    },
    labels: { shape: [n], data: BigInt64Array.from(labels, BigInt) },
    ...(softLabels && { soft_labels: { shape: [n, softLabels.length / n], data: softLabels } }),
    ...(learningRate !== undefined && { lr: { shape: [1], data: Float32Array.of(learningRate) } }),
    ...(whitening && {
      zca_mean: { shape: [d], data: whitening.mean },
      zca_matrix: { shape: [d, d], data: whitening.matrix },
      zca_inverse: { shape: [d, d], data: whitening.inverse },
    }),
  };
}

/**
 * The set that arrays under plain names hold: the inverse of `arraysOf`, with files of other programs in mind. Missing
 * labels are the largest soft ones. Mosaics count where there are no images.
 *
 * @param where names the file in messages.
 * @param constants by which the images are normalized, and of mosaics the partition.
 * @throws InputError for arrays that are missing, of another shape or type, or do not fit each other.
 */
export function setFrom(
  where: string,
  arrays: Readonly<NamedArrays>,
  constants: Pick<StoredSet, "mean" | "std" | "partition">,
): StoredSet {
  const { images, mosaics, labels, soft_labels, lr, zca_mean, zca_matrix, zca_inverse, ...others } = arrays;
  const [name, stored] = images ? ["images", images] : ["mosaics", mosaics];
  check(
    stored !== undefined && (labels !== undefined || soft_labels !== undefined),
    () =>
      `${where}: expected arrays images and labels, got ${Object.keys(arrays).join(", ") || "none"}; ` +
      "rename them, or distil again if this is the file of a run",
  );
  const imageShape = imageShapeOf(where, stored);
  const n = stored.shape[0]!;
  const d = sizeOf(imageShape);
  const softLabels = soft_labels && softLabelsFrom(where, soft_labels, n);
  const whitened = [zca_mean, zca_matrix, zca_inverse].some((array) => array !== undefined);
  const whitening = whitened
    ? {
        mean: floats(`${where}: zca_mean`, zca_mean, [d]),
        matrix: floats(`${where}: zca_matrix`, zca_matrix, [d, d]),
        inverse: floats(`${where}: zca_inverse`, zca_inverse, [d, d]),
      }
    : undefined;
  const partition = images ? undefined : partitionFor(where, constants, imageShape);
  return {
    ...constants,
    images: channelsLast(floats(`${where}: ${name}`, stored, stored.shape), imageShape),
    imageShape,
    partition,
    labels: labels ? labelsFrom(where, labels, n) : largest(softLabels!, n),
    softLabels,
    learningRate: lr && rateFrom(where, lr),
    whitening,
    others,
  };
}

function imageShapeOf(where: string, { shape }: HostArray): ImageShape {
  const [, channels, height, width] = shape as [number, number, number, number];
  const isLast = shape.length === 4 && ![1, 3].includes(channels) && [1, 3].includes(width);
  check(
    shape.length === 4 && !isLast && shape.every((length) => length > 0),
    () =>
      `${where}: images: expected shape [n, channels, height, width], got [${shape.join(", ")}]` +
      (isLast ? "; channels are last: save images.transpose(0, 3, 1, 2)" : ""),
  );
  return [height, width, channels];
}

/** @throws InputError where nothing says how mosaics of this shape are decoded, or it cannot be so. */
function partitionFor(
  where: string,
  { partition }: Pick<StoredSet, "partition">,
  imageShape: ImageShape,
): Partition {
  check(
    partition !== undefined,
    () =>
      `${where}: mosaics: expected a card or metadata that says into how many cells they divide, got none; ` +
      "save the decoded images as images",
  );
  checkPartition(`${where}: partition`, partition, imageShape);
  return partition;
}

function labelsFrom(where: string, { shape, data }: HostArray, n: number): Int32Array {
  const whole = data instanceof BigInt64Array || data instanceof Int32Array || data instanceof Uint8Array;
  check(
    whole && shape.length === 1 && shape[0] === n,
    () =>
      `${where}: labels: expected ${n} whole numbers, one for each image, got ` +
      `${whole ? "integers" : "floats"} of shape [${shape.join(", ")}]` +
      (shape.length === 2 ? "; rows of probabilities are soft_labels" : ""),
  );
  return Int32Array.from(data as Int32Array, Number);
}

function softLabelsFrom(where: string, array: HostArray, n: number): Float32Array {
  const { shape } = array;
  check(
    shape.length === 2 && shape[0] === n && shape[1]! > 0,
    () => `${where}: soft_labels: expected shape [${n}, classes], got [${shape.join(", ")}]`,
  );
  return floats(`${where}: soft_labels`, array, shape);
}

function rateFrom(where: string, { data }: HostArray): number {
  const rate = Number(data[0]);
  check(
    data.length === 1 && Number.isFinite(rate) && rate > 0,
    () => `${where}: lr: expected one learning rate > 0, got ${(data as Float32Array).join(", ") || "none"}`,
  );
  return rate;
}

/** The values of an array of floats of this shape, as float32. */
function floats(where: string, array: HostArray | undefined, shape: readonly number[]): Float32Array {
  check(
    array !== undefined && String(array.shape) === String(shape),
    () =>
      `${where}: expected shape [${shape.join(", ")}], got ${array ? `[${array.shape.join(", ")}]` : "no such array"}`,
  );
  const { data } = array;
  check(data instanceof Float32Array || data instanceof Float64Array, () => {
    const bytes = data instanceof Uint8Array ? "; divide bytes by 255 and name them images_pixel" : "";
    return `${where}: expected floats, got integers${bytes}`;
  });
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  check(bad < 0, () => `${where}: expected finite values, got ${values[bad]} at position ${bad}`);
  return values;
}

/** Position of the largest value in each of n rows. */
function largest(rows: Float32Array, n: number): Int32Array {
  const classes = rows.length / n;
  return Int32Array.from({ length: n }, (_, i) => {
    const row = rows.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(row.reduce((most, value) => Math.max(most, value), -Infinity));
  });
}
