import { z } from "zod";
import { check, positive, wholeNumber } from "../src/core/errors.ts";
import { bind } from "../src/core/shape.ts";
import type { Kernel } from "./kernel.ts";
import { scaleOption } from "./options.ts";

export const polynomialOptions = z.strictObject({
  scale: scaleOption,
  offset: z.number().min(0).default(1).describe("c, the weight of lower powers; >= 0"),
  degree: z.int().min(1).max(16).default(2).describe("q: moments up to this order are compared; 1 to 16"),
});

export type PolynomialOptions = z.infer<typeof polynomialOptions>;

/**
 * Polynomial kernel, under which two samples differ by their moments up to order q:
 *
 *     k(x, y) = (⟨x, y⟩/ℓ² + c)^q
 *
 * Some write γ for 1/ℓ².
 */
export function polynomial(options: PolynomialOptions): Kernel {
  const scale = positive("polynomial.scale", options.scale);
  const degree = wholeNumber("polynomial.degree", options.degree, 1);
  const { offset } = options;
  check(offset >= 0, () => `polynomial.offset: expected a number >= 0, got ${offset}`);
  return {
    name: `polynomial(${scale}, ${offset}, ${degree})`,
    gram(x, y) {
      bind("polynomial", [x, "n d"], [y, "m d"]);
      const base = x
        .matMul(y.transpose())
        .mul(1 / scale ** 2)
        .add(offset);
      // Products, as a power's derivatives of every order are not finite at base 0 on every engine.
      return Array.from({ length: degree - 1 }).reduce<typeof base>((power) => power.mul(base), base);
    },
  };
}
