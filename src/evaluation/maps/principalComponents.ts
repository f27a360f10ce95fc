import { EigenvalueDecomposition, Matrix, QrDecomposition } from "ml-matrix";
import { check, shown } from "../../core/errors.ts";
import type { Rng } from "../../core/rng.ts";
import { checkPoints, coincide, pointAt, type Points } from "./points.ts";

/** Points along the directions in which they vary most. */
export interface PrincipalComponents {
  /** Coordinates along the directions, about the mean, [n, count]; the largest in size of each direction is positive. */
  readonly scores: Points;
  /** Share of the points' variance along each direction, falling. */
  readonly shares: readonly number[];
}

/** Random directions beyond those asked for, and passes over the points: sklearn's PCA takes as many. */
const [OVERSAMPLING, PASSES] = [10, 7];

/**
 * The first principal components of points, by subspace iteration from random directions (Halko, Martinsson and Tropp, SIAM
 * Review 53, 2011, algorithms 4.4 and 5.1). With X the centered points and Ω random, [width, count + 10]:
 *
 *     Q = orth(XΩ),   7 times Q ← orth(X orth(XᵀQ)),   QᵀX = U S Vᵀ,   scores QUS
 *
 * Exact where points or width are no more than count + 10. Beyond, a direction is off where the variance along it is hardly
 * above that of those left out.
 *
 * @param count of components, from 1 to the number of points or the width. @param rng of the directions to start from.
 * @throws InputError for a count out of range, and points that are all the same.
 */
export function principalComponents(points: Points, count: number, rng: Rng): PrincipalComponents {
  const n = checkPoints("principalComponents.points", points, 2);
  const { width } = points;
  const most = Math.min(n, width);
  check(
    Number.isSafeInteger(count) && count >= 1 && count <= most,
    () =>
      `principalComponents.count: expected 1 to ${most}, as ${n} points of width ${width} have, got ${shown(count)}`,
  );
  check(
    !coincide(points),
    () => "principalComponents.points: expected points that differ, got the same ones",
  );
  const x = centered(points);
  const total = x.norm("frobenius") ** 2;
  const sampled = Math.min(count + OVERSAMPLING, most);
  const basis = rangeOf(x, sampled, rng);
  const inBasis = basis.transpose().mmul(x); // QᵀX, [sampled, width]
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    inBasis.mmul(inBasis.transpose()),
    { assumeSymmetric: true },
  );
  const order = realEigenvalues.map((_, i) => i).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  const chosen = order.slice(0, count);
  const squares = chosen.map((i) => Math.max(0, realEigenvalues[i]!));
  const directions = basis.mmul(eigenvectorMatrix.subMatrixColumn(chosen)); // QU
  const values = new Float64Array(n * count);
  squares.forEach((square, k) => {
    const column = directions.getColumn(k);
    const scale = Math.sqrt(square) * signOf(column);
    column.forEach((value, i) => (values[i * count + k] = scale * value));
  });
  return { scores: { values, width: count }, shares: squares.map((square) => square / total) };
}

function centered(points: Points): Matrix {
  const { values, width } = points;
  const n = values.length / width;
  const rows = Array.from({ length: n }, (_, i) => pointAt(points, i).slice());
  const mean = new Float64Array(width);
  for (const row of rows) row.forEach((value, k) => (mean[k]! += value / n));
  for (const row of rows) mean.forEach((value, k) => (row[k]! -= value));
  return new Matrix(rows);
}

/** Orthonormal columns that span what the points vary in most. */
function rangeOf(x: Matrix, columns: number, rng: Rng): Matrix {
  const start = rng.fillNormal(new Float64Array(x.columns * columns));
  const across = x.transpose();
  let basis = orthonormal(x.mmul(Matrix.from1DArray(x.columns, columns, start)));
  for (let pass = 0; pass < PASSES; pass++) basis = orthonormal(x.mmul(orthonormal(across.mmul(basis))));
  return basis;
}

function orthonormal(columns: Matrix): Matrix {
  return new QrDecomposition(columns).orthogonalMatrix;
}

/** That of the entry of largest size: eigenvectors come with either. */
function signOf(column: readonly number[]): number {
  return column.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)) < 0 ? -1 : 1;
}
