import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";

const COUNT = 100_000;
const draws = (next: () => number): number[] => Array.from({ length: COUNT }, next);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const MANY = 400_000;
const normals = seeded(11).fillNormal(new Float64Array(MANY));

/** Normal distribution function: ½ + φ(x)(x + x³/3 + x⁵/(3·5) + …). */
function cdf(x: number): number {
  let term = x;
  let sum = x;
  for (let i = 3; Math.abs(term) > 1e-17; i += 2) sum += term *= (x * x) / i;
  return 0.5 + (sum * Math.exp(-x * x * 0.5)) / Math.sqrt(2 * Math.PI);
}

/** Whether a mean is within 5 standard errors of what it estimates. */
function expectMean(values: readonly number[], expected: number): void {
  const found = mean(values);
  const variance = mean(values.map((value) => (value - found) ** 2));
  expect(Math.abs(found - expected)).toBeLessThan(5 * Math.sqrt(variance / values.length));
}

describe("streams", () => {
  test("of the same seed and path give the same numbers", () => {
    const [a, b] = [seeded(7).stream("real/3"), seeded(7).stream("real/3")];
    expect(draws(a.uniform).slice(0, 50)).toEqual(draws(b.uniform).slice(0, 50));
  });

  test("do not depend on what their parent or siblings have drawn", () => {
    const used = seeded(7);
    used.normal();
    used.stream("other").uniform();
    expect(used.stream("network").uniform()).toBe(seeded(7).stream("network").uniform());
  });

  test("of neighboring seeds and names are uncorrelated", () => {
    const base = draws(seeded(7).stream("step/1").uniform);
    for (const other of [
      seeded(7).stream("step/2"),
      seeded(8).stream("step/1"),
      seeded(7).stream("step").stream("11"),
    ]) {
      expectMean(
        draws(other.uniform).map((value, i) => (value - 0.5) * (base[i]! - 0.5)),
        0,
      );
    }
  });

  test("of neighboring names give normal numbers whose values and sizes are uncorrelated", () => {
    const [a, b] = ["step/1", "step/2"].map((name) => draws(seeded(7).stream(name).normal));
    expectMean(
      a!.map((value, i) => value * b![i]!),
      0,
    );
    expectMean(
      a!.map((value, i) => (value ** 2 - 1) * (b![i]! ** 2 - 1)),
      0,
    );
  });

  test("keep their numbers from one version to the next, since results are cited by seed", () => {
    const rng = seeded(42).stream("pinned");
    expect([rng.uniform(), rng.normal(), rng.integer(1000)]).toEqual([
      0.1678603204058685, 1.75047432654045, 812,
    ]);
  });
});

describe("laws", () => {
  test("uniform numbers are on [0, 1) with the moments of the uniform law", () => {
    const values = draws(seeded(1).uniform);
    expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values.slice(0, 1000))).toBeLessThan(1);
    expectMean(values, 1 / 2);
    expectMean(
      values.map((value) => value ** 2),
      1 / 3,
    );
  });

  test("normal numbers have the first six moments of the normal law", () => {
    const values = draws(seeded(2).normal);
    [0, 1, 0, 3, 0, 15].forEach((moment, i) =>
      expectMean(
        values.map((value) => value ** (i + 1)),
        moment,
      ),
    );
  });

  test("normal numbers have the normal distribution function, by Kolmogorov and Smirnov", () => {
    const values = normals.toSorted();
    const every = 40;
    const differences = Array.from({ length: MANY / every }, (_, i) =>
      Math.abs(cdf(values[i * every]!) - (i * every) / MANY),
    );
    // √n times the largest difference exceeds 1.95 with probability 0.001; between two looked at it grows by a step.
    const largest = Math.max(...differences) + every / MANY;
    expect(Math.sqrt(MANY) * largest).toBeLessThan(1.95);
  });

  // The ziggurat goes over to its tail at 3.654.
  test.each([0.2, 1, 2, 3, 3.6, 3.7, 4.2])(
    "normal numbers lie beyond ±%d as often as they should",
    (bound) => {
      const expected = 1 - cdf(bound);
      for (const sign of [-1, 1]) {
        const share = normals.reduce((count, value) => count + (sign * value > bound ? 1 : 0), 0) / MANY;
        expect(Math.abs(share - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / MANY));
      }
    },
  );

  test("a normal number says nothing of the next ones", () => {
    const values = Array.from(normals.subarray(0, COUNT));
    for (const lag of [1, 2, 3]) {
      const pairs = values.slice(lag).map((value, i) => [value, values[i]!] as const);
      expectMean(
        pairs.map(([x, y]) => x * y),
        0,
      );
      expectMean(
        pairs.map(([x, y]) => (x ** 2 - 1) * (y ** 2 - 1)),
        0,
      );
    }
  });

  test("whole numbers are equally often each value", () => {
    const rng = seeded(3);
    const values = draws(() => rng.integer(6));
    for (let face = 0; face < 6; face++) {
      expectMean(
        values.map((value) => (value === face ? 1 : 0)),
        1 / 6,
      );
    }
  });

  test("a permutation holds every number once, and each is equally often first", () => {
    expect(Array.from(seeded(4).permutation(100)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    const rng = seeded(5);
    const firsts = Array.from({ length: 20_000 }, () => rng.permutation(5)[0]!);
    expectMean(
      firsts.map((value) => (value === 0 ? 1 : 0)),
      1 / 5,
    );
  });

  test("arrays are filled with the numbers that single draws give, whatever was drawn before", () => {
    const [one, other] = [seeded(6), seeded(6)];
    for (const count of [0, 1, 5, 255, 700, 10_000]) {
      const filled = one.fillNormal(new Float64Array(count));
      expect(Array.from(filled)).toEqual(Array.from({ length: count }, () => other.normal()));
      const uniform = one.fillUniform(new Float64Array(count), -2, 3);
      expect(Array.from(uniform)).toEqual(Array.from({ length: count }, () => -2 + 5 * other.uniform()));
      expect(uniform.every((value) => value >= -2 && value < 3)).toBe(true);
    }
  });

  test("single precision is the double one, rounded", () => {
    const rounded = seeded(8).fillNormal(new Float32Array(1000));
    expect(rounded).toEqual(Float32Array.from(seeded(8).fillNormal(new Float64Array(1000))));
  });
});

test.each([-1, 0.5, NaN])("seed %d is refused", (seed) => {
  expect(() => seeded(seed)).toThrow(`seed: expected a whole number >= 0, got ${seed}`);
});
