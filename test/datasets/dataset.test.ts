import { describe, expect, test } from "@jest/globals";
import {
  checkedDataset,
  classCounts,
  classIndices,
  type Dataset,
  normalized,
  subset,
} from "../../src/datasets/dataset.ts";

const toy: Dataset = {
  name: "toy",
  classNames: ["a", "b"],
  imageShape: [1, 2, 2],
  pixels: Uint8Array.of(0, 255, 51, 102, 1, 2, 3, 4, 5, 6, 7, 8),
  labels: Int32Array.of(1, 0, 1),
  mean: [0.2, 0.4],
  std: [0.5, 0.2],
};

test("classes are found by label", () => {
  expect(classIndices(toy).map((list) => [...list])).toEqual([[1], [0, 2]]);
  expect(classCounts(toy)).toEqual([1, 2]);
});

test("a subset holds the images asked for, in that order, repeats included", () => {
  const chosen = subset(toy, [2, 0, 2]);
  expect([...chosen.pixels]).toEqual([5, 6, 7, 8, 0, 255, 51, 102, 5, 6, 7, 8]);
  expect([...chosen.labels]).toEqual([1, 1, 1]);
});

test("pixels are divided by 255, centered and scaled by their channel", () => {
  // (0 − 0.2)/0.5 = −0.4; (1 − 0.4)/0.2 = 3; (0.2 − 0.2)/0.5 = 0; (0.4 − 0.4)/0.2 = 0
  const values = normalized(toy, [0]);
  [-0.4, 3, 0, 0].forEach((value, i) => expect(values[i]).toBeCloseTo(value, 6));
});

test("one array takes batches of any size up to its own", () => {
  const pixels = new Float32Array(3 * 4);
  const fresh = normalized(toy, [2, 1]);
  expect([...normalized(toy, [2, 1], pixels)]).toEqual([...fresh]);
  expect([...normalized(toy, [0], pixels)]).toEqual([...normalized(toy, [0])]);
  expect([...pixels.subarray(4, 8)]).toEqual([...fresh.subarray(4)]);
});

describe("checkedDataset", () => {
  test("returns what is in order", () => {
    expect(checkedDataset(toy)).toBe(toy);
  });

  test("names lengths that do not agree", () => {
    expect(() => checkedDataset({ ...toy, pixels: new Uint8Array(11) })).toThrow(
      "toy: expected 3 images of 1×2×2, got 11 pixel values",
    );
  });

  test("names a label out of range", () => {
    expect(() => checkedDataset({ ...toy, labels: Int32Array.of(0, 1, -1) })).toThrow(
      "toy: label of image 2: expected 0 to 1, got -1",
    );
  });

  test("names a class without images", () => {
    expect(() => checkedDataset({ ...toy, labels: Int32Array.of(1, 1, 1) })).toThrow(
      "toy: class 0 (a): expected at least 1 image, got none",
    );
  });
});
