/** Rows that are finished together before the others are freed of them: as many as stay in a processor's cache. */
const TOGETHER = 16;

/**
 * Orthonormal rows that span what the given ones do, row by row, with a positive diagonal in the triangular factor (Gram and
 * Schmidt, by blocks). Of normal rows these are uniformly distributed among all such frames.
 *
 * @param rows row-major, [n, width] with n ≤ width, linearly independent; overwritten and returned.
 */
export function orthonormalize(rows: Float64Array, width: number): Float64Array {
  const n = rows.length / width;
  for (let first = 0; first < n; first += TOGETHER) {
    const end = Math.min(first + TOGETHER, n);
    for (let i = first; i < end; i++) {
      for (let j = first; j < i; j++) subtract(rows, i * width, j * width, width);
      normalize(rows, i * width, width);
    }
    for (let i = end; i < n; i++) {
      let j = first;
      for (; j + 4 <= end; j += 4) subtractFour(rows, i * width, j * width, width);
      for (; j < end; j++) subtract(rows, i * width, j * width, width);
    }
  }
  return rows;
}

/** Frees the row that begins at x of its part along the one at q. */
function subtract(rows: Float64Array, x: number, q: number, width: number): void {
  let along = 0;
  for (let k = 0; k < width; k++) along += rows[x + k]! * rows[q + k]!;
  for (let k = 0; k < width; k++) rows[x + k] = rows[x + k]! - along * rows[q + k]!;
}

/** Frees the row at x of its parts along the four from q on, which are orthonormal: each is read twice for all four. */
function subtractFour(rows: Float64Array, x: number, q: number, width: number): void {
  const [q1, q2, q3] = [q + width, q + 2 * width, q + 3 * width];
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let k = 0; k < width; k++) {
    const value = rows[x + k]!;
    a += value * rows[q + k]!;
    b += value * rows[q1 + k]!;
    c += value * rows[q2 + k]!;
    d += value * rows[q3 + k]!;
  }
  for (let k = 0; k < width; k++) {
    rows[x + k] = rows[x + k]! - a * rows[q + k]! - b * rows[q1 + k]! - c * rows[q2 + k]! - d * rows[q3 + k]!;
  }
}

function normalize(rows: Float64Array, x: number, width: number): void {
  let squares = 0;
  for (let k = 0; k < width; k++) squares += rows[x + k]! ** 2;
  const factor = 1 / Math.sqrt(squares);
  for (let k = 0; k < width; k++) rows[x + k] = rows[x + k]! * factor;
}
