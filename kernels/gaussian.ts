import { positive } from "../src/core/errors.ts";
import { squaredDistances } from "./distances.ts";
import { radialFrequencies } from "./frequencies.ts";
import type { StationaryKernel } from "./kernel.ts";
import { scaleOptions, type ScaleOptions } from "./options.ts";

export const gaussianOptions = scaleOptions;

/**
 * Gaussian kernel, with the Gaussian law of frequencies:
 *
 *     k(x, y) = exp(−r²/2ℓ²),   r = ‖x − y‖₂,   ω = z/ℓ,   E‖ω‖² = d/ℓ²
 */
export function gaussian({ scale }: ScaleOptions): StationaryKernel {
  positive("gaussian.scale", scale);
  return {
    name: `gaussian(${scale})`,
    radial: true,
    gram: (x, y) =>
      squaredDistances(x, y)
        .mul(-1 / (2 * scale ** 2))
        .exp(),
    frequencies: (count, width, rng, directions) =>
      radialFrequencies({ count, width, rng, directions }, () => 1 / scale),
    meanSquaredFrequency: (width) => width / scale ** 2,
  };
}
