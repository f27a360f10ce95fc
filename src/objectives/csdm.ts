import type { z } from "zod";
import { distributionMatching, distributionOptions } from "./distribution.ts";
import type { Objective } from "./objective.ts";
import { spectralMatching, spectralOptions } from "./spectral.ts";

export const csdmOptions = distributionOptions.extend(spectralOptions.shape);

/**
 * Class-aware spectral distribution matching (CSDM, arXiv 2603.01698): synthetic and real embeddings of each class shall
 * have the same characteristic function, at frequencies ω drawn from a kernel's spectral law, with amplitudes weighing
 * more in head classes and phases more in tail classes:
 *
 *     L = s · Σ_c 1/f Σ_ω [ α_c (|P_c| − |Q_c|)² + (1 − α_c) · 2|P_c||Q_c|(1 − cos(arg P_c − arg Q_c)) ]
 *
 * as `spectralMatching` says. The paper leaves its optimizer, network source and count of frequencies open; here they are
 * DM's, and options.
 */
export function csdm(options: z.infer<typeof csdmOptions>): Objective {
  return distributionMatching("csdm", [spectralMatching(options)], options);
}
