import { z } from "zod";
import { check, positive } from "../src/core/errors.ts";
import { absoluteDistances, coordinateProduct } from "./distances.ts";
import { productFrequencies } from "./frequencies.ts";
import type { Tensor } from "../src/engines/index.ts";
import type { StationaryKernel } from "./kernel.ts";
import { cauchyQuantile } from "./laws.ts";
import { type ClippedOptions, clipOption, scaleOption } from "./options.ts";
import { gaussLegendre } from "./quadrature.ts";

export const laplacianOptions = z.strictObject({
  scale: scaleOption,
  clip: clipOption.describe(
    "C: coordinates of frequencies beyond C/ℓ are drawn again, so that gradients vary less; it is another kernel then; >= 1",
  ),
});

/**
 * Laplacian kernel, the product of exp(−|t|/ℓ) over coordinates. Its frequencies are independent Cauchy variables:
 *
 *     k(x, y) = exp(−‖x − y‖₁/ℓ),   ωₖ = tan(π(uₖ − ½))/ℓ,   E‖ω‖² = ∞
 *
 * With the option clip, coordinates beyond C/ℓ are drawn again. That is a kernel of its own, the product over coordinates of
 *
 *     κ(t) = 1/θ ∫₀^θ cos(t tan a/ℓ) da,   θ = arctan C,   with E‖ω‖² = d(C/θ − 1)/ℓ²
 *
 * smooth at zero; `gram` has the integral by Gauss's rule, to 1e-9 up to differences of 8ℓ. The radial exp(−‖x − y‖₂/ℓ) is `matern` of smoothness ½.
 */
export function laplacian({ scale, clip }: ClippedOptions): StationaryKernel {
  positive("laplacian.scale", scale);
  if (clip !== undefined) return clippedLaplacian(scale, clip);
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

function clippedLaplacian(scale: number, clip: number): StationaryKernel {
  check(clip >= 1, () => `laplacian.clip: expected a number >= 1, got ${clip}`);
  const end = Math.atan(clip);
  // cos(t tan a) turns 8C/2π times at the furthest difference that is promised.
  const { nodes, weights } = gaussLegendre(32 + Math.ceil(8 * clip), 0, end);
  const total = weights.reduce((sum, weight) => sum + weight, 0); // θ; divided by, it gives κ(0) = 1 to the last digit
  const coordinate = (differences: Tensor): Tensor => {
    const t = differences.mul(1 / scale);
    return Array.from(nodes, (a, i) =>
      t
        .mul(Math.tan(a))
        .cos()
        .mul(weights[i]! / total),
    ).reduce((all, one) => all.add(one));
  };
  return {
    name: `laplacian(${scale}, clip ${clip})`,
    radial: false,
    gram: (x, y) => coordinateProduct(x, y, coordinate),
    frequencies: (count, width, rng, directions) =>
      productFrequencies(
        { count, width, rng, directions },
        () => Math.tan((2 * rng.uniform() - 1) * end) / scale,
      ),
    meanSquaredFrequency: (width) => (width * (clip / end - 1)) / scale ** 2,
  };
}
