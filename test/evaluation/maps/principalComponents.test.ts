import { describe, expect, test } from "@jest/globals";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { seeded } from "../../../src/core/rng.ts";
import { type Points, principalComponents } from "../../../src/evaluation/maps/index.ts";

/** Normal points whose deviation along axis k is scale(k), around 3. */
function normalPoints(n: number, width: number, scale: (axis: number) => number, seed = 0): Points {
  const rng = seeded(seed);
  const values = Float64Array.from({ length: n * width }, (_, at) => 3 + scale(at % width) * rng.normal());
  return { values, width };
}

/** Eigenvalues of the centered scatter matrix, falling: another road to the variances. */
function eigenvalues({ values, width }: Points): number[] {
  const x = Matrix.from1DArray(values.length / width, width, values);
  x.subRowVector(x.mean("column"));
  const { realEigenvalues } = new EigenvalueDecomposition(x.transpose().mmul(x), { assumeSymmetric: true });
  return [...realEigenvalues].sort((a, b) => b - a);
}

test("points on a line have one component, with their places along it", () => {
  // Mean (3, 4); along (3, 4)/5 they lie at −5, 0 and 5; the first of largest size is made positive.
  const points = { values: Float64Array.of(0, 0, 3, 4, 6, 8), width: 2 };
  const { scores, shares } = principalComponents(points, 2, seeded(0));
  [5, 0, 0, 0, -5, 0].forEach((value, at) => expect(scores.values[at]).toBeCloseTo(value, 12));
  expect(shares[0]).toBeCloseTo(1, 12);
  expect(shares[1]).toBeCloseTo(0, 12);
});

describe.each([
  ["narrow", 40, 6, 3],
  ["wide", 30, 300, 8],
  ["tall, far from exact", 300, 120, 10],
] as const)("%s points", (_, n, width, count) => {
  const points = normalPoints(n, width, (axis) => 10 * 0.9 ** axis);
  const { scores, shares } = principalComponents(points, count, seeded(1));
  const column = (k: number): Float64Array => scores.values.filter((_, at) => at % count === k);
  const product = (a: Float64Array, b: Float64Array): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);

  test("have the variances of the scatter matrix", () => {
    const expected = eigenvalues(points);
    const total = expected.reduce((sum, value) => sum + value, 0);
    shares.forEach((share, k) => {
      expect(share).toBeCloseTo(expected[k]! / total, 6);
      expect(product(column(k), column(k)) / expected[k]!).toBeCloseTo(1, 5);
    });
  });

  test("have scores without correlation, about 0, the largest of each positive", () => {
    for (let k = 0; k < count; k++) {
      const own = column(k);
      const norm = Math.sqrt(product(own, own));
      expect(own.reduce((sum, value) => sum + value, 0) / norm).toBeCloseTo(0, 10);
      for (let other = 0; other < k; other++)
        expect(product(own, column(other)) / norm ** 2).toBeCloseTo(0, 8);
      expect(own.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a))).toBeGreaterThan(0);
    }
  });

  test("do not depend on the dice they start from", () => {
    const other = principalComponents(points, count, seeded(2)).scores.values;
    scores.values.forEach((value, at) => expect(other[at]).toBeCloseTo(value, 3));
  });
});

test("what is wrong is said", () => {
  const points = normalPoints(4, 3, () => 1);
  expect(() => principalComponents(points, 4, seeded(0))).toThrow(
    "principalComponents.count: expected 1 to 3, as 4 points of width 3 have, got 4",
  );
  expect(() => principalComponents({ values: new Float64Array(6).fill(2), width: 2 }, 1, seeded(0))).toThrow(
    "principalComponents.points: expected points that differ, got the same ones",
  );
});
