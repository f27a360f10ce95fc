import { z } from "zod";
import { positive } from "../src/core/errors.ts";
import { squaredDistances } from "./distances.ts";
import { radialFrequencies } from "./frequencies.ts";
import type { StationaryKernel } from "./kernel.ts";
import { gamma } from "./laws.ts";
import { scaleOption } from "./options.ts";

export const inverseMultiquadricOptions = z.strictObject({
  scale: scaleOption,
  exponent: z.number().positive().default(0.5).describe("Power b of the decay, k ~ r^(−2b); > 0"),
});

/**
 * Inverse multiquadric, a mixture of Gaussians over Gamma-distributed precisions:
 *
 *     k(x, y) = (1 + r²/ℓ²)^(−b),   r = ‖x − y‖₂,   ω = √(2g)/ℓ · z,   g ~ Gamma(b, 1),   E‖ω‖² = 2bd/ℓ²
 *
 * Some write the length as c.
 */
export function inverseMultiquadric(options: z.infer<typeof inverseMultiquadricOptions>): StationaryKernel {
  const scale = positive("inverseMultiquadric.scale", options.scale);
  const exponent = positive("inverseMultiquadric.exponent", options.exponent);
  return {
    name: `inverseMultiquadric(${scale}, ${exponent})`,
    radial: true,
    gram: (x, y) =>
      squaredDistances(x, y)
        .mul(1 / scale ** 2)
        .add(1)
        .pow(-exponent),
    frequencies: (count, width, rng, directions) =>
      radialFrequencies({ count, width, rng, directions }, () =>
        inverseMultiquadricStretch(gamma(exponent, rng), scale),
      ),
    meanSquaredFrequency: (width) => (2 * exponent * width) / scale ** 2,
  };
}

/** √(2g)/ℓ: the factor on z for a draw g of Gamma(b, 1), where 1/ℓ² is the precision of the Gaussian at g = ½. */
export function inverseMultiquadricStretch(g: number, scale: number): number {
  return Math.sqrt(2 * g) / scale;
}
