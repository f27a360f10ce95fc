import { wholeNumber } from "../src/core/errors.ts";
import type { Rng } from "../src/core/rng.ts";

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
  count: number,
  width: number,
  rng: Rng,
  stretch: () => number,
): Float32Array {
  const omega = emptyFrequencies(count, width);
  for (let i = 0; i < count; i++) {
    const factor = stretch();
    const row = rng.fillNormal(omega.subarray(i * width, (i + 1) * width));
    for (let k = 0; k < width; k++) row[k] = factor * row[k]!;
  }
  return omega;
}

/**
 * Frequencies of a product kernel, which has independent coordinates.
 *
 * @param coordinate draws one, in radians per feature unit.
 * @returns row-major, [count, width].
 */
export function productFrequencies(count: number, width: number, coordinate: () => number): Float32Array {
  const omega = emptyFrequencies(count, width);
  for (let i = 0; i < omega.length; i++) omega[i] = coordinate();
  return omega;
}

function emptyFrequencies(count: number, width: number): Float32Array {
  wholeNumber("frequencies.count", count, 1);
  wholeNumber("frequencies.width", width, 1);
  return new Float32Array(count * width);
}
