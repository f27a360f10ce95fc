import { normalized } from "../src/datasets/dataset.ts";
import type { Tensor } from "../src/engines/index.ts";
import type { Source } from "../src/objectives/objective.ts";
import { normalizedValues } from "../src/runs/space.ts";
import { writeWhole } from "./files.ts";
import { imageGrid } from "./images.ts";
import { fileOf, type RunFolder } from "./runFolder.ts";

/** Most of the time that pictures of a run under way may take: for ten classes of CIFAR's size one takes 60 ms. */
const SHARE = 0.01;

/** Writes images.png: the synthetic images as they are now, mosaics as such. */
export async function writeImages(run: RunFolder, source: Source, images: Tensor): Promise<void> {
  writeWhole(fileOf(run, "images"), await gridOf(source, normalizedValues(images, source.real)));
}

/** Writes real.png: the first real images of each class, as many as there are synthetic ones. */
export async function writeRealImages(run: RunFolder, source: Source): Promise<void> {
  const { real, classes, imagesPerClass } = source;
  const firsts = classes.flatMap((members) =>
    Array.from({ length: imagesPerClass }, (_, i) => members[i % members.length]!),
  );
  writeWhole(fileOf(run, "real"), await gridOf(source, normalized(real, firsts)));
}

/**
 * Keeps images.png of a run under way up to date, so that it can be watched. Where it is called more often than that is
 * worth, it leaves the picture as it is.
 *
 * @param now seconds of a clock that never goes back.
 */
export function interimImages(
  run: RunFolder,
  source: Source,
  now = (): number => performance.now() / 1000,
): (images: Tensor) => Promise<void> {
  let next = -Infinity;
  return async (images) => {
    const begun = now();
    if (begun < next) return;
    await writeImages(run, source, images);
    const ended = now();
    next = ended + (ended - begun) / SHARE;
  };
}

function gridOf({ real, labels }: Source, images: ArrayLike<number>): Promise<Buffer> {
  const { imageShape, classNames, mean, std } = real;
  return imageGrid({ images, imageShape, labels, classes: classNames.length, mean, std });
}
