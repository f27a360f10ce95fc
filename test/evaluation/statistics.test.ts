import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { seeded } from "../../src/core/rng.ts";
import {
  mean,
  pairedDifference,
  populationStandardDeviation,
  sampleStandardDeviation,
  thirds,
} from "../../src/evaluation/statistics.ts";

describe("by hand", () => {
  test("1, 2, 3, 6 have mean 3, squared deviations 4 + 1 + 0 + 9 = 14", () => {
    expect(mean([1, 2, 3, 6])).toBe(3);
    expect(populationStandardDeviation([1, 2, 3, 6])).toBe(Math.sqrt(14 / 4));
    expect(sampleStandardDeviation([1, 2, 3, 6])).toBe(Math.sqrt(14 / 3));
  });

  test("ten classes split into 3, 4 and 3 by training count, whatever their labels", () => {
    const counts = [10, 90, 20, 80, 30, 70, 40, 60, 50, 100];
    const perClass = counts.map((count) => count / 100);
    const { head, medium, tail } = thirds(perClass, counts);
    expect(head).toBeCloseTo(0.9, 12); // 1, 0.9, 0.8
    expect(medium).toBeCloseTo(0.55, 12); // 0.7 … 0.4
    expect(tail).toBeCloseTo(0.2, 12); // 0.3, 0.2, 0.1
  });

  test("equal classes keep label order", () => {
    expect(thirds([0.3, 0.6, 0.9], [5, 5, 5])).toEqual({ head: 0.3, medium: 0.6, tail: 0.9 });
  });
});

test("deviations shift not, and scale with the values", () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(values, fc.integer({ min: -50, max: 50 }), (list, by) => {
      const moved = list.map((value) => 2 * value + by);
      expect(sampleStandardDeviation(moved)).toBeCloseTo(2 * sampleStandardDeviation(list), 8);
      const ratio = Math.sqrt(list.length / (list.length - 1));
      expect(sampleStandardDeviation(list)).toBeCloseTo(ratio * populationStandardDeviation(list), 8);
    }),
    { seed: 1 },
  );
});

test("too few values are an error", () => {
  expect(() => mean([])).toThrow("mean: expected at least one value, got none");
  expect(() => sampleStandardDeviation([1])).toThrow(
    "sampleStandardDeviation: expected at least 2 values, got 1",
  );
  expect(() => thirds([1, 2], [1, 2])).toThrow("thirds: expected at least 3 classes, got 2");
  expect(() => thirds([1, 2, 3], [1, 2])).toThrow(
    "thirds: expected 3 training counts, one for each class, got 2",
  );
});

describe("a paired difference", () => {
  test("of 0.62, 0.60, 0.64 from 0.60, 0.59, 0.61 is 0.02 ± 4.30265 · 0.01/√3", () => {
    const {
      differences,
      mean: center,
      std,
      interval,
      p,
      signs,
    } = pairedDifference([0.62, 0.6, 0.64], [0.6, 0.59, 0.61]);
    expect(differences.map((one) => Number(one.toFixed(12)))).toEqual([0.02, 0.01, 0.03]);
    expect(center).toBeCloseTo(0.02, 12);
    expect(std).toBeCloseTo(0.01, 12);
    // Half the width is 0.0248414; t = 0.02/(0.01/√3) = 2√3, whose tail at 2 degrees is 1 − t/√(t² + 2) = 0.0741799.
    expect(interval![0]).toBeCloseTo(-0.0048414, 7);
    expect(interval![1]).toBeCloseTo(0.0448414, 7);
    expect(p).toBeCloseTo(0.0741799, 7);
    expect(signs).toEqual({ positive: 3, negative: 0, zero: 0 });
  });

  test.each([
    [2, 12.7062],
    [5, 2.77645],
    [11, 2.22814],
  ])("of %d pairs is as wide as the quantile %d of Student's table says", (pairs, t) => {
    const a = Array.from({ length: pairs }, (_, i) => i % 3);
    const b = a.map(() => 0);
    const { std, interval } = pairedDifference(a, b);
    expect((interval![1] - interval![0]) / 2 / (std! / Math.sqrt(pairs))).toBeCloseTo(t, 4);
  });

  test("of one pair has no interval, and equal differences have one of no width", () => {
    expect(pairedDifference([3], [1])).toEqual({
      differences: [2],
      mean: 2,
      std: undefined,
      interval: undefined,
      p: undefined,
      signs: { positive: 1, negative: 0, zero: 0 },
    });
    expect(pairedDifference([3, 5], [1, 3])).toMatchObject({ interval: [2, 2], p: 0 });
    expect(pairedDifference([3, 5], [3, 5])).toMatchObject({ interval: [0, 0], p: 1, signs: { zero: 2 } });
  });

  test("turns with the sides, ignores what pairs share, and its interval excludes 0 where p is below 0.05", () => {
    const value = fc.integer({ min: -40, max: 40 });
    const pairs = fc.array(fc.tuple(value, value, value), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(pairs, (drawn) => {
        const [a, b] = [drawn.map(([x]) => x), drawn.map(([, y]) => y)];
        const one = pairedDifference(a, b);
        const back = pairedDifference(b, a);
        expect(back.mean).toBeCloseTo(-one.mean, 12);
        expect(back.interval![0]).toBeCloseTo(-one.interval![1], 9);
        expect(back.signs.positive).toBe(one.signs.negative);
        const shifted = (values: number[]): number[] => values.map((x, i) => x + drawn[i]![2]);
        expect(pairedDifference(shifted(a), shifted(b))).toEqual(one);
        const [low, high] = one.interval!;
        expect(one.p! < 0.05).toBe(low > 0 || high < 0);
      }),
      { seed: 4 },
    );
  });

  test("covers the truth in 95 of 100 cases", () => {
    const rng = seeded(11).stream("pairs");
    const trials = 2000;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const seeds = Array.from({ length: 4 }, () => 5 * rng.normal());
      const side = (shift: number): number[] => seeds.map((seed) => seed + shift + rng.normal());
      const [low, high] = pairedDifference(side(0.7), side(0)).interval!;
      if (low <= 0.7 && 0.7 <= high) covered++;
    }
    expect(Math.abs(covered / trials - 0.95)).toBeLessThan(5 * Math.sqrt((0.95 * 0.05) / trials));
  });

  test("refuses what is no pair", () => {
    expect(() => pairedDifference([1, 2], [1])).toThrow("got 2 and 1");
    expect(() => pairedDifference([], [])).toThrow("got 0 and 0");
    expect(() => pairedDifference([1, NaN], [1, 2])).toThrow("got NaN and 2 in pair 1; leave it out");
  });
});
