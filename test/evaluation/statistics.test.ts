import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  mean,
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
