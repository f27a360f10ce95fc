import sharp from "sharp";
import { check } from "../src/core/errors.ts";
import { type ImageShape, sizeOf } from "../src/core/shape.ts";

/** Labeled images as networks see them. */
export interface ImageSet {
  /** (pixel − mean)/std by channel, [n, height, width, channels]. */
  readonly images: ArrayLike<number>;
  readonly imageShape: ImageShape;
  /** Labels 0 … classes − 1, [n]. */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface GridOptions {
  /** Most images shown of a class; the first ones are taken. */
  readonly columns?: number;
  /**
   * What becomes black and white: "pixels" cuts at 0 and 1, so that the image is what its pixels are; "spread" maps
   * mean ± 2.5 standard deviations of all values shown (as MTT displays its images), so that learned values beyond
   * [0, 1] remain visible. For display only.
   */
  readonly clip?: "pixels" | "spread";
}

/** Edge of a tile after enlarging, at least, in pixels of the PNG. */
const TILE = 64;
/** Transparent gap between tiles, in pixels of the PNG. */
const GAP = 2;
/** Standard deviations to each side of the mean under the clip "spread". */
const SPREAD = 2.5;

/**
 * A PNG with one row for each class and one column for each of its images, each pixel enlarged to a square.
 *
 * @throws InputError unless images have one or three channels and fit their labels.
 */
export async function imageGrid(
  set: ImageSet,
  { columns = 10, clip = "pixels" }: GridOptions = {},
): Promise<Buffer> {
  const [height, width, channels] = set.imageShape;
  check(channels === 1 || channels === 3, () => `imageGrid: expected 1 or 3 channels, got ${channels}`);
  const expected = set.labels.length * sizeOf(set.imageShape);
  check(
    set.images.length === expected,
    () => `imageGrid: expected ${expected} values, got ${set.images.length}`,
  );

  const rows = Array.from({ length: set.classes }, (_, label) =>
    imagesOf(set.labels, label).slice(0, columns),
  );
  const shade = shading(set, rows.flat(), clip);
  const scale = Math.ceil(TILE / Math.max(height, width));
  const stepX = width * scale + GAP;
  const stepY = height * scale + GAP;
  const gridWidth = Math.max(1, ...rows.map((row) => row.length)) * stepX - GAP;
  const gridHeight = set.classes * stepY - GAP;
  const canvas = new Uint8Array(4 * gridWidth * gridHeight); // RGBA, transparent
  rows.forEach((row, r) => {
    row.forEach((image, c) => {
      for (let y = 0; y < height * scale; y++) {
        for (let x = 0; x < width * scale; x++) {
          const pixel = (image * height + Math.floor(y / scale)) * width + Math.floor(x / scale);
          const at = 4 * ((r * stepY + y) * gridWidth + c * stepX + x);
          for (let k = 0; k < 3; k++) canvas[at + k] = shade(pixel * channels + (k % channels));
          canvas[at + 3] = 255;
        }
      }
    });
  });
  const raw = { width: gridWidth, height: gridHeight, channels: 4 } as const;
  return await sharp(canvas, { raw }).png({ compressionLevel: 9 }).toBuffer();
}

function imagesOf(labels: ArrayLike<number>, label: number): number[] {
  return Array.from({ length: labels.length }, (_, i) => i).filter((i) => labels[i] === label);
}

/** From the position of a value to its byte 0 … 255. */
function shading(set: ImageSet, shown: readonly number[], clip: "pixels" | "spread"): (at: number) => number {
  const channels = set.imageShape[2];
  const level = (at: number): number => set.images[at]! * set.std[at % channels]! + set.mean[at % channels]!;
  const [low, high] = clip === "pixels" ? [0, 1] : spread(shown, sizeOf(set.imageShape), level);
  return (at) => Math.round(255 * Math.min(1, Math.max(0, (level(at) - low) / (high - low))));
}

function spread(shown: readonly number[], size: number, level: (at: number) => number): [number, number] {
  let sum = 0;
  let squares = 0;
  for (const image of shown) {
    for (let p = 0; p < size; p++) {
      const value = level(image * size + p);
      sum += value;
      squares += value * value;
    }
  }
  const count = Math.max(1, shown.length * size);
  const mean = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - mean * mean));
  const reach = deviation > 0 ? SPREAD * deviation : 0.5; // one gray shade: show it as it is, mid-gray
  return [mean - reach, mean + reach];
}
