import type { Rng } from "../core/rng.ts";
import type { ImageShape } from "../core/shape.ts";
import { augment, drawAugmentation, type Strategy } from "../datasets/augment.ts";
import {
  condensationAugmented,
  type CondensationStrategy,
  drawCondensation,
} from "../datasets/condensationAugment.ts";
import type { Tensor } from "../engines/index.ts";

/**
 * How the images of a mini-batch are augmented while a network is trained: by siamese augmentation's operations, one
 * alternative for the mini-batch with parameters of its own for each image, or as dataset condensation does, each image by an
 * operation of its own. An empty list for none.
 */
export type TrainingAugmentation = Strategy | CondensationStrategy;

/** Rolls the dice of one mini-batch's augmentation. @returns what makes the augmented images of it. */
export function drawnAugmentation(
  strategy: TrainingAugmentation,
  count: number,
  imageShape: ImageShape,
  rng: Rng,
): (images: Tensor) => Tensor {
  if ("condensation" in strategy) {
    const changes = drawCondensation(strategy, count, imageShape, rng);
    return (images) => condensationAugmented(images, changes);
  }
  const augmentation = drawAugmentation(strategy, count, imageShape, rng);
  return (images) => augment(images, augmentation);
}
