import type { z } from "zod";
import { choice } from "../core/options.ts";
import { distributionMatching, distributionOptions } from "./distribution.ts";
import { meanMatching } from "./dm.ts";
import { networkSources } from "./networkSources/index.ts";
import type { Objective } from "./objective.ts";
import { crossEntropyOptions } from "./terms/crossEntropy.ts";
import { termsOptions } from "./terms/index.ts";

const { weight, factor } = crossEntropyOptions.shape;

export const idmOptions = distributionOptions.extend({
  networks: choice(networkSources, { name: "queue" }).describe(
    distributionOptions.shape.networks.description!,
  ),
  terms: termsOptions
    .extend({
      crossEntropy: crossEntropyOptions
        .extend({
          weight: weight.unwrap().default(0.5).describe(weight.description!),
          factor: factor.unwrap().default("accuracyPercent").describe(factor.description!),
        })
        .prefault({})
        .describe(termsOptions.shape.crossEntropy.description!),
    })
    .prefault({})
    .describe("Added to DM's; by default IDM's at its weight for 10 images of each class of CIFAR-10"),
});

/**
 * Improved distribution matching (IDM; Zhao et al., CVPR 2023): DM under semi-trained networks of a queue, which synthetic
 * images shall also be classified by, the more so the better a network knows the real ones:
 *
 *     L = Σ_c ‖ mean f(A(R_c)) − mean f(A(S_c)) ‖²  +  λ a_f · Σ_c mean −log softmax(h(f(A(S_c))))_c
 *
 * with f, h one of the queue's networks and its classifier, and a_f its running training accuracy in percent, so that λ a_f is
 * 30 for λ = 0.5 and an accuracy of 60 %. The networks train on real images after each step, as `queue` says.
 *
 * What else the paper has is said of the run and not of the method: `partition` makes mosaics of the images, and `stepping:
 * perClass`, as its code steps, goes with its optimizer, SGD at learning rate 0.2 and momentum 0.5.
 */
export function idm(options: z.infer<typeof idmOptions>): Objective {
  return distributionMatching("idm", [meanMatching], options);
}
