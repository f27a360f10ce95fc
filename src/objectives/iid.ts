import type { z } from "zod";
import { distributionMatching, distributionOptions } from "./distribution.ts";
import { meanMatching } from "./dm.ts";
import type { Objective } from "./objective.ts";
import { classCentralizationOptions } from "./terms/classCentralization.ts";
import { covarianceMatchingOptions } from "./terms/covarianceMatching.ts";
import { termsOptions } from "./terms/index.ts";

export const iidOptions = distributionOptions.extend({
  terms: termsOptions
    .extend({
      classCentralization: classCentralizationOptions
        .prefault({})
        .describe(termsOptions.shape.classCentralization.description!),
      covarianceMatching: covarianceMatchingOptions
        .prefault({})
        .describe(termsOptions.shape.covarianceMatching.description!),
    })
    .prefault({})
    .describe("Added to DM's; by default IID's two at the weights of its code on DM"),
});

/**
 * Inter-sample and inter-feature relations (IID; Deng et al., CVPR 2024) on top of DM: synthetic images of a class shall lie
 * together in the features of trained networks, and their local features shall vary together as those of real images do:
 *
 *     L = L_DM + λ_CC · L_CC + λ_CM · L_CM
 *
 * by the terms `classCentralization` and `covarianceMatching`. Every other method can add these two as well: on top of IDM,
 * IID is `idm` with both, at 0.01 and 0.03. Of one image of each class, not a mosaic, both are without gradient, and IID
 * is DM.
 */
export function iid(options: z.infer<typeof iidOptions>): Objective {
  return distributionMatching("iid", [meanMatching], options);
}
