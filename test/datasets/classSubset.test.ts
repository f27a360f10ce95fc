import { describe, expect, test } from "@jest/globals";
import { usualAugmentation } from "../../src/datasets/augment.ts";
import { classCounts, classSubset, type Dataset, wholeClassNames } from "../../src/datasets/dataset.ts";

/** An image of one pixel for each label, whose value is its position. */
function made(labels: readonly number[], classNames: readonly string[]): Dataset {
  return {
    name: "made",
    classNames,
    classFolders: classNames.map((name) => `n0${name}`),
    imageShape: [1, 1, 1],
    pixels: Uint8Array.from(labels.keys()),
    labels: Int32Array.from(labels),
    mean: [0.25],
    std: [0.5],
  };
}

const whole = made([0, 1, 2, 3, 3, 2, 1, 0, 3], ["a", "b", "c", "d"]);

test("the images of the classes asked for are kept in data set order and numbered anew", () => {
  const { subset, indices } = classSubset(whole, [3, 1]);
  expect([...indices]).toEqual([1, 3, 4, 6, 8]);
  expect([...subset.pixels]).toEqual([1, 3, 4, 6, 8]);
  expect([...subset.labels]).toEqual([1, 0, 0, 1, 0]);
  expect(subset.classNames).toEqual(["d", "b"]);
  expect(subset.classFolders).toEqual(["n0d", "n0b"]);
  expect(classCounts(subset)).toEqual([3, 2]);
});

test("constants of normalization stay those of the whole", () => {
  const { subset } = classSubset(whole, [0, 2]);
  expect([subset.mean, subset.std, subset.name]).toEqual([[0.25], [0.5], "made"]);
});

test("a subset of a subset knows the whole", () => {
  const some = classSubset(whole, [3, 1, 0]).subset;
  const fewer = classSubset(some, [2, 0]).subset;
  expect(fewer.classNames).toEqual(["a", "d"]);
  expect(wholeClassNames(fewer)).toEqual(["a", "b", "c", "d"]);
  expect([...fewer.pixels]).toEqual([0, 3, 4, 7, 8]);
});

test("some of the ten digits are no more flipped than all of them", () => {
  const digits = "0 1 2 3 4 5 6 7 8 9".split(" ");
  const { subset } = classSubset(made([...digits.keys()], digits), [3, 7]);
  expect(usualAugmentation(wholeClassNames(subset))).not.toContain("flip");
  expect(usualAugmentation(wholeClassNames(classSubset(whole, [0, 1]).subset))).toContain("flip");
});

describe("what is no subset", () => {
  test.each([
    [
      [2],
      "labels: expected two or more classes of made, as there is nothing to tell apart otherwise, got [2]",
    ],
    [[0, 4], "labels: expected classes of made, 0 to 3, got 4"],
    [[0, -1], "labels: expected classes of made, 0 to 3, got -1"],
    [[0, 1.5], "labels: expected classes of made, 0 to 3, got 1.5"],
    [[0, 1, 0], "labels: expected every class once, got 0 twice"],
  ])("%j", (labels, message) => {
    expect(() => classSubset(whole, labels)).toThrow(message);
  });
});
