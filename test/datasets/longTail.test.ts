import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { classCounts, type Dataset, subset } from "../../src/datasets/dataset.ts";
import { longTail, longTailCounts } from "../../src/datasets/longTail.ts";

interface Reference {
  readonly full: readonly {
    classes: number;
    largest: number;
    imbalance: number;
    counts: number[];
    total: number;
  }[];
  readonly ends: readonly {
    classes: number;
    largest: number;
    imbalance: number;
    first: number[];
    last: number[];
    total: number;
  }[];
}

const reference = JSON.parse(
  readFileSync(new URL("../reference/longTail.json", import.meta.url), "utf8"),
) as Reference;

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** `perClass` images of 1×1×1 in each class, classes in turn; pixel i is i modulo 256. */
function balanced(classes: number, perClass: number): Dataset {
  const count = classes * perClass;
  return {
    name: "toy",
    classNames: Array.from({ length: classes }, (_, c) => `class ${c}`),
    imageShape: [1, 1, 1],
    pixels: Uint8Array.from({ length: count }, (_, i) => i % 256),
    labels: Int32Array.from({ length: count }, (_, i) => i % classes),
    mean: [0.5],
    std: [0.25],
  };
}

describe("longTailCounts", () => {
  test.each(reference.full)("gives the benchmark's counts of $classes classes at 1:$imbalance", (row) => {
    expect(longTailCounts(row.classes, row.largest, row.imbalance)).toEqual(row.counts);
    expect(sum(row.counts)).toBe(row.total);
  });

  test.each(reference.ends)("gives both ends and the total of $classes classes at 1:$imbalance", (row) => {
    const counts = longTailCounts(row.classes, row.largest, row.imbalance);
    expect(counts.slice(0, row.first.length)).toEqual(row.first);
    expect(counts.slice(-row.last.length)).toEqual(row.last);
    expect(sum(counts)).toBe(row.total);
  });

  test("at imbalance 1 all classes have the same size", () => {
    expect(longTailCounts(4, 7, 1)).toEqual([7, 7, 7, 7]);
  });

  test("a single class keeps all", () => {
    expect(longTailCounts(1, 7, 5)).toEqual([7]);
  });

  test("powers of two by hand: 8·8^(−c/3) = 8, 4, 2, 1", () => {
    expect(longTailCounts(4, 8, 8)).toEqual([8, 4, 2, 1]);
  });

  test("counts never increase, begin at the largest and end at largest over imbalance, rounded down", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (classes, largest, exponent) => {
          const imbalance = largest ** exponent;
          const counts = longTailCounts(classes, largest, imbalance);
          expect(counts).toHaveLength(classes);
          expect(counts[0]).toBe(largest);
          expect(counts.at(-1)).toBe(Math.floor(largest / imbalance + 1e-9));
          for (let c = 1; c < classes; c++) expect(counts[c]!).toBeLessThanOrEqual(counts[c - 1]!);
        },
      ),
      { seed: 1 },
    );
  });

  test("refuses factors that have no meaning", () => {
    expect(() => longTailCounts(10, 100, 0.5)).toThrow("longTail.imbalance: expected at least 1");
    expect(() => longTailCounts(10, 100, NaN)).toThrow("longTail.imbalance: expected a number > 0, got NaN");
    expect(() => longTailCounts(10, 100, 101)).toThrow(
      "expected at most 100, the images of the first class, got 101",
    );
    expect(() => longTailCounts(10, 0, 1)).toThrow("longTail.largest: expected a whole number >= 1, got 0");
  });
});

describe("longTail", () => {
  const full = balanced(5, 60);

  test("takes the counts of the formula, and says which images they are", () => {
    const { subset: thinned, indices } = longTail(full, { imbalance: 10, largest: 50, seed: 42 });
    expect(classCounts(thinned)).toEqual(longTailCounts(5, 50, 10));
    expect(thinned).toEqual(subset(full, indices));
    expect(new Set(indices).size).toBe(indices.length);
    expect([...indices]).toEqual([...indices].sort((a, b) => a - b));
  });

  test("subsets are nested: a class's images at a higher factor are among those at a lower", () => {
    const indicesAt = (imbalance: number): Int32Array =>
      longTail(full, { imbalance, largest: 50, seed: 42 }).indices;
    const wide = new Set(indicesAt(1));
    const middle = indicesAt(10);
    expect(middle.every((i) => wide.has(i))).toBe(true);
    const middleSet = new Set(middle);
    expect(indicesAt(50).every((i) => middleSet.has(i))).toBe(true);
  });

  test("the same seed takes the same images, another seed others", () => {
    const at = (seed: number): Int32Array => longTail(full, { imbalance: 10, largest: 30, seed }).indices;
    expect(at(42)).toEqual(at(42));
    expect(at(42)).not.toEqual(at(43));
  });

  test("LAD's subset keeps NumPy's first places, the same ones in every class", () => {
    // numpy.random.RandomState(42).choice(60, k, replace=False) begins like this for every k.
    const places = [0, 5, 36, 45, 13, 54, 33, 48, 12, 57];
    const counts = longTailCounts(5, 10, 5);
    const { indices } = longTail(full, { imbalance: 5, largest: 10, seed: 42, subset: "lad" });
    // Class c has images c, c + 5, c + 10, …
    const wanted = counts.flatMap((count, c) => places.slice(0, count).map((place) => 5 * place + c));
    expect([...indices]).toEqual(wanted.sort((a, b) => a - b));
    expect(indices).not.toEqual(longTail(full, { imbalance: 5, largest: 10, seed: 42 }).indices);
  });

  test("keeps the constants of the full set, so that accuracies compare", () => {
    const { subset: thinned } = longTail(full, { imbalance: 10, largest: 50, seed: 42 });
    expect([thinned.mean, thinned.std]).toEqual([full.mean, full.std]);
  });

  test("names the class that has too few images", () => {
    expect(() => longTail(full, { imbalance: 2, largest: 61, seed: 42 })).toThrow(
      "class 0 (class 0): expected at least 61 images, got 60; lower largest, now 61",
    );
  });
});
