import type { z } from "zod";
import { gradientMatching, gradientMatchingOptions, publishedLoops } from "./gradientMatching.ts";
import type { Objective } from "./objective.ts";

export const dsaOptions = gradientMatchingOptions;

/**
 * Differentiable siamese augmentation (DSA; Zhao & Bilen, ICML 2021): DC where the real and the synthetic images of a class
 * share one random augmentation in each update, and where the network trains on augmented synthetic images.
 */
export function dsa(options: z.infer<typeof dsaOptions>): Objective {
  return gradientMatching({
    ...options,
    name: "dsa",
    counterpart: "dc",
    loops: publishedLoops,
    augments: true,
  });
}
