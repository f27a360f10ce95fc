import { z } from "zod";
import type { Term } from "../term.ts";
import { classCentralizationOptions, classCentralizationTerm } from "./classCentralization.ts";
import { covarianceMatchingOptions, covarianceMatchingTerm } from "./covarianceMatching.ts";
import { crossEntropyOptions, crossEntropyTerm } from "./crossEntropy.ts";

/** Terms that any method can add to its own, each with its options; one that is left out, or of weight 0, is not there. */
export const termsOptions = z.strictObject({
  classCentralization: classCentralizationOptions
    .optional()
    .describe("Features of a class's synthetic images lie together, under networks trained on the real ones"),
  covarianceMatching: covarianceMatchingOptions
    .optional()
    .describe("Local features of real and synthetic images have the same covariance"),
  crossEntropy: crossEntropyOptions.optional().describe("Classification of the synthetic images"),
});

/** The chosen terms, in the order of the options. */
export function termsOf({
  classCentralization,
  covarianceMatching,
  crossEntropy,
}: z.infer<typeof termsOptions>): Term[] {
  const all = [
    // First, since it rolls dice, which go by a term's place: other terms must not change them.
    classCentralization && classCentralizationTerm(classCentralization),
    covarianceMatching && covarianceMatchingTerm(covarianceMatching),
    crossEntropy && crossEntropyTerm(crossEntropy),
  ];
  return all.filter((term) => term !== undefined && term.weight > 0) as Term[];
}
