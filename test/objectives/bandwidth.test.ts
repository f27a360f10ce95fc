import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { bandwidth, bandwidthOptions, median, pairDistances } from "../../src/objectives/bandwidth.ts";
import { dmCase, expectSixDigits, sampleX, sampleY } from "../losses/cases.ts";

const cases = dmCase<{ median_pairwise_distance_pooled: number; median_sq_distance_pooled: number }>("A");
const options = (given: object) => bandwidthOptions.parse(given);
const pooled = pairDistances(Float64Array.of(...sampleX, ...sampleY), 5, "l2");

test("the median rule agrees with the reference median of a pooled sample", () => {
  expectSixDigits([bandwidth(options({}), pooled)], cases.median_pairwise_distance_pooled);
});

test("the half-square rule is √(median(r²)/2)", () => {
  const length = bandwidth(options({ rule: "halfSquare" }), pooled);
  expectSixDigits([2 * length ** 2], cases.median_sq_distance_pooled);
});

test("the factor scales the length, and is the length under the fixed rule", () => {
  const unscaled = bandwidth(options({}), pooled);
  expect(bandwidth(options({ factor: 4 }), pooled)).toBeCloseTo(4 * unscaled, 12);
  expect(bandwidth(options({ rule: "fixed", factor: 2.5 }), new Float64Array(0))).toBe(2.5);
});

describe("pair distances", () => {
  const points = [0, 0, 3, 4, 3, 0]; // a right triangle of sides 3, 4 and 5

  test("by hand, in either unit, each pair once", () => {
    expect(Array.from(pairDistances(points, 2, "l2")).sort()).toEqual([3, 4, 5]);
    expect(Array.from(pairDistances(points, 2, "l1")).sort()).toEqual([3, 4, 7]);
  });

  test("need rows of the width, and two of them", () => {
    expect(() => pairDistances(points, 4, "l2")).toThrow("expected at least 2 rows of 4, got 6 numbers");
    expect(() => pairDistances([1, 2], 2, "l2")).toThrow("expected at least 2 rows of 2, got 2 numbers");
  });

  test("scale with the features, and the length with them", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 10, noNaN: true }), (factor) => {
        const scaled = pairDistances(
          points.map((v) => v * factor),
          2,
          "l2",
        );
        expect(bandwidth(options({}), scaled)).toBeCloseTo(4 * factor, 10);
      }),
      { seed: 2, numRuns: 30 },
    );
  });
});

test("equal features have no length to take", () => {
  const equal = pairDistances([1, 1, 1, 1], 1, "l2");
  expect(() => bandwidth(options({}), equal)).toThrow("expected features with a median distance > 0, got 0");
});

test("the median of an even number of values is the mean of the middle two", () => {
  expect(median(Float64Array.of(9, 1, 4, 2))).toBe(3);
  expect(median(Float64Array.of(9, 1, 4))).toBe(4);
  expect(median(Float64Array.of(100, 9))).toBe(54.5); // sorted as numbers, not as text
});

test("the median is the one that sorting gives, of equal values too, and leaves the values as they are", () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), (list) => {
      const values = Float64Array.from(list);
      const sorted = values.toSorted();
      expect(median(values)).toBeCloseTo(
        (sorted[(list.length - 1) >> 1]! + sorted[list.length >> 1]!) / 2,
        12,
      );
      expect(values).toEqual(Float64Array.from(list));
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("where a distance is no number there is no length", () => {
  expect(median(Float64Array.of(1, NaN, 2))).toBeNaN();
  expect(() => bandwidth(options({}), Float64Array.of(1, NaN, 2))).toThrow("> 0, got NaN");
});
