import { positive } from "../src/core/errors.ts";
import type { Rng } from "../src/core/rng.ts";

/**
 * Gamma law of a given shape and scale 1, density ∝ g^(shape − 1) e^(−g): the squeeze-free rejection of Marsaglia and
 * Tsang, "A simple method for generating gamma variables" (ACM TOMS 26, 2000), exact. Their boost g·u^(1/shape) covers
 * shapes under 1.
 *
 * @param shape > 0; mean and variance of the law.
 * @throws InputError unless shape > 0.
 */
export function gamma(shape: number, rng: Rng): number {
  positive("gamma.shape", shape);
  // 1 − u lies in (0, 1]: neither boost nor logarithm meets a zero.
  if (shape < 1) return gamma(shape + 1, rng) * (1 - rng.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = rng.normal();
    const v = (1 + c * z) ** 3;
    const logU = Math.log(1 - rng.uniform());
    if (v > 0 && logU < 0.5 * z * z + d * (1 - v + Math.log(v))) return d * v;
  }
}

/**
 * χ² law: the sum of `degrees` squared standard normals, for any real degrees > 0. Mean `degrees`, variance twice that.
 */
export function chiSquared(degrees: number, rng: Rng): number {
  return 2 * gamma(degrees / 2, rng);
}

/**
 * The u-quantile of the standard Cauchy law, density 1/(π(1 + t²)).
 *
 * @param u in [0, 1).
 */
export function cauchyQuantile(u: number): number {
  return Math.tan(Math.PI * (u - 0.5));
}

/**
 * The u-quantile of the standard Laplace law, density e^(−|t|)/2.
 *
 * @param u in [0, 1), a multiple of 2⁻⁵³ as `Rng.uniform` gives it; 0 stands for the middle of its cell, 2⁻⁵⁴.
 */
export function laplaceQuantile(u: number): number {
  return u < 0.5 ? Math.log(2 * Math.max(u, 2 ** -54)) : -Math.log(2 * (1 - u));
}
