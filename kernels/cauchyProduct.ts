import { positive } from "../src/core/errors.ts";
import { differences } from "./distances.ts";
import { productFrequencies } from "./frequencies.ts";
import type { StationaryKernel } from "./kernel.ts";
import { laplaceQuantile } from "./laws.ts";
import { scaleOptions, type ScaleOptions } from "./options.ts";

export const cauchyProductOptions = scaleOptions;

/**
 * Product of Cauchy kernels over coordinates. Its frequencies are independent Laplace variables:
 *
 *     k(x, y) = Πₖ 1/(1 + (xₖ − yₖ)²/ℓ²),   ωₖ = Laplace(0, 1)/ℓ,   E‖ω‖² = 2d/ℓ²
 */
export function cauchyProduct({ scale }: ScaleOptions): StationaryKernel {
  positive("cauchyProduct.scale", scale);
  return {
    name: `cauchyProduct(${scale})`,
    radial: false,
    // The product as a sum of logarithms: over thousands of coordinates it would leave float32's range on the way.
    gram: (x, y) =>
      differences(x, y)
        .mul(1 / scale)
        .square()
        .add(1)
        .log()
        .sum(2)
        .neg()
        .exp(),
    frequencies: (count, width, rng, directions) =>
      productFrequencies({ count, width, rng, directions }, () => laplaceQuantile(rng.uniform()) / scale),
    meanSquaredFrequency: (width) => (2 * width) / scale ** 2,
  };
}
