import type { z } from "zod";
import { choice, preferring } from "../core/options.ts";
import { bandwidthOptions } from "./bandwidth.ts";
import { classWeights } from "./classWeights.ts";
import { distributionMatching, distributionOptions } from "./distribution.ts";
import { networkSources } from "./networkSources/index.ts";
import type { Objective } from "./objective.ts";
import { spectralMatching, spectralOptions } from "./spectral.ts";
import { crossEntropyOptions } from "./terms/crossEntropy.ts";
import { termsOptions } from "./terms/index.ts";

const spectral = spectralOptions.shape;
const distribution = distributionOptions.shape;

/** Options of NCFM; the defaults are those of its code for CIFAR-10. */
export const ncfmOptions = distributionOptions.extend({
  ...spectral,
  weight: preferring(spectral.weight, 300),
  distance: preferring(spectral.distance, "root"),
  bandwidth: bandwidthOptions
    .extend({ rule: preferring(bandwidthOptions.shape.rule, "fixed") })
    .prefault({})
    .describe(spectral.bandwidth.description!),
  features: preferring(spectral.features, "unit"),
  frequencies: preferring(spectral.frequencies, 4096),
  weighting: choice(classWeights, { name: "fixed" }).describe(spectral.weighting.description!),
  lossScale: preferring(spectral.lossScale, "none"),
  realBatch: preferring(distribution.realBatch, 1024),
  networks: choice(networkSources, { name: "pretrained" }).describe(distribution.networks.description!),
  terms: termsOptions
    .extend({
      crossEntropy: crossEntropyOptions
        .extend({ judge: preferring(crossEntropyOptions.shape.judge, "trained") })
        .prefault({})
        .describe("NCFM's calibration; weight 0 leaves it out"),
    })
    .prefault({})
    .describe(distribution.terms.description!),
});

/**
 * Neural characteristic function matching (NCFM, Wang et al., CVPR 2025): synthetic and real embeddings of each class, each
 * of length 1, shall have the same characteristic function, by the root of the weighted square, under networks between a
 * random start and a trained one, while the trained one shall recognize the images:
 *
 *     L = 300 · Σ_c 1/f Σ_ω √( α (|P_c| − |Q_c|)² + (1 − α) · 2|P_c||Q_c|(1 − cos(arg P_c − arg Q_c)) )
 *         + Σ_c CE( h(A(S_c)), c ),   α = ½,   ω ~ N(0, I)
 *
 * as `spectralMatching`, the source `pretrained` and `crossEntropyTerm` say. The factor 300 is the code's. Any kernel's law
 * and any rule of α by class can stand in, and `sampling: learned` trains the paper's sampling network.
 *
 * Departures from the code. It updates all images 2C times in an iteration, for the first term class after class and then for
 * the second, by one AdamW, so that an image moves on by momentum in the others' updates; and as it splits classes over GPUs,
 * each with an AdamW of its own, its results depend on their number. Here an iteration is one update along the sum, or, by
 * `stepping: perClass`, one for each class. It takes the first 1024 real images of a class in every iteration, where here
 * others are drawn, and gradients at images that are up to ten classes' updates old.
 */
export function ncfm(options: z.infer<typeof ncfmOptions>): Objective {
  return distributionMatching("ncfm", [spectralMatching(options)], options);
}
