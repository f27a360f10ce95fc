import { check } from "../core/errors.ts";
import { seeded } from "../core/rng.ts";
import type { Splits } from "./dataset.ts";
import {
  type DecodedImage,
  type ImageEntry,
  imageOptions,
  type ImageSelection,
  parsedOptions,
} from "./entry.ts";
import { imageSplits } from "./imageSplits.ts";

/** Class names in label order: as asked for, or sorted as text ("10" before "2"), as torchvision does. */
function classNamesOf(images: readonly DecodedImage[], asked?: readonly string[]): readonly string[] {
  const names = [...new Set(images.map(({ className }) => className))].sort();
  return asked !== undefined && asked.length === names.length && asked.every((name) => names.includes(name))
    ? asked
    : names;
}

/** Holds out a random `fraction` of each class, at least one image; the others stay for training. */
function heldOut(images: readonly DecodedImage[], fraction: number, seed: number) {
  const train: DecodedImage[] = [];
  const test: DecodedImage[] = [];
  for (const name of classNamesOf(images)) {
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
  layout: "classFolders",
  selection(options): ImageSelection {
    const { classes, side, channels } = parsedOptions("folder", imageOptions, options);
    return { channels, ...(classes && { folders: classes }), ...(side !== undefined && { side }) };
  },
  read(images, options): Splits {
    const { testFraction, splitSeed, classes } = parsedOptions("folder", imageOptions, options);
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
    const classNames = classNamesOf(train, classes);
    const testNames = classNamesOf(test, classes);
    check(
      classNames.join("/") === testNames.join("/"),
      () =>
        `folder: expected test images of the same classes as training images (${classNames.join(", ")}), ` +
        `got ${testNames.join(", ") || "none"}`,
    );
    const named = classNames.map((name) => ({ folder: name, name }));
    return imageSplits({ name: "folder", classes: named }, train, test);
  },
} satisfies ImageEntry;
