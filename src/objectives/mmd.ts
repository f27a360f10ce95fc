import { z } from "zod";
import { kernelOf, kernels, meanScale } from "../../kernels/index.ts";
import { check } from "../core/errors.ts";
import { choice } from "../core/options.ts";
import { kernelDiscrepancy, unbiasedKernelDiscrepancy } from "../losses/kernelDiscrepancy.ts";
import { bandwidthOptions, lengthMetrics, lengthsOf, pickOf } from "./bandwidth.ts";
import { distributionMatching, distributionOptions } from "./distribution.ts";
import { featuresOf, featuresOption } from "./features.ts";
import type { Objective } from "./objective.ts";
import { eachClass, keptFeatures, type Term, termWeight } from "./term.ts";

/** Options of what compares embeddings by a kernel as a whole. */
export const kernelMatchingOptions = z.strictObject({
  weight: termWeight,
  kernel: choice(kernels, { name: "gaussian" }).describe(
    "Kernel of the discrepancy; its scale is in units of the bandwidth",
  ),
  bandwidth: bandwidthOptions
    .prefault({})
    .describe("Unit of the kernel's scale, anew for each step's network"),
  features: featuresOption,
  statistic: z
    .enum(["biased", "unbiased"])
    .default("biased")
    .describe(
      "With each image's similarity to itself, or without, which takes 2 synthetic images of a class or more",
    ),
  realBlock: z
    .boolean()
    .default(false)
    .describe(
      "Whether similarities between real images are in the loss: the distance itself, where else it is lower by what no " +
        "image changes",
    ),
  lossScale: z
    .enum(["bandwidth", "none"])
    .default("bandwidth")
    .describe(
      "Times d/E‖ω‖² (of kernels where that is infinite, ℓ² in Euclidean length): at large bandwidth the loss is then DM's, " +
        "and learning rates carry over",
    ),
});

export const mmdOptions = distributionOptions.extend(kernelMatchingOptions.shape);

/**
 * Matching in the squared maximum mean discrepancy (MMD), by Gram matrices, as M3D does (Zhang et al., AAAI 2024):
 * synthetic and real embeddings of each class shall be alike under a kernel,
 *
 *     L = s · Σ_c MMD²( f(A(R_c)), f(A(S_c)) )
 *
 * with `kernelDiscrepancy`'s MMD² and the option lossScale for s. The linear kernel gives DM; one with frequencies what CSDM
 * estimates at α = ½, without the noise of drawing them. It holds the real features of a step. Bandwidth, loss scale and
 * optimizer are those of CSDM and DM here, not M3D's.
 */
export function mmd(options: z.infer<typeof mmdOptions>): Objective {
  return distributionMatching("mmd", [kernelMatching(options)], options);
}

/** MMD's term. */
export function kernelMatching(options: z.infer<typeof kernelMatchingOptions>): Term {
  const { kernel: chosen, statistic, realBlock, features } = options;
  kernelOf(chosen); // a kernel that cannot be is refused here, not in the first step
  const discrepancy = statistic === "biased" ? kernelDiscrepancy : unbiasedKernelDiscrepancy;
  return {
    weight: options.weight,
    ...pickOf(options.bandwidth, chosen),
    prepare({ source, picked }) {
      const lengths = lengthsOf(options.bandwidth, chosen, picked && featuresOf(picked, features));
      const scale = options.lossScale === "none" ? 1 : meanScale(chosen, source.network.width, lengths);
      const { gram } = kernelOf(chosen, lengths);
      return keptFeatures((real) => ({
        loss(synthetic) {
          check(
            statistic === "biased" || Math.min(...synthetic.counts) > 1,
            () => "mmd.statistic: unbiased takes at least 2 synthetic images of each class; choose biased",
          );
          return eachClass(synthetic)
            .map(({ label, values }) =>
              discrepancy(featuresOf(real(label), features), featuresOf(values, features), gram, {
                realBlock,
              }),
            )
            .reduce((total, loss) => total.add(loss))
            .mul(scale);
        },
        metrics: lengthMetrics(lengths),
      }));
    },
  };
}
