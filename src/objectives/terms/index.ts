import { z } from "zod";
import type { Term } from "../term.ts";
import { crossEntropyOptions, crossEntropyTerm } from "./crossEntropy.ts";

/** Terms that any method can add to its own, each with its options; one that is left out, or of weight 0, is not there. */
export const termsOptions = z.strictObject({
  crossEntropy: crossEntropyOptions.optional().describe("Classification of the synthetic images"),
});

/** The chosen terms, in the order of the table. */
export function termsOf({ crossEntropy }: z.infer<typeof termsOptions>): Term[] {
  const all = [crossEntropy && crossEntropyTerm(crossEntropy)];
  return all.filter((term) => term !== undefined && term.weight > 0) as Term[];
}
