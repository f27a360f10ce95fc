import { expect, test } from "@jest/globals";
import { classCounts } from "../../src/datasets/dataset.ts";
import type { DecodedImage } from "../../src/datasets/entry.ts";
import { folder } from "../../src/datasets/imageFolder.ts";

const image = (className: string, value: number, side = 2): DecodedImage => ({
  path: `${className}/${value}.png`,
  className,
  shape: [side, side, 1],
  pixels: new Uint8Array(side * side).fill(value),
});

const several = (className: string, count: number, first = 0): DecodedImage[] =>
  Array.from({ length: count }, (_, i) => image(className, first + i));

test("classes are numbered by name as text, and images keep their order", () => {
  const train = [image("9", 1), image("10", 2), image("9", 3)];
  const { train: dataset, test: held } = folder.read({ train, test: [image("10", 4), image("9", 5)] }, {});
  expect(dataset.classNames).toEqual(["10", "9"]);
  expect([...dataset.labels]).toEqual([1, 0, 1]);
  expect([...dataset.pixels]).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  expect([...held.labels]).toEqual([0, 1]);
});

test("test images are normalized by the constants of the training images", () => {
  const train = [image("a", 0), image("b", 255)];
  const { train: dataset, test: held } = folder.read({ train, test: [image("a", 9), image("b", 9)] }, {});
  expect(dataset.mean).toEqual([0.5]);
  expect([held.mean, held.std]).toEqual([dataset.mean, dataset.std]);
});

test("without test images, the same fraction of every class is held out", () => {
  const images = [...several("a", 10), ...several("b", 20, 100)];
  const { train, test: held } = folder.read({ train: images }, { testFraction: 0.2 });
  expect(classCounts(held)).toEqual([2, 4]);
  expect(classCounts(train)).toEqual([8, 16]);
  const values = [...train.pixels, ...held.pixels].filter((_, i) => i % 4 === 0);
  expect(values.sort((a, b) => a - b)).toEqual(images.map(({ pixels }) => pixels[0]));
});

test("what is held out depends on the seed alone", () => {
  const images = [...several("a", 30), ...several("b", 30, 100)];
  const heldAt = (splitSeed: number): ArrayLike<number> =>
    folder.read({ train: images }, { testFraction: 0.5, splitSeed }).test.pixels;
  expect(heldAt(1)).toEqual(heldAt(1));
  expect(heldAt(1)).not.toEqual(heldAt(2));
});

test("a small class still gives one image to each side", () => {
  const { train, test: held } = folder.read(
    { train: [...several("a", 2), ...several("b", 9, 50)] },
    { testFraction: 0.9 },
  );
  expect([classCounts(train)[0], classCounts(held)[0]]).toEqual([1, 1]);
  expect(() => folder.read({ train: [image("a", 1), ...several("b", 2)] }, { testFraction: 0.5 })).toThrow(
    "folder: class a: expected at least 2 images to hold one out for testing, got 1",
  );
});

test("a fraction is needed exactly where there are no test images", () => {
  const images = several("a", 4);
  expect(() => folder.read({ train: images }, {})).toThrow("folder.testFraction: expected a fraction");
  expect(() => folder.read({ train: images, test: images }, { testFraction: 0.5 })).toThrow(
    "folder.testFraction: expected none, as there is a folder of test images, got 0.5",
  );
});

test("images of two sizes are named, with what to do", () => {
  expect(() => folder.read({ train: [image("a", 1), image("a", 2, 3)], test: [image("a", 3)] }, {})).toThrow(
    "folder: expected images of one size, got 2×2×1 (a/1.png) and 3×3×1 (a/2.png); set side to resize them all",
  );
  expect(() => folder.read({ train: several("a", 2), test: [image("a", 3, 4)] }, {})).toThrow(
    "got 2×2×1 (a/0.png) and 4×4×1 (a/3.png); set side to resize them all",
  );
});

test("test images must be of the training classes", () => {
  expect(() => folder.read({ train: several("a", 2), test: [image("b", 1)] }, {})).toThrow(
    "folder: expected test images of the same classes as training images (a), got b",
  );
});
