import { z } from "zod";
import { positive } from "../src/core/errors.ts";
import { inverseMultiquadric } from "./inverseMultiquadric.ts";
import type { StationaryKernel } from "./kernel.ts";
import { scaleOption } from "./options.ts";

export const rationalQuadraticOptions = z.strictObject({
  scale: scaleOption,
  shape: z.number().positive().default(1).describe("a; the kernel tends to the Gaussian one as a grows; > 0"),
});

/**
 * Rational quadratic kernel, the inverse multiquadric of length ℓ√(2a) and exponent a:
 *
 *     k(x, y) = (1 + r²/(2aℓ²))^(−a),   r = ‖x − y‖₂,   ω = √(g/a)/ℓ · z,   g ~ Gamma(a, 1),   E‖ω‖² = d/ℓ²
 */
export function rationalQuadratic(options: z.infer<typeof rationalQuadraticOptions>): StationaryKernel {
  const scale = positive("rationalQuadratic.scale", options.scale);
  const shape = positive("rationalQuadratic.shape", options.shape);
  return {
    ...inverseMultiquadric({ scale: scale * Math.sqrt(2 * shape), exponent: shape }),
    name: `rationalQuadratic(${scale}, ${shape})`,
  };
}
