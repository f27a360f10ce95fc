import { check, InputError } from "../core/errors.ts";
import { seeded } from "../core/rng.ts";
import { type ImageShape, sizeOf } from "../core/shape.ts";
import { checkedDataset, type Dataset, type Splits } from "./dataset.ts";
import { type DecodedImage, type ImageEntry, imageOptions, parsedOptions } from "./entry.ts";
import { type ChannelStatistics, normalization } from "./statistics.ts";

/** Images as a data set, normalized by the given constants or by their own. */
function dataset(
  classNames: readonly string[],
  images: readonly DecodedImage[],
  imageShape: ImageShape,
  by?: ChannelStatistics,
): Dataset {
  const size = sizeOf(imageShape);
  const pixels = new Uint8Array(images.length * size);
  images.forEach((image, i) => pixels.set(image.pixels, i * size));
  const numbers = new Map(classNames.map((name, label) => [name, label]));
  const labels = Int32Array.from(images, ({ className }) => numbers.get(className)!);
  const { mean, std } = by ?? normalization("folder", pixels, imageShape[2]);
  return checkedDataset({ name: "folder", classNames, imageShape, pixels, labels, mean, std });
}

/** @throws InputError where there are no images, or two sizes. */
function commonShape(images: readonly DecodedImage[]): ImageShape {
  const [first] = images;
  if (first === undefined) throw new InputError("folder: expected at least 1 image, got none");
  const other = images.find(({ shape }) => shape.some((length, axis) => length !== first.shape[axis]));
  check(
    other === undefined,
    () =>
      `folder: expected images of one size, got ${first.shape.join("×")} (${first.path}) and ` +
      `${other!.shape.join("×")} (${other!.path}); set side to resize them all`,
  );
  return first.shape;
}

/** Class names in label order: sorted as text ("10" before "2"), as torchvision does. */
function sortedClassNames(images: readonly DecodedImage[]): string[] {
  return [...new Set(images.map(({ className }) => className))].sort();
}

/** Holds out a random `fraction` of each class, at least one image; the others stay for training. */
function heldOut(images: readonly DecodedImage[], fraction: number, seed: number) {
  const train: DecodedImage[] = [];
  const test: DecodedImage[] = [];
  for (const name of sortedClassNames(images)) {
    const members = images.filter(({ className }) => className === name);
    check(
      members.length >= 2,
      () =>
        `folder: class ${name}: expected at least 2 images to hold one out for testing, got ${members.length}`,
    );
    const order = seeded(seed).stream(`heldOut/${name}`).permutation(members.length);
    const count = Math.min(members.length - 1, Math.max(1, Math.round(members.length * fraction)));
    const chosen = new Set(order.subarray(0, count));
    members.forEach((image, i) => (chosen.has(i) ? test : train).push(image));
  }
  return { train, test };
}

/** A folder of images with a subfolder per class; mean and deviation are those of the training images. */
export const folder = {
  summary:
    "your own images: ROOT/train/CLASS/*.png and ROOT/test/CLASS/*.png, or ROOT/CLASS/*.png with testFraction",
  options: imageOptions,
  from: "images",
  read(images, options): Splits {
    const { testFraction, splitSeed } = parsedOptions("folder", imageOptions, options);
    check((images.test === undefined) === (testFraction !== undefined), () =>
      images.test === undefined
        ? "folder.testFraction: expected a fraction, as there is no folder of test images, got none; " +
          "set it, for instance to 0.2, or add the folder"
        : `folder.testFraction: expected none, as there is a folder of test images, got ${testFraction}`,
    );
    const { train, test } =
      images.test === undefined
        ? heldOut(images.train, testFraction!, splitSeed)
        : { train: images.train, test: images.test };
    const classNames = sortedClassNames(train);
    const testNames = sortedClassNames(test);
    check(
      classNames.join("/") === testNames.join("/"),
      () =>
        `folder: expected test images of the same classes as training images (${classNames.join(", ")}), ` +
        `got ${testNames.join(", ") || "none"}`,
    );
    const shape = commonShape([...train, ...test]);
    const training = dataset(classNames, train, shape);
    return { train: training, test: dataset(classNames, test, shape, training) };
  },
} satisfies ImageEntry;
