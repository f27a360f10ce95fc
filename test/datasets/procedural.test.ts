import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { luma, oklch } from "../../src/datasets/color.ts";
import { classCounts, countOf, type Dataset, subset } from "../../src/datasets/dataset.ts";
import { procedural } from "../../src/datasets/procedural.ts";
import { figures } from "../../src/datasets/shapes.ts";
import { channelStatistics } from "../../src/datasets/statistics.ts";

/** Share of `held` that is nearest to the mean vector of its class in `train`. */
function nearestMeanAccuracy(
  train: number[][],
  trainLabels: Int32Array,
  held: number[][],
  heldLabels: Int32Array,
) {
  const classes = Math.max(...trainLabels) + 1;
  const means = Array.from({ length: classes }, (_, c) => {
    const members = train.filter((_, i) => trainLabels[i] === c);
    return members[0]!.map((_, k) => members.reduce((sum, vector) => sum + vector[k]!, 0) / members.length);
  });
  const hits = held.filter((vector, i) => {
    const distances = means.map((mean) => mean.reduce((sum, value, k) => sum + (value - vector[k]!) ** 2, 0));
    return distances.indexOf(Math.min(...distances)) === heldLabels[i];
  });
  return hits.length / held.length;
}

/** Mean and deviation of each channel, per image. */
function colorSummaries(dataset: Dataset): number[][] {
  return Array.from(dataset.labels, (_, i) => {
    const { mean, std } = channelStatistics(subset(dataset, [i]).pixels, dataset.imageShape[2]);
    return [...mean, ...std];
  });
}

/** An image's bytes as text, which compares fast. */
function textOf(dataset: Dataset, i: number): string {
  return Buffer.from(subset(dataset, [i]).pixels).toString("base64");
}

describe("the procedural set", () => {
  const { train, test: held } = procedural.read({ trainPerClass: 20, testPerClass: 15 });

  test("has the classes, counts and shape that are asked for", () => {
    expect(train.classNames).toEqual([...figures.keys()]);
    expect(classCounts(train)).toEqual(new Array(10).fill(20));
    expect(classCounts(held)).toEqual(new Array(10).fill(15));
    const small = procedural.read({
      classes: 3,
      trainPerClass: 2,
      testPerClass: 1,
      side: 16,
      channels: 1,
    }).train;
    expect(small.classNames).toEqual(["disk", "square", "triangle"]);
    expect(small.imageShape).toEqual([16, 16, 1]);
    expect(small.pixels).toHaveLength(6 * 256);
  });

  test("image i of a class is the same however many there are", () => {
    const few = procedural.read({ classes: 4, trainPerClass: 3, testPerClass: 2 });
    for (let i = 0; i < 3; i++) {
      for (let c = 0; c < 4; c++) {
        expect(textOf(few.train, i * 4 + c)).toBe(textOf(train, i * 10 + c));
      }
    }
    expect(textOf(few.test, 5)).toBe(textOf(held, 11));
  });

  test("another seed makes other images, and no image is made twice", () => {
    const other = procedural.read({ trainPerClass: 1, testPerClass: 1, seed: 1 }).train;
    other.labels.forEach((_, i) => expect(textOf(other, i)).not.toBe(textOf(train, i)));
    const all = [train, held].flatMap((set) => Array.from(set.labels, (_, i) => textOf(set, i)));
    expect(new Set(all).size).toBe(countOf(train) + countOf(held));
  });

  test("colors and contrast tell the class no better than chance", () => {
    const accuracy = nearestMeanAccuracy(
      colorSummaries(train),
      train.labels,
      colorSummaries(held),
      held.labels,
    );
    const standardError = Math.sqrt((0.1 * 0.9) / countOf(held));
    expect(Math.abs(accuracy - 0.1)).toBeLessThan(5 * standardError);
  });

  test("without rotation, clutter and noise a picture at twice the side shows the same", () => {
    const plain = { classes: 4, trainPerClass: 1, testPerClass: 1, clutter: 0, noise: 0 };
    const coarse = procedural.read({ ...plain, side: 32 }).train;
    const fine = procedural.read({ ...plain, side: 64 }).train;
    let difference = 0;
    for (let i = 0; i < coarse.pixels.length; i++) {
      const [c, x, y, n] = [i % 3, Math.floor(i / 3) % 32, Math.floor(i / 96) % 32, Math.floor(i / 3072)];
      const at = (dy: number, dx: number): number =>
        fine.pixels[n! * 12288 + ((2 * y! + dy) * 64 + 2 * x! + dx) * 3 + c!]!;
      difference += Math.abs(coarse.pixels[i]! - (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4);
    }
    expect(difference / coarse.pixels.length).toBeLessThan(3);
  });

  test("refuses options out of range", () => {
    expect(() => procedural.read({ classes: 11 })).toThrow("procedural.classes: Too big");
    expect(() => procedural.read({ sides: 16 } as object)).toThrow(
      'procedural: Unrecognized key: "sides" (options: classes,',
    );
  });
});

describe.each([...figures])("figure %s", (_, { distance, area, reach }) => {
  // A grid turned by 1 radian, along which no edge runs.
  const side = 200;
  const cell = 6 / side;
  const inside: { x: number; y: number }[] = [];
  for (let i = 0; i < side * side; i++) {
    const u = ((i % side) + 0.5) * cell - 3;
    const v = (Math.floor(i / side) + 0.5) * cell - 3;
    const x = u * Math.cos(1) - v * Math.sin(1);
    const y = u * Math.sin(1) + v * Math.cos(1);
    if (distance(x, y) < 0) inside.push({ x, y });
  }

  test("covers an area of π, by counting grid points", () => {
    expect(area).toBeCloseTo(Math.PI, 12);
    expect(Math.abs(inside.length * cell ** 2 - Math.PI)).toBeLessThan(0.02);
  });

  test("has no point beyond its reach, which stays below 3", () => {
    const farthest = Math.max(...inside.map(({ x, y }) => Math.hypot(x, y)));
    expect(farthest).toBeLessThanOrEqual(reach);
    expect(reach).toBeLessThan(3);
  });

  test("its distance changes by no more than a point moves", () => {
    const coordinate = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(coordinate, coordinate, coordinate, coordinate, (x, y, dx, dy) => {
        const change = Math.abs(distance(x + dx, y + dy) - distance(x, y));
        expect(change).toBeLessThanOrEqual(Math.hypot(dx, dy) + 1e-9);
      }),
      { seed: 1 },
    );
  });
});

describe("colors", () => {
  test("without chroma are gray, from black to white", () => {
    for (const [lightness, gray] of [
      [0, 0],
      [1, 1],
    ] as const) {
      for (const channel of oklch(lightness, 0, 1)) expect(channel).toBeCloseTo(gray, 5);
    }
    const [red, green, blue] = oklch(0.6, 0, 2);
    expect(red).toBeCloseTo(green, 5);
    expect(luma(red, green, blue)).toBeCloseTo(green, 5);
  });

  test("pure red of sRGB is at lightness 0.628, chroma 0.2577, hue 29.23°", () => {
    const [red, green, blue] = oklch(0.62796, 0.25768, (29.234 * Math.PI) / 180);
    expect(red).toBeCloseTo(1, 3);
    expect(green).toBeLessThan(0.01);
    expect(blue).toBeLessThan(0.01);
  });
});
