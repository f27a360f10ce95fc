import { z } from "zod";
import {
  gradientMatching,
  gradientMatchingOptions,
  type LoopTable,
  publishedLoops,
} from "./gradientMatching.ts";
import type { Objective } from "./objective.ts";

export const dccOptions = gradientMatchingOptions.extend({
  warmUp: z
    .strictObject({
      networks: z
        .int()
        .min(0)
        .default(250)
        .describe("Networks, the first of a run, under which the first updates go class by class"),
      updates: z
        .int()
        .min(0)
        .default(10)
        .describe("Updates, the first under each of them, that do; all others take all classes together"),
    })
    .prefault({})
    .describe("Before classes are matched together"),
});

/** The loops of DCC's code, which trains the network at one image per class, too. */
const loops: LoopTable = { ...publishedLoops, 1: [10, 5] };

/**
 * Dataset condensation with contrastive signals (DCC; Lee, Chun, Jung, Yun & Yoon, ICML 2022): after a warm-up by DC's sum over
 * classes, one distance between the gradients on all classes together, which knows how classes differ:
 *
 *     L(S) = D( 1/C Σ_c ∇_θ ℓ(S_c; θ), 1/C Σ_c ∇_θ ℓ(R_c; θ) )
 *
 * It makes ten updates under each network at one image of each class, where DC makes one: compare at equal loops.
 */
export function dcc(options: z.infer<typeof dccOptions>): Objective {
  return gradientMatching({ ...options, name: "dcc", counterpart: "dsac", loops, augments: false });
}

/** DCC with DSA's augmentation, the same for the real and the synthetic images of a class (DSAC). */
export function dsac(options: z.infer<typeof dccOptions>): Objective {
  return gradientMatching({ ...options, name: "dsac", counterpart: "dcc", loops, augments: true });
}
