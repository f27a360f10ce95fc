import { positive } from "../src/core/errors.ts";
import { absoluteDistances } from "./distances.ts";
import { productFrequencies } from "./frequencies.ts";
import type { StationaryKernel } from "./kernel.ts";
import { cauchyQuantile } from "./laws.ts";
import { scaleOptions, type ScaleOptions } from "./options.ts";

export const laplacianOptions = scaleOptions;

/**
 * Laplacian kernel, the product of exp(−|t|/ℓ) over coordinates. Its frequencies are independent Cauchy variables:
 *
 *     k(x, y) = exp(−‖x − y‖₁/ℓ),   ωₖ = tan(π(uₖ − ½))/ℓ,   E‖ω‖² = ∞
 *
 * The radial exp(−‖x − y‖₂/ℓ) is `matern` of smoothness ½.
 */
export function laplacian({ scale }: ScaleOptions): StationaryKernel {
  positive("laplacian.scale", scale);
  return {
    name: `laplacian(${scale})`,
    radial: false,
    gram: (x, y) =>
      absoluteDistances(x, y)
        .mul(-1 / scale)
        .exp(),
    frequencies: (count, width, rng, directions) =>
      productFrequencies({ count, width, rng, directions }, () => cauchyQuantile(rng.uniform()) / scale),
    meanSquaredFrequency: () => Infinity,
  };
}
