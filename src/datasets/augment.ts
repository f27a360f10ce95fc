import { check, oneOf, wholeNumber } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { bind, type ImageShape } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { color } from "./augmentColor.ts";
import { crop, cutout, flip, rotate, scale } from "./augmentGeometry.ts";

/** An operation of differentiable siamese augmentation: its dice, and what it does to images. */
export interface Operation<P> {
  /** Parameters for one image. */
  draw(rng: Rng, imageShape: ImageShape): P;
  /** The images, [n, h, w, c], changed by one set of parameters, or each by its own. Differentiable in the images. */
  apply(images: Tensor, sets: readonly P[]): Tensor;
}

/**
 * The operations of differentiable siamese augmentation (Zhao & Bilen 2021), with the ranges of its code. Images are
 * normalized; what moves in from outside is 0, the mean color.
 */
const operations = { color, crop, cutout, flip, scale, rotate };

/** Name of an operation of differentiable siamese augmentation. */
export type AugmentationOp = keyof typeof operations;

type ParametersOf<T> = T extends Operation<infer P> ? P : never;

/**
 * One operation with its parameters, plain data: one set for all images ("siamese"), or one for each.
 * `op: "none"` leaves images as they are.
 */
export type Augmentation =
  | { readonly op: "none" }
  | {
      readonly [Op in AugmentationOp]: {
        readonly op: Op;
        readonly sets: readonly ParametersOf<(typeof operations)[Op]>[];
      };
    }[AugmentationOp];

/**
 * The operations that a strategy names: "color_crop_cutout_flip_scale_rotate", or "none" for none.
 *
 * @throws InputError for an unknown or repeated name.
 */
export function parseStrategy(strategy: string): AugmentationOp[] {
  if (strategy === "none") return [];
  const ops = strategy.split("_");
  for (const op of ops) oneOf("augmentation", operations, op);
  check(
    new Set(ops).size === ops.length,
    () => `augmentation: expected every operation once, got ${strategy}`,
  );
  return ops as AugmentationOp[];
}

/**
 * Rolls the dice of one augmentation: one operation, uniformly from the strategy, and its parameters.
 *
 * @param strategy empty for none.
 * @param count "siamese" for one set of parameters that any number of images share, or the number of images that get
 *   independent ones. The first image's are the siamese ones.
 */
export function drawAugmentation(
  strategy: readonly AugmentationOp[],
  count: number | "siamese",
  imageShape: ImageShape,
  rng: Rng,
): Augmentation {
  if (strategy.length === 0) return { op: "none" };
  const op = strategy[rng.integer(strategy.length)]!;
  const images = count === "siamese" ? 1 : wholeNumber("augmentation count", count, 1);
  const sets = Array.from({ length: images }, () => operations[op].draw(rng, imageShape));
  return { op, sets } as Augmentation;
}

/**
 * The augmented images, [n, h, w, c].
 *
 * Differentiable in the images to any order: every operation is linear in them but for the constants that color adds.
 *
 * @throws InputError where the augmentation was drawn for another number of images.
 */
export function augment(images: Tensor, augmentation: Augmentation): Tensor {
  const { n } = bind("augment", [images, "n h w c"]);
  if (augmentation.op === "none") return images;
  const { op, sets } = augmentation;
  check(
    sets.length === 1 || sets.length === n,
    () => `augment: expected parameters for ${n} images or one set for all, got ${sets.length} sets`,
  );
  const operation: Operation<unknown> = operations[op];
  return operation.apply(images, sets);
}
