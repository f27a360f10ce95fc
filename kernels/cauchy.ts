import { positive } from "../src/core/errors.ts";
import { inverseMultiquadric } from "./inverseMultiquadric.ts";
import type { StationaryKernel } from "./kernel.ts";
import { scaleOptions, type ScaleOptions } from "./options.ts";

export const cauchyOptions = scaleOptions;

/**
 * Radial Cauchy kernel, the inverse multiquadric of exponent 1:
 *
 *     k(x, y) = 1/(1 + r²/ℓ²),   r = ‖x − y‖₂,   ω = √(2g)/ℓ · z,   g ~ Exp(1),   E‖ω‖² = 2d/ℓ²
 */
export function cauchy({ scale }: ScaleOptions): StationaryKernel {
  positive("cauchy.scale", scale);
  return { ...inverseMultiquadric({ scale, exponent: 1 }), name: `cauchy(${scale})` };
}
