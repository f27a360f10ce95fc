import type { z } from "zod";
import { gradientMatching, gradientMatchingOptions, publishedLoops } from "./gradientMatching.ts";
import type { Objective } from "./objective.ts";

export const dcOptions = gradientMatchingOptions;

/**
 * Dataset condensation by gradient matching (DC; Zhao, Mopuri & Bilen, ICLR 2021): one distance for each class, no
 * augmentation. With one image of each class the network is never trained; every update is under a fresh one.
 */
export function dc(options: z.infer<typeof dcOptions>): Objective {
  return gradientMatching({
    ...options,
    name: "dc",
    counterpart: "dsa",
    loops: publishedLoops,
    augments: false,
  });
}
