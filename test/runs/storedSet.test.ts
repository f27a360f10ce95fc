import { describe, expect, test } from "@jest/globals";
import { arraysOf, decodedSet, setFrom, type StoredSet } from "../../src/runs/storedSet.ts";

/** Two mosaics, 4×4: of shades 0, 1, 2, 3 and 4, 5, 6, 7 from the upper left along the rows. */
const mosaics: StoredSet = {
  images: Float32Array.from({ length: 32 }, (_, i) => {
    const [image, row, column] = [i >> 4, (i >> 3) & 1, (i >> 1) & 1];
    return 4 * image + 2 * row + column;
  }),
  imageShape: [4, 4, 1],
  partition: { factor: 2, order: "columns" },
  labels: Int32Array.of(0, 1),
  softLabels: Float32Array.of(0.75, 0.25, 0.5, 0.5),
  learningRate: 0.125,
  mean: [0.5],
  std: [0.25],
  others: { temperature: { shape: [1], data: Float32Array.of(3) } },
};

describe("the set that networks are trained on", () => {
  test("has the cells of mosaics, column after column, with the labels of their mosaic", () => {
    const { images, labels, softLabels, partition, ...others } = decodedSet(mosaics);
    const shades = Array.from(images).filter((_, i) => i % 16 === 0);
    expect(shades).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(images).toEqual(Float32Array.from({ length: 8 * 16 }, (_, i) => shades[Math.floor(i / 16)]!));
    expect([...labels]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    expect([...softLabels!]).toEqual(
      [0, 0, 0, 0, 1, 1, 1, 1].flatMap((i) => (i ? [0.5, 0.5] : [0.75, 0.25])),
    );
    expect(partition).toBeUndefined();
    expect(others).toMatchObject({ learningRate: 0.125, imageShape: [4, 4, 1], others: mosaics.others });
  });

  test("is the set itself where images are whole", () => {
    const whole = { ...mosaics, partition: undefined };
    expect(decodedSet(whole)).toBe(whole);
  });
});

describe("in files", () => {
  test("mosaics are called so, and come back with their partition", () => {
    const arrays = arraysOf(mosaics);
    expect(Object.keys(arrays).sort()).toEqual(["labels", "lr", "mosaics", "soft_labels", "temperature"]);
    const { mean, std, partition } = mosaics;
    expect(setFrom("file", arrays, { mean, std, partition })).toEqual({ ...mosaics, whitening: undefined });
  });

  test("where there are images beside them, these count, and are whole", () => {
    const arrays = { ...arraysOf(decodedSet(mosaics)), mosaics: arraysOf(mosaics).mosaics! };
    const set = setFrom("file", arrays, mosaics);
    expect(set.partition).toBeUndefined();
    expect(set.images).toEqual(decodedSet(mosaics).images);
    expect(Object.keys(set.others)).toEqual(["temperature"]);
  });

  test("mosaics that nothing says the cells of are refused, and such that do not divide into them", () => {
    const { mean, std } = mosaics;
    expect(() => setFrom("file", arraysOf(mosaics), { mean, std })).toThrow(
      "file: mosaics: expected a card or metadata that says into how many cells they divide, got none; " +
        "save the decoded images as images",
    );
    const partition = { factor: 3, order: "rows" } as const;
    expect(() => setFrom("file", arraysOf(mosaics), { mean, std, partition })).toThrow(
      "file: partition: expected a factor of 2 or more that divides both sides of 4×4 images, got 3",
    );
  });
});
