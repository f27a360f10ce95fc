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

/** What may be drawn: an operation, or several of them that are applied one after another. */
export type Alternative = AugmentationOp | readonly AugmentationOp[];

/** Alternatives, one of which is drawn at a time, each as often as any other; empty for no augmentation. */
export type Strategy = readonly Alternative[];

/** One operation with its parameters: one set for all images ("siamese"), or one for each. */
export type SingleAugmentation = {
  readonly [Op in AugmentationOp]: {
    readonly op: Op;
    readonly sets: readonly ParametersOf<(typeof operations)[Op]>[];
  };
}[AugmentationOp];

/** What was drawn, as plain data; `op: "none"` leaves images as they are. */
export type Augmentation =
  | { readonly op: "none" }
  | SingleAugmentation
  | {
      readonly op: "all";
      /** SingleAugmentation one after another. */
      readonly parts: readonly SingleAugmentation[];
    };

/**
 * The alternatives that a strategy names: "color_crop_flip" for one of the three at a time, "color+crop+cutout" for all
 * three one after another, "color+crop_flip" for either both of the first or the last, "none" for no augmentation.
 *
 * @throws InputError for an unknown name, one that is repeated within an alternative, and a repeated alternative.
 */
export function parseStrategy(strategy: string): Alternative[] {
  if (strategy === "none") return [];
  const alternatives = strategy.split("_").map((names) => {
    const ops = names.split("+");
    for (const op of ops) oneOf("augmentation", operations, op);
    return ops as AugmentationOp[];
  });
  const distinct = (names: readonly string[]): boolean => new Set(names).size === names.length;
  check(
    alternatives.every(distinct) && distinct(strategy.split("_")),
    () => `augmentation: expected every operation once, got ${strategy}`,
  );
  return alternatives.map((ops) => (ops.length === 1 ? ops[0]! : ops));
}

/**
 * The strategy without an operation.
 *
 * @returns alternatives that nothing is left of are left out.
 */
export function without(strategy: Strategy, unwanted: AugmentationOp): Alternative[] {
  return strategy.flatMap((alternative): Alternative[] => {
    const ops = [alternative].flat().filter((op) => op !== unwanted);
    return ops.length > 1 ? [ops] : ops;
  });
}

const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** The strategy for a set of classes: without flip where they are the ten digits, whose mirror images are none. */
export function augmentationFor(strategy: Strategy, classNames: readonly string[]): Strategy {
  const areDigits = classNames.length === digits.length && classNames.every((name, i) => name === digits[i]);
  return areDigits ? without(strategy, "flip") : strategy;
}

/** What published methods augment by, of a set of classes: one operation at a time of all that suit them. */
export function usualAugmentation(classNames: readonly string[]): Strategy {
  return augmentationFor(Object.keys(operations) as AugmentationOp[], classNames);
}

/**
 * Rolls the dice of one augmentation: an alternative, uniformly from the strategy, and the parameters of its operations.
 *
 * @param count "siamese" for one set of parameters that any number of images share, or the number of images that get
 *   independent ones. The first image's are the siamese ones, where the alternative is a single operation.
 */
export function drawAugmentation(
  strategy: Strategy,
  count: number | "siamese",
  imageShape: ImageShape,
  rng: Rng,
): Augmentation {
  if (strategy.length === 0) return { op: "none" };
  const alternative = strategy[rng.integer(strategy.length)]!;
  const images = count === "siamese" ? 1 : wholeNumber("augmentation count", count, 1);
  const applied = (op: AugmentationOp): SingleAugmentation =>
    ({
      op,
      sets: Array.from({ length: images }, () => operations[op].draw(rng, imageShape)),
    }) as SingleAugmentation;
  if (typeof alternative === "string") return applied(alternative);
  return { op: "all", parts: alternative.map(applied) };
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
  const parts = augmentation.op === "all" ? augmentation.parts : [augmentation];
  return parts.reduce((x, { op, sets }) => {
    check(
      sets.length === 1 || sets.length === n,
      () => `augment: expected parameters for ${n} images or one set for all, got ${sets.length} sets`,
    );
    const operation: Operation<unknown> = operations[op];
    return operation.apply(x, sets);
  }, images);
}
