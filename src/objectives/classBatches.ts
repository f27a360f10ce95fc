import type { Rng } from "../core/rng.ts";
import { augment, type Augmentation, drawAugmentation } from "../datasets/augment.ts";
import { cellsOf, decoded } from "../datasets/partition.ts";
import type { Tensor } from "../engines/index.ts";
import type { Source } from "./objective.ts";
import { type ClassRows, eachClass } from "./term.ts";

/** Positions of up to `count` real images of each class, without replacement; of a class that has fewer all of them. */
export function realBatches({ classes }: Source, count: number, rng: Rng): Int32Array[] {
  return classes.map((members, label) =>
    rng
      .stream(`real/${label}`)
      .permutation(members.length)
      .subarray(0, count)
      .map((i) => members[i]!),
  );
}

/** One siamese augmentation for each class, which its real and synthetic images share. */
export function classAugmentations({ classes, augmentation, real }: Source, rng: Rng): Augmentation[] {
  return classes.map((_, label) =>
    drawAugmentation(augmentation, "siamese", real.imageShape, rng.stream(`augmentation/${label}`)),
  );
}

/** Images with the augmentation of their class. */
export function augmented(images: ClassRows, augmentations: readonly Augmentation[]): Tensor {
  const parts = eachClass(images).map(({ label, values }) => augment(values, augmentations[label]!));
  return images.values.engine.concat(parts);
}

/** Synthetic images of a class that networks see, which the stored ones may be mosaics of. */
export function seenPerClass({ imagesPerClass, partition }: Source): number {
  return imagesPerClass * (partition ? cellsOf(partition) : 1);
}

/** Stored synthetic images of consecutive classes, out of all. */
export function storedImages(classes: readonly number[], images: Tensor, { imagesPerClass }: Source): Tensor {
  const [, ...shape] = images.shape;
  return images.slice([classes[0]! * imagesPerClass, 0, 0, 0], [classes.length * imagesPerClass, ...shape]);
}

/** Some classes' stored synthetic images, of mosaics their cells. */
export function decodedRows(classes: readonly number[], stored: Tensor, source: Source): ClassRows {
  const { partition } = source;
  const counts = classes.map(() => seenPerClass(source));
  return { classes, counts, values: partition ? decoded(stored, partition) : stored };
}

/** The class of each row. */
export function labelsOf({ classes, counts }: Omit<ClassRows, "values">): Int32Array {
  return Int32Array.from(classes.flatMap((label, i) => new Array<number>(counts[i]!).fill(label)));
}
