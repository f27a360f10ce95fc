/** Points in feature space, one after another: embeddings of images. */
export interface Rows {
  /** [count, width]. */
  readonly values: Float32Array | Float64Array;
  /** Numbers of each. */
  readonly width: number;
}

/** How many there are. */
export function countOfRows({ values, width }: Rows): number {
  return values.length / width;
}

/** ⟨xᵢ, v⟩ of each row. */
export function products({ values, width }: Rows, vector: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: values.length / width }, (_, i) => {
    let sum = 0;
    for (let j = 0, at = i * width; j < width; j++, at++) sum += values[at]! * vector[j]!;
    return sum;
  });
}

/** ‖xᵢ‖² of each row. */
export function squaredNorms({ values, width }: Rows): Float64Array {
  return Float64Array.from({ length: values.length / width }, (_, i) => {
    let sum = 0;
    for (let at = i * width; at < (i + 1) * width; at++) sum += values[at]! ** 2;
    return sum;
  });
}

/** Row i, as part of all. */
export function rowOf({ values, width }: Rows, i: number): Float32Array | Float64Array {
  return values.subarray(i * width, (i + 1) * width);
}

/** The mean of all rows. */
export function meanOfRows(rows: Rows): Float64Array {
  const count = countOfRows(rows);
  const mean = new Float64Array(rows.width);
  for (let i = 0; i < count; i++) rowOf(rows, i).forEach((value, j) => (mean[j]! += value / count));
  return mean;
}

/** The rows on the unit sphere, xᵢ/‖xᵢ‖; zeros stay zeros. */
export function normalizedRows({ values, width }: Rows): Rows {
  const norms = squaredNorms({ values, width }).map(Math.sqrt);
  return { values: values.map((value, at) => value / (norms[Math.floor(at / width)]! || 1)), width };
}

/** Position of the smallest score among those that are open; the first of several. −1 where none is. */
export function lowest(scores: Float64Array, isOpen: (i: number) => boolean): number {
  let best = -1;
  for (let i = 0; i < scores.length; i++) {
    if (isOpen(i) && (best < 0 || scores[i]! < scores[best]!)) best = i;
  }
  return best;
}
