import { type ImageShape, sizeOf } from "../core/shape.ts";
import { unwhiteningOn, type Whitening } from "../datasets/whitening.ts";
import type { Tensor } from "../engines/index.ts";

/** Constants of the space that images are in: (pixel/255 − mean)/std by channel, and then whitened where that is given. */
export interface Space {
  /** Mean of each channel, on the scale of pixel/255. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel, on the same scale. */
  readonly std: readonly number[];
  /** Of images that are whitened. */
  readonly whitening?: Whitening | undefined;
}

/** Images of a space as pixels: black is 0 and white 1, though learned ones may lie beyond. Both [n, h, w, c]. */
export function toPixels(
  images: Float32Array,
  { mean, std, whitening }: Space,
  shape: ImageShape,
): Float32Array {
  const normalized = whitening ? unwhitened(images, whitening, shape) : images;
  const channels = mean.length;
  return normalized.map((value, i) => value * std[i % channels]! + mean[i % channels]!);
}

/** Pixels, black 0 and white 1, as images of a space: the inverse of `toPixels`. */
export function fromPixels(
  pixels: Float32Array,
  { mean, std, whitening }: Space,
  shape: ImageShape,
): Float32Array {
  const channels = mean.length;
  const normalized = pixels.map((value, i) => (value - mean[i % channels]!) / std[i % channels]!);
  return whitening ? whitened(normalized, whitening, shape) : normalized;
}

/**
 * The values of images with their whitening undone, by which they are normalized by mean and deviation alone; as they are
 * where they are not whitened. On the images' engine: without, a thousand images of CIFAR's size take ten seconds.
 *
 * @param images [n, h, w, c] in the space.
 */
export function normalizedValues(images: Tensor, { whitening }: Pick<Space, "whitening">): ArrayLike<number> {
  if (!whitening) return images.values();
  const map = unwhiteningOn(images.engine, whitening);
  const values = images.engine.scope(() => map.of(images).values());
  map.dispose();
  return values;
}

function whitened(images: Float32Array, { mean, matrix }: Whitening, shape: ImageShape): Float32Array {
  const d = sizeOf(shape);
  const centered = channelsFirst(images, shape).map((value, i) => value - mean[i % d]!);
  return channelsLast(product(centered, matrix, d), shape);
}

function unwhitened(images: Float32Array, { mean, inverse }: Whitening, shape: ImageShape): Float32Array {
  const d = sizeOf(shape);
  const centered = product(channelsFirst(images, shape), inverse, d);
  return channelsLast(
    centered.map((value, i) => value + mean[i % d]!),
    shape,
  );
}

/** Rows [n, d] times a matrix [d, d]. Row by row of the matrix, so that memory is read in order. */
function product(rows: Float32Array, matrix: Float32Array, d: number): Float32Array {
  const result = new Float32Array(rows.length);
  for (let from = 0; from < rows.length; from += d) {
    const sums = new Float64Array(d);
    for (let j = 0; j < d; j++) {
      const factor = rows[from + j]!;
      for (let k = 0; k < d; k++) sums[k]! += factor * matrix[j * d + k]!;
    }
    result.set(sums, from);
  }
  return result;
}

/** [n, h, w, c] as [n, c, h, w]. */
export function channelsFirst(pixels: Float32Array, shape: ImageShape): Float32Array {
  const result = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) result[placeChannelsFirst(i, shape)] = pixels[i]!;
  return result;
}

/** [n, c, h, w] as [n, h, w, c]. */
export function channelsLast(pixels: Float32Array, shape: ImageShape): Float32Array {
  const result = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) result[i] = pixels[placeChannelsFirst(i, shape)]!;
  return result;
}

/** Where the value at position i of [n, h, w, c] lies in [n, c, h, w]. */
function placeChannelsFirst(i: number, [height, width, channels]: ImageShape): number {
  const area = height * width;
  const channel = i % channels;
  const position = ((i - channel) / channels) % area;
  return i - (i % (area * channels)) + channel * area + position;
}
