import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { augment, drawAugmentation, type Strategy } from "../datasets/augment.ts";
import { classIndices, type Dataset, normalized } from "../datasets/dataset.ts";
import { sizeOf } from "../core/shape.ts";
import type { Engine } from "../engines/index.ts";

/** How real images become a pool to choose from. */
export interface AugmentedPoolOptions {
  /** Images of each class; 1 or more. */
  readonly perClass: number;
  /** Operations to draw from for each image; empty to leave images as they are. */
  readonly strategy: Strategy;
}

/** A pool, and which real image each of its images is made of. */
export interface AugmentedPool {
  /** As numbers where white is 1; some lie beyond black and white. */
  readonly dataset: Dataset;
  /** Positions in the real images, [n]. */
  readonly positions: Int32Array;
}

/**
 * Random real images of each class, each augmented by an operation of its own with parameters of its own. A class with fewer
 * images is gone through again, in the same order and with other augmentations.
 *
 * @throws InputError for whitened images, and for a class without any.
 */
export function augmentedPool(
  real: Dataset,
  { perClass, strategy }: AugmentedPoolOptions,
  engine: Engine,
  rng: Rng,
): AugmentedPool {
  check(
    real.whitening === undefined,
    () => "augmentedPool: expected images that are not whitened, got whitened ones; augment pixels instead",
  );
  const positions = classIndices(real).flatMap((members, label) => {
    const name = real.classNames[label]!;
    check(members.length > 0, () => `augmentedPool: class ${label} (${name}): expected images, got none`);
    const order = rng.stream(`class/${label}`).permutation(members.length);
    return Array.from({ length: perClass }, (_, i) => members[order[i % members.length]!]!);
  });
  const size = sizeOf(real.imageShape);
  const pixels = new Float32Array(positions.length * size);
  const dice = rng.stream("augmentation");
  positions.forEach((at, i) => {
    const augmentation = drawAugmentation(strategy, 1, real.imageShape, dice);
    const values = engine.scope(() => {
      const image = engine.tensor([1, ...real.imageShape], normalized(real, [at]));
      return augment(image, augmentation).values();
    });
    pixels.set(pixelsOf(values, real), i * size);
  });
  return {
    dataset: {
      ...real,
      name: "augmented",
      pixels,
      labels: Int32Array.from(positions, (at) => real.labels[at]!),
    },
    positions: Int32Array.from(positions),
  };
}

function pixelsOf(values: ArrayLike<number>, { mean, std }: Dataset): Float32Array {
  const channels = mean.length;
  return Float32Array.from(values, (value, i) => value * std[i % channels]! + mean[i % channels]!);
}
