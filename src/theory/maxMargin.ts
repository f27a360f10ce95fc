import { check } from "../core/errors.ts";
import { nonNegativeLeastSquares } from "./nonNegativeLeastSquares.ts";

/** Examples side by side in one array, each already multiplied by its label. */
export interface SignedExamples {
  /** y_μ x_μ, [count, dimensions]. */
  readonly values: Float64Array;
  /** N, of each example. */
  readonly dimensions: number;
}

/** The hyperplane through 0 that is farthest from all examples. */
export interface MaxMargin {
  /** w of least length with y_μ w·x_μ ≥ 1 for all μ, [dimensions]. */
  readonly weights: Float64Array;
  /** κ = 1/‖w‖, the distance of the nearest example. */
  readonly margin: number;
}

/**
 * The perceptron of largest margin, exactly: w = argmin ‖w‖ with y_μ w·x_μ ≥ 1.
 *
 * As a problem of least distance (Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23): with columns
 * e_μ = (y_μ x_μ, 1), u ≥ 0 of least ‖Eu − (0, …, 0, 1)‖ leaves a residual r, and w = −r₁…ₙ/rₙ₊₁.
 *
 * @throws InputError where no hyperplane through 0 has every example on its side.
 */
export function maxMargin({ values, dimensions }: SignedExamples): MaxMargin {
  const count = values.length / dimensions;
  const columns = new Float64Array(count * (dimensions + 1));
  for (let i = 0; i < count; i++) {
    columns.set(values.subarray(i * dimensions, (i + 1) * dimensions), i * (dimensions + 1));
    columns[i * (dimensions + 1) + dimensions] = 1;
  }
  const target = new Float64Array(dimensions + 1);
  target[dimensions] = 1;
  const { residual } = nonNegativeLeastSquares(columns, target);
  const last = residual[dimensions]!;
  check(
    last < -SEPARABLE,
    () => `maxMargin: expected examples that a hyperplane through 0 separates, got ${count} that none does`,
  );
  const weights = residual.subarray(0, dimensions).map((value) => -value / last);
  return { weights, margin: 1 / Math.hypot(...weights) };
}

/** The residual's last entry is −κ²/(1 + κ²), and 0 but for rounding where nothing separates. */
const SEPARABLE = 1e-12;
