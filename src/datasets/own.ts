import { check, shown, wholeNumber } from "../core/errors.ts";
import { type ImageShape, sizeOf } from "../core/shape.ts";
import { checkedDataset, type Dataset, type Pixels } from "./dataset.ts";
import { normalization } from "./statistics.ts";

/** Labeled images as a program has them. */
export interface OwnImages {
  /** Names the data set in messages. Default "own". */
  readonly name?: string;
  /** All images after one another: bytes, 0 … 255, or floats where 0 is black and 1 is white (values beyond are allowed). */
  readonly pixels: Uint8Array | Uint8ClampedArray | Float32Array | Float64Array;
  /** Height, width and channels of every image. */
  readonly imageShape: ImageShape;
  /** How `pixels` runs through an image: "hwc", the default, has channels last, "chw", as in PyTorch, first. */
  readonly layout?: "hwc" | "chw";
  /** Classes of the images, whole numbers 0 … classes − 1. */
  readonly labels: ArrayLike<number>;
  /** Names in label order. Default: "class 0", "class 1", …, up to the largest label. */
  readonly classNames?: readonly string[];
  /**
   * Mean and standard deviation of each channel, on the scale of byte/255, to normalize by: of test images those of the
   * training images. Default: measured on these pixels.
   */
  readonly mean?: readonly number[];
  /** See `mean`; one comes with the other. */
  readonly std?: readonly number[];
}

/**
 * A data set of images that are in memory already. Bytes and 32-bit floats with channels last are used as they are, not
 * copied; floats keep their precision.
 *
 * @throws InputError where lengths do not agree, a pixel is not finite, floats look like bytes, a label is no class, a
 *   class has no image, or a channel is the same everywhere.
 */
export function datasetOf(images: OwnImages): Dataset {
  const { name = "own", imageShape, layout = "hwc" } = images;
  checkShape(name, imageShape);
  const labels = labelsOf(name, images.labels);
  checkLength(name, images, labels.length);
  checkValues(name, images.pixels);
  const classNames =
    images.classNames ??
    Array.from(
      { length: labels.reduce((most, label) => Math.max(most, label + 1), 0) },
      (_, c) => `class ${c}`,
    );
  labels.forEach((label, i) =>
    check(
      label < classNames.length,
      () =>
        `${name}.labels[${i}]: expected 0 to ${classNames.length - 1}, as there are ${classNames.length} class names, ` +
        `got ${label}`,
    ),
  );
  const stored = storedPixels(images.pixels);
  check(
    layout === "hwc" || layout === "chw",
    () => `${name}.layout: expected "hwc" or "chw", got ${shown(layout)}`,
  );
  const pixels = layout === "hwc" ? stored : channelsLast(stored, imageShape);
  const { mean, std } = statedNormalization(name, images) ?? normalization(name, pixels, imageShape[2]);
  return checkedDataset({ name, classNames, imageShape, pixels, labels, mean, std });
}

function checkShape(name: string, shape: ImageShape): void {
  check(
    Array.isArray(shape) && shape.length === 3,
    () => `${name}.imageShape: expected [height, width, channels], got ${shown(shape)}`,
  );
  shape.forEach((length, axis) => wholeNumber(`${name}.imageShape[${axis}]`, length, 1));
}

function checkLength(name: string, { pixels, imageShape }: OwnImages, count: number): void {
  const size = sizeOf(imageShape);
  check(count > 0, () => `${name}.labels: expected at least 1, got none`);
  check(
    pixels.length === count * size,
    () =>
      `${name}.pixels: expected ${count} × ${size} numbers, for ${count} labels and images of ${imageShape.join("×")}, ` +
      `got ${pixels.length}`,
  );
}

function labelsOf(name: string, given: ArrayLike<number>): Int32Array {
  return Int32Array.from(given, (label, i) => wholeNumber(`${name}.labels[${i}]`, label));
}

/** Refuses what is no number, and bytes that were put into floats without dividing: they would be taken for glaring light. */
function checkValues(name: string, pixels: OwnImages["pixels"]): void {
  if (pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray) return;
  check(
    pixels instanceof Float32Array || pixels instanceof Float64Array,
    () => `${name}.pixels: expected a Uint8Array or a Float32Array, got ${shown(pixels)}`,
  );
  let whole = true;
  let largest = -Infinity;
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i]!;
    check(Number.isFinite(value), () => `${name}.pixels[${i}]: expected a finite number, got ${value}`);
    whole &&= Number.isInteger(value);
    if (value > largest) largest = value;
  }
  check(
    !whole || largest <= 1,
    () =>
      `${name}.pixels: expected floats on a scale where white is 1, got whole numbers up to ${largest}; ` +
      "divide by 255, or give the bytes as a Uint8Array",
  );
}

function storedPixels(pixels: OwnImages["pixels"]): Pixels {
  if (pixels instanceof Uint8Array || pixels instanceof Float32Array) return pixels;
  return pixels instanceof Uint8ClampedArray ? Uint8Array.from(pixels) : Float32Array.from(pixels);
}

function channelsLast(pixels: Pixels, [height, width, channels]: ImageShape): Pixels {
  const result = pixels.slice();
  const area = height * width;
  for (let i = 0; i < pixels.length; i++) {
    const channel = i % channels;
    const position = ((i - channel) / channels) % area;
    result[i] = pixels[i - (i % (area * channels)) + channel * area + position]!;
  }
  return result;
}

function statedNormalization(
  name: string,
  { mean, std, imageShape }: OwnImages,
): { readonly mean: readonly number[]; readonly std: readonly number[] } | undefined {
  if (mean === undefined && std === undefined) return undefined;
  const channels = imageShape[2];
  for (const [key, values] of Object.entries({ mean, std })) {
    check(
      values?.length === channels &&
        values.every((value) => Number.isFinite(value) && (key === "mean" || value > 0)),
      () =>
        `${name}.${key}: expected ${channels} finite numbers${key === "std" ? " > 0" : ""}, one for each channel, ` +
        `as mean and std come together, got ${shown(values)}`,
    );
  }
  return { mean: mean!, std: std! };
}
