import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { cauchyQuantile, chiSquared, gamma, laplaceQuantile } from "../../kernels/laws.ts";

const DRAWS = 60_000;

/** Expects the mean of f over draws to be within 5 standard errors of `expected`. */
function expectMean(draw: () => number, f: (x: number) => number, expected: number): void {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < DRAWS; i++) {
    const value = f(draw());
    sum += value;
    squares += value * value;
  }
  const mean = sum / DRAWS;
  const standardError = Math.sqrt((squares / DRAWS - mean * mean) / DRAWS);
  expect(Math.abs(mean - expected)).toBeLessThan(5 * standardError);
}

describe.each([0.25, 0.5, 1, 1.5, 7, 40])("Gamma draws of shape %d", (shape) => {
  const rng = seeded(3).stream(`gamma/${shape}`);
  const draw = (): number => gamma(shape, rng);

  test("have mean and variance equal to the shape", () => {
    expectMean(draw, (g) => g, shape);
    expectMean(draw, (g) => (g - shape) ** 2, shape);
  });

  test("have the Laplace transform (1 + t)^(−shape)", () => {
    // Times of the order at which the law decides the transform: far beyond, it is a rare event.
    for (const t of [0.3 / shape, 1 / shape]) expectMean(draw, (g) => Math.exp(-t * g), (1 + t) ** -shape);
  });
});

test("Gamma draws of shape 1 exceed 1 with probability 1/e, as the exponential law has it", () => {
  const rng = seeded(4);
  expectMean(
    () => gamma(1, rng),
    (g) => (g > 1 ? 1 : 0),
    Math.exp(-1),
  );
});

test("χ² draws of 3 degrees agree with sums of three squared normals", () => {
  const rng = seeded(5);
  const draw = (): number => chiSquared(3, rng);
  expectMean(draw, (x) => x, 3);
  expectMean(draw, (x) => (x - 3) ** 2, 6);
  const threeSquares = (): number => rng.normal() ** 2 + rng.normal() ** 2 + rng.normal() ** 2;
  const transform = 3 ** -1.5; // E exp(−x) = (1 + 2)^(−3/2)
  expectMean(draw, (x) => Math.exp(-x), transform);
  expectMean(threeSquares, (x) => Math.exp(-x), transform);
});

test("a Gamma shape that is not positive is refused", () => {
  expect(() => gamma(0, seeded(0))).toThrow("gamma.shape: expected a number > 0, got 0");
  expect(() => gamma(NaN, seeded(0))).toThrow("gamma.shape: expected a number > 0, got NaN");
});

test("quantiles invert the distribution functions", () => {
  for (const u of [0.01, 0.2, 0.5, 0.77, 0.999]) {
    expect(0.5 + Math.atan(cauchyQuantile(u)) / Math.PI).toBeCloseTo(u, 12);
    const t = laplaceQuantile(u);
    expect(t < 0 ? Math.exp(t) / 2 : 1 - Math.exp(-t) / 2).toBeCloseTo(u, 12);
  }
});

test("quantiles are finite at the ends of what a uniform draw can be", () => {
  const largest = 1 - 2 ** -53;
  for (const quantile of [cauchyQuantile, laplaceQuantile]) {
    expect(quantile(0)).toBeLessThan(-30);
    expect(quantile(largest)).toBeGreaterThan(30);
    expect(Number.isFinite(quantile(0)) && Number.isFinite(quantile(largest))).toBe(true);
  }
});
