import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";

const COUNT = 100_000;
const draws = (next: () => number): number[] => Array.from({ length: COUNT }, next);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

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

  test("keep their numbers from one version to the next, since results are cited by seed", () => {
    const rng = seeded(42).stream("pinned");
    expect([rng.uniform(), rng.normal(), rng.integer(1000)]).toEqual([
      0.1678603204058685, -1.0454923381683967, 181,
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

  test("normal numbers have the first four moments of the normal law", () => {
    const values = draws(seeded(2).normal);
    [0, 1, 0, 3].forEach((moment, i) =>
      expectMean(
        values.map((value) => value ** (i + 1)),
        moment,
      ),
    );
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

  test("arrays are filled with the numbers that single draws give", () => {
    const [one, other] = [seeded(6), seeded(6)];
    expect(Array.from(one.fillNormal(new Float64Array(5)))).toEqual(
      Array.from({ length: 5 }, () => other.normal()),
    );
    const values = seeded(6).fillUniform(new Float64Array(1000), -2, 3);
    expect(values.every((value) => value >= -2 && value < 3)).toBe(true);
  });
});

test.each([-1, 0.5, NaN])("seed %d is refused", (seed) => {
  expect(() => seeded(seed)).toThrow(`seed: expected a whole number >= 0, got ${seed}`);
});
