import { z } from "zod";
import { bind } from "../src/core/shape.ts";
import type { Kernel } from "./kernel.ts";

export const linearOptions = z.strictObject({});

/**
 * Linear kernel, under which the discrepancy of two samples is that of their means, as DM has it:
 *
 *     k(x, y) = ⟨x, y⟩
 */
export function linear(): Kernel {
  return {
    name: "linear",
    gram(x, y) {
      bind("linear", [x, "n d"], [y, "m d"]);
      return x.matMul(y.transpose());
    },
  };
}
