import { z } from "zod";
import type { Term } from "../term.ts";
import { classCentralizationOptions, classCentralizationTerm } from "./classCentralization.ts";
import { covarianceMatchingOptions, covarianceMatchingTerm } from "./covarianceMatching.ts";
import { crossEntropyOptions, crossEntropyTerm } from "./crossEntropy.ts";

/** Terms that any method can add to its own, each with its options; one that is left out, or of weight 0, is not there. */
export const termsOptions = z.strictObject({
  crossEntropy: crossEntropyOptions.optional().describe("Classification of the synthetic images"),
  classCentralization: classCentralizationOptions
    .optional()
    .describe("Features of a class's synthetic images lie together, under networks trained on the real ones"),
  covarianceMatching: covarianceMatchingOptions
    .optional()
    .describe("Local features of real and synthetic images have the same covariance"),
});

/** The chosen terms, in the order of the table. */
export function termsOf({
  crossEntropy,
  classCentralization,
  covarianceMatching,
}: z.infer<typeof termsOptions>): Term[] {
  const all = [
    crossEntropy && crossEntropyTerm(crossEntropy),
    classCentralization && classCentralizationTerm(classCentralization),
    covarianceMatching && covarianceMatchingTerm(covarianceMatching),
  ];
  return all.filter((term) => term !== undefined && term.weight > 0) as Term[];
}
