import { gamma } from "../../kernels/laws.ts";
import { positive } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import type { ImageShape } from "../core/shape.ts";
import { isTensor, type Tensor } from "../engines/index.ts";
import type { Labels } from "./trainingData.ts";

/** How often and how much the images of a mini-batch are mixed. */
export interface CutMixOptions {
  /** Share of the mini-batches that are mixed, 0 to 1. */
  readonly probability: number;
  /** α of the Beta(α, α) law of the share that an image keeps; 1 for a uniform one. */
  readonly alpha: number;
}

/** A box, and whose pixels come into each image's. Plain data. */
export interface CutMix {
  /** Position of the other image, for each image. */
  readonly partners: Int32Array;
  /** First row and column of the box, and those after its last. */
  readonly rows: readonly [first: number, end: number];
  readonly columns: readonly [first: number, end: number];
}

/**
 * Rolls the dice of CutMix (Yun et al., ICCV 2019) for one mini-batch: a box of 1 − λ of the area, λ ~ Beta(α, α), around a
 * uniform pixel, cut off at the border, and a random order of the images.
 *
 * @returns undefined where the mini-batch is not mixed.
 */
export function drawCutMix(
  { probability, alpha }: CutMixOptions,
  count: number,
  [height, width]: ImageShape,
  rng: Rng,
): CutMix | undefined {
  if (rng.uniform() >= probability) return undefined;
  const side = Math.sqrt(1 - beta(alpha, rng));
  const span = (length: number): [number, number] => {
    const half = Math.floor(Math.floor(length * side) / 2);
    const center = rng.integer(length);
    return [Math.max(center - half, 0), Math.min(center + half, length)];
  };
  const [rows, columns] = [span(height), span(width)];
  return { rows, columns, partners: rng.permutation(count) };
}

/** A number from Beta(α, α). */
function beta(alpha: number, rng: Rng): number {
  const [a, b] = [gamma(positive("cutMix.alpha", alpha), rng), gamma(alpha, rng)];
  // Both round to 0 where α is tiny; the law is then that of a coin.
  return a + b > 0 ? a / (a + b) : Number(rng.uniform() < 0.5);
}

/**
 * The images with the box of another in each, [n, h, w, c], and soft labels, [n, classes], in which each of the two has
 * weight by its share of the area.
 */
export function cutMixed(
  images: Tensor,
  labels: Labels,
  { partners, rows, columns }: CutMix,
  classes: number,
): { images: Tensor; labels: Tensor } {
  const { engine } = images;
  const [n, h, w] = images.shape as [number, number, number, number];
  const inside = new Float32Array(h * w);
  for (let row = rows[0]; row < rows[1]; row++) inside.fill(1, row * w + columns[0], row * w + columns[1]);
  const box = engine.tensor([1, h, w, 1], inside);
  const order = engine.indices(partners);
  const share = ((rows[1] - rows[0]) * (columns[1] - columns[0])) / (h * w);
  const soft = isTensor(labels) ? labels : engine.tensor([n, classes], oneHot(labels, classes));
  return {
    images: images.mul(box.neg().add(1)).add(images.gather(order).mul(box)),
    labels: soft.mul(1 - share).add(soft.gather(order).mul(share)),
  };
}

function oneHot(labels: Int32Array, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => (rows[i * classes + label] = 1));
  return rows;
}
