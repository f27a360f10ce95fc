import { expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { maxMargin } from "../../src/theory/maxMargin.ts";
import { nonNegativeLeastSquares } from "../../src/theory/nonNegativeLeastSquares.ts";
import { dualAscent } from "./dualAscent.ts";

const normals = (count: number, name: string): Float64Array =>
  seeded(7).stream(name).fillNormal(new Float64Array(count));
const product = (x: Float64Array, y: Float64Array): number => x.reduce((sum, one, i) => sum + one * y[i]!, 0);

/** Eu − f of columns E. */
function left(columns: Float64Array, solution: Float64Array, target: Float64Array): Float64Array {
  return target.map((value, row) =>
    solution.reduce((sum, u, i) => sum + u * columns[i * target.length + row]!, -value),
  );
}

test("least squares by hand: what would be negative is 0", () => {
  // Columns (1, 0) and (1, 1): (−1, 2) would need u = (−3, 2). Along the second alone, u = 1/2.
  const { solution, residual } = nonNegativeLeastSquares(Float64Array.of(1, 0, 1, 1), Float64Array.of(-1, 2));
  expect([...solution]).toEqual([0, expect.closeTo(0.5, 14)]);
  expect([...residual]).toEqual([expect.closeTo(1.5, 14), expect.closeTo(-1.5, 14)]);
  const none = nonNegativeLeastSquares(Float64Array.of(1, 0, 0, 1), Float64Array.of(-1, -2));
  expect([...none.solution]).toEqual([0, 0]);
  expect([...none.residual]).toEqual([1, 2]);
});

test("a solution of least squares meets the conditions of Karush, Kuhn and Tucker", () => {
  for (const [rows, count] of [
    [5, 3],
    [12, 40],
    [30, 30],
    [40, 200],
  ] as const) {
    const columns = normals(rows * count, `E/${rows}/${count}`);
    const target = normals(rows, `f/${rows}/${count}`);
    const { solution, residual } = nonNegativeLeastSquares(columns, target);
    left(columns, solution, target).forEach((value, row) => expect(residual[row]).toBeCloseTo(value, 12));
    solution.forEach((u, i) => {
      const slope = product(columns.subarray(i * rows, (i + 1) * rows), residual);
      expect(u).toBeGreaterThanOrEqual(0);
      if (u > 0) expect(slope).toBeCloseTo(0, 11);
      else expect(slope).toBeGreaterThan(-1e-9);
    });
  }
});

test("equal columns and columns in one another's span do no harm", () => {
  const rows = 6;
  const few = normals(rows * 4, "few");
  const twice = new Float64Array(rows * 9);
  twice.set(few);
  twice.set(few, few.length);
  for (let row = 0; row < rows; row++) twice[8 * rows + row] = few[row]! + few[rows + row]!;
  const target = normals(rows, "target");
  const one = nonNegativeLeastSquares(few, target);
  const two = nonNegativeLeastSquares(twice, target);
  expect(Math.hypot(...two.residual)).toBeCloseTo(Math.hypot(...one.residual), 12);
});

/** Examples that a random teacher labels. */
function labelled(count: number, dimensions: number): Float64Array {
  const values = normals(count * dimensions, `x/${count}/${dimensions}`);
  for (let i = 0; i < count; i++) {
    const x = values.subarray(i * dimensions, (i + 1) * dimensions);
    if (x[0]! + 0.5 * x[1]! < 0) x.forEach((value, d) => (x[d] = -value));
  }
  return values;
}

test("the largest margin is that of the dual's ascent, and is met by every example", () => {
  for (const [count, dimensions] of [
    [1, 3],
    [10, 20],
    [40, 20],
    [120, 40],
  ] as const) {
    const values = labelled(count, dimensions);
    const { weights, margin } = maxMargin({ values, dimensions });
    const ascended = dualAscent({ values, dimensions }, 1e-9);
    const size = Math.hypot(...weights);
    expect(margin).toBeCloseTo(1 / size, 14);
    expect(Math.hypot(...weights.map((w, d) => w - ascended[d]!)) / size).toBeLessThan(1e-4);
    for (let i = 0; i < count; i++) {
      const x = values.subarray(i * dimensions, (i + 1) * dimensions);
      expect(product(weights, x)).toBeGreaterThan(1 - 1e-8);
    }
  }
});

test("one example is met head on, two by what is between them", () => {
  const alone = maxMargin({ values: Float64Array.of(3, 4), dimensions: 2 });
  expect(alone.margin).toBeCloseTo(5, 12);
  expect([...alone.weights]).toEqual([expect.closeTo(3 / 25, 12), expect.closeTo(4 / 25, 12)]);
  const two = maxMargin({ values: Float64Array.of(1, 0, 0, 1), dimensions: 2 });
  expect(two.margin).toBeCloseTo(Math.SQRT1_2, 12);
});

test("what no hyperplane separates is said", () => {
  const values = Float64Array.of(1, 0, -1, 0, 0, 1);
  expect(() => maxMargin({ values, dimensions: 2 })).toThrow(
    "maxMargin: expected examples that a hyperplane through 0 separates, got 3 that none does",
  );
});
