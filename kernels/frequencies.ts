import { check } from "../src/core/errors.ts";
import type { Rng } from "../src/core/rng.ts";
import { type Directions, emptyRows } from "./directions.ts";

/** How many frequencies of what width, and from which dice. */
export interface Draws {
  readonly count: number;
  /** d. */
  readonly width: number;
  readonly rng: Rng;
  /** Ways that are not those of independent rows. */
  readonly directions?: Directions | undefined;
}

/**
 * Frequencies of a radial kernel that is a mixture of Gaussians (Schoenberg: one that is a kernel in every width):
 *
 *     ω = stretch · z,   z ~ N(0, I)
 *
 * There is one stretch for a whole vector. One for each coordinate would give the product of one-dimensional kernels:
 * the same for d = 1, another kernel above.
 *
 * @param stretch draws one, in radians per feature unit.
 * @returns row-major, [count, width].
 */
export function radialFrequencies(
  { count, width, rng, directions }: Draws,
  stretch: () => number,
): Float32Array {
  const omega = directions?.(count, width, rng) ?? emptyRows(count, width);
  for (let i = 0; i < count; i++) {
    const factor = stretch();
    const row = omega.subarray(i * width, (i + 1) * width);
    if (!directions) rng.fillNormal(row);
    for (let k = 0; k < width; k++) row[k] = factor * row[k]!;
  }
  return omega;
}

/**
 * Frequencies of a product kernel, which has independent coordinates.
 *
 * @param coordinate draws one, in radians per feature unit.
 * @returns row-major, [count, width].
 * @throws InputError for directions: independent coordinates have no common stretch to take a normal vector by.
 */
export function productFrequencies(
  { count, width, directions }: Draws,
  coordinate: () => number,
): Float32Array {
  check(
    directions === undefined,
    () =>
      "frequencies: expected independent ones, as coordinates are drawn one by one, got a structure; " +
      "choose independent, or a radial kernel, such as matern12 for laplacian or cauchy for cauchyProduct",
  );
  const omega = emptyRows(count, width);
  for (let i = 0; i < omega.length; i++) omega[i] = coordinate();
  return omega;
}
