import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type KernelChoice, kernels } from "../../kernels/index.ts";
import { choice } from "../../src/core/options.ts";
import { parsed } from "../../src/core/parse.ts";
import { seeded } from "../../src/core/rng.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  bandwidth,
  bandwidthOptions,
  lengthMetrics,
  lengthsOf,
  pairDistances,
  pickOf,
} from "../../src/objectives/bandwidth.ts";
import { dmCase, expectSixDigits, sampleX, sampleY } from "../losses/cases.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

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

const medianOf = (...values: number[]): number => bandwidth(options({}), Float64Array.from(values));

test("the median of an even number of distances is the mean of the middle two", () => {
  expect(medianOf(9, 1, 4, 2)).toBe(3);
  expect(medianOf(9, 1, 4)).toBe(4);
  expect(medianOf(100, 9)).toBe(54.5); // sorted as numbers, not as text
  expect(() => medianOf()).toThrow("bandwidth: expected at least one distance, got none");
});

test("the median is the one that sorting gives, of equal values too, and leaves the values as they are", () => {
  const value = fc.oneof(
    fc.integer({ min: 1, max: 3 }),
    fc.double({ min: 1e-300, noNaN: true, noDefaultInfinity: true }),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), (list) => {
      const values = Float64Array.from(list);
      const sorted = values.toSorted();
      const [low, high] = [sorted[(list.length - 1) >> 1]!, sorted[list.length >> 1]!];
      if (low + high < Infinity) expect(bandwidth(options({}), values)).toBe((low + high) / 2);
      expect(values).toEqual(Float64Array.from(list));
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("where a distance is no number there is no length", () => {
  expect(() => medianOf(1, NaN, 2)).toThrow("> 0, got NaN");
});

describe("the lengths of a kernel", () => {
  const kernel = (given: unknown): KernelChoice => parsed("kernel", choice(kernels), given);
  const both = kernel({ name: "sum", kernels: [{ kernel: "laplacian" }, { kernel: "gaussian" }] });
  const points = engine.tensor([3, 2], [0, 0, 3, 4, 3, 0]);

  test("are medians of the distances that its parts measure in", () => {
    expect(lengthsOf(options({}), both, points)).toEqual({ l2: 4, l1: 4 });
    expect(lengthsOf(options({ factor: 2 }), kernel("matern32"), points)).toEqual({ l2: 8, l1: NaN });
    const further = engine.tensor([3, 2], [0, 0, 3, 4, 3, -1]);
    expect(lengthsOf(options({}), kernel("laplacian"), further)).toEqual({ l2: 5, l1: 5 });
  });

  test("are one number where it is fixed, and none where nothing is measured", () => {
    const fixed = options({ rule: "fixed", factor: 2.5 });
    expect(lengthsOf(fixed, both)).toEqual({ l2: 2.5, l1: 2.5 });
    expect(lengthsOf(options({}), kernel("linear"))).toEqual({ l2: NaN, l1: NaN });
    expect(pickOf(fixed, both)).toEqual({});
    expect(pickOf(options({}), kernel("linear"))).toEqual({});
  });

  test("are measured on as many features as the option says, each once", () => {
    const picked = pickOf(options({ points: 5 }), both).pick!(9, seeded(1));
    expect(new Set(picked).size).toBe(5);
    expect(picked.every((row) => row >= 0 && row < 9)).toBe(true);
  });

  test("are columns of the log", () => {
    expect(lengthMetrics({ l2: 3, l1: NaN })).toEqual({ bandwidth: 3 });
    expect(lengthMetrics({ l2: 3, l1: 20 })).toEqual({ bandwidth: 3, bandwidthL1: 20 });
    expect(lengthMetrics({ l2: NaN, l1: NaN })).toEqual({});
  });
});
