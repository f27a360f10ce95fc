import type { z } from "zod";
import { classMeanDiscrepancy } from "../losses/meanDiscrepancy.ts";
import { classMeans } from "../losses/segments.ts";
import { distributionMatching, distributionOptions } from "./distribution.ts";
import type { Objective } from "./objective.ts";
import { foldedMeans, rowsOf, type Term } from "./term.ts";

export const dmOptions = distributionOptions;

/**
 * Distribution matching (DM; Zhao & Bilen, WACV 2023, eq. 5): synthetic images of each class shall have the same mean
 * embedding as its real images, under random networks:
 *
 *     L = Σ_c ‖ mean f(A(R_c)) − mean f(A(S_c)) ‖²
 *
 * summed, not averaged, over the d components and the classes; no feature normalization.
 */
export function dm(options: z.infer<typeof dmOptions>): Objective {
  return distributionMatching("dm", [meanMatching], options);
}

/** DM's term, which methods that add to DM begin with. */
export const meanMatching: Term = {
  weight: 1,
  prepare: ({ counts }) =>
    foldedMeans(
      counts,
      (real) => ({ means: classMeans(real.values, real.counts) }),
      ({ means }) => ({
        loss: ({ values, classes, counts }) => classMeanDiscrepancy(rowsOf(means, classes), values, counts),
      }),
    ),
};
