import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { classIndices, type Dataset, normalized, subset } from "../../src/datasets/dataset.ts";
import { cellOrders, decodedValues } from "../../src/datasets/partition.ts";
import { initialImages, type InitialOptions, initialSet } from "../../src/distillers/initialize.ts";
import { selectEngine } from "../../src/engines/index.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { toySource } from "../support/toy.ts";

const { engine } = await selectEngine("tfjs");
afterAll(() => engine.close());

/** 4×4 images, each of one shade that no other has: 9 of the first class and 7 of the second. */
const labels = Int32Array.from({ length: 16 }, (_, i) => (i < 9 ? 0 : 1));
const real: Dataset = {
  name: "shades",
  classNames: ["a", "b"],
  imageShape: [4, 4, 1],
  pixels: Float32Array.from({ length: 16 * 16 }, (_, i) => Math.floor(i / 16)),
  labels,
  mean: [0],
  std: [1],
};
const whole: Source = {
  ...toySource(engine),
  real,
  classes: classIndices(real),
  labels: Int32Array.of(0, 0, 1, 1),
};
const source: Source = { ...whole, partition: { factor: 2, order: "columns" } };
const options: InitialOptions = { initialization: "random", scarcity: "duplicate" };
const shadesOf = (images: ArrayLike<number>): number[] => Array.from(images).filter((_, i) => i % 16 === 0);

describe.each(cellOrders)("mosaics whose cells come by %s start", (order) => {
  const partition = { factor: 2, order } as const;
  const start = initialImages({ ...source, partition }, options, seeded(4));
  const shades = shadesOf(decodedValues(start.values(), [4, 4, 1], partition));

  test("with a real image of the class in each cell, all different where there are enough", () => {
    expect(start.shape).toEqual([4, 4, 4, 1]);
    expect(shades).toHaveLength(16);
    for (const shade of shades.slice(0, 8)) expect(shade).toBeLessThan(9);
    expect(new Set(shades.slice(0, 8)).size).toBe(8);
  });

  test("with all images of a smaller class, and as few of them twice as need be", () => {
    expect(new Set(shades.slice(8))).toEqual(new Set([9, 10, 11, 12, 13, 14, 15]));
  });

  test("with the images that as many whole ones would be", () => {
    const eightEach = { ...whole, imagesPerClass: 8, labels: new Int32Array(16) };
    expect(shades).toEqual(shadesOf(initialImages(eightEach, options, seeded(4)).values()));
  });
});

test("a class with fewer images than cells is an error where the policy is that", () => {
  expect(() => initialImages(source, { ...options, scarcity: "error" }, seeded(4))).toThrow(
    "class 1: expected at least 8 images to choose from, one for each synthetic one or for each of its cells, got 7",
  );
});

test("real images are made small as the options say", () => {
  const ramp = { ...real, pixels: Float32Array.from({ length: 256 }, (_, i) => i % 16) };
  const started = (downscale: "mean" | "nearest"): number[] => {
    const made = initialImages(
      { ...source, real: ramp },
      { ...options, partition: { downscale } },
      seeded(4),
    );
    return Array.from(made.values()).slice(0, 4);
  };
  // Rows 0 … 3 and 4 … 7 of every image: means of 0, 1, 4, 5 and 2, 3, 6, 7; two cells side by side.
  expect(started("mean")).toEqual([2.5, 4.5, 2.5, 4.5]);
  expect(started("nearest")).toEqual([0, 2, 0, 2]);
});

test("noise is noise in mosaics too", () => {
  const noise = { ...options, initialization: "noise" } as const;
  const values = initialImages(source, noise, seeded(4)).values();
  expect(values).toEqual(initialImages(whole, noise, seeded(4)).values());
});

describe("images that a coreset chooses", () => {
  const toy = toySource(engine);
  const herding = { name: "herding", networks: { epochs: 1 } } as const;
  const started = (from: Source) =>
    initialSet(from, { initialization: herding, scarcity: "error" }, seeded(4));

  test("start a run, in the order in which they were chosen", () => {
    const { images, selection } = started(toy);
    expect(Array.from(images.values())).toEqual(Array.from(normalized(toy.real, selection!.positions)));
    const other = initialSet(toy, { initialization: "random", scarcity: "error" }, seeded(4));
    expect(selection!.positions).not.toEqual(other.selection!.positions);
  });

  test("come from a pool where there is one", () => {
    const pool = subset(toy.real, [17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    const { images, selection } = started({ ...toy, pool });
    expect(Array.from(images.values())).toEqual(Array.from(normalized(pool, selection!.positions)));
  });

  test("fill the cells of mosaics", () => {
    const mosaic = { ...toy, partition: { factor: 2, order: "columns" }, imagesPerClass: 1 } as const;
    const one = { ...mosaic, classes: toy.classes.slice(0, 2), labels: Int32Array.of(0, 1) };
    expect(started(one).selection!.positions).toHaveLength(8);
    expect(started(one).images.shape).toEqual([2, 8, 8, 3]);
  });
});

test("noise has no selection", () => {
  expect(
    initialSet(whole, { initialization: "noise", scarcity: "error" }, seeded(1)).selection,
  ).toBeUndefined();
});
