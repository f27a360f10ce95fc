import { z } from "zod";
import type { Tensor } from "../engines/index.ts";
import { sharpnessOptions } from "../training/sharpness.ts";
import { expertOptions } from "./experts.ts";
import { mttOptions, wholePath } from "./mtt.ts";
import type { Objective } from "./objective.ts";
import { trajectoryMatching } from "./trajectoryMatching.ts";

export const ftdOptions = mttOptions.extend({
  experts: expertOptions
    .extend({
      sharpness: sharpnessOptions.prefault({}).describe("Training towards flat minima, by adaptive GSAM"),
    })
    .prefault({})
    .describe("Networks trained on the real images along a flat path, made once for all runs that agree"),
  averageDecay: z
    .number()
    .min(0)
    .lt(1)
    .default(0.9995)
    .describe("d, the share of the averaged images that an update keeps; 0 hands out the images themselves"),
});

/**
 * Flat trajectory distillation (FTD; Du, Jiang, Tan, Zhou & Li, CVPR 2023): MTT with experts that descend with adaptive GSAM,
 * so that a student's small errors grow less along their paths, and with images that are averaged over the updates,
 *
 *     X̄ ← d X̄ + (1 − d) X,   X̄ = X before the first.
 *
 * X̄ is what a run hands out; students never see it. It is evaluated on fresh networks, where the published code goes on
 * training those that were just trained on X.
 */
export function ftd(options: z.infer<typeof ftdOptions>): Objective {
  const { averageDecay: d } = options;
  return trajectoryMatching({
    ...options,
    name: "ftd",
    matchings: [wholePath(options)],
    begin: (_source, _rng, images) => ({ state: { average: images.detach() } }),
    after: ({ images }, { carried }) => ({
      average: images.engine.scope(() => (carried.average as Tensor).mul(d).add(images.mul(1 - d))),
    }),
    result: (learned, { average }) => ({ ...learned, images: average as Tensor }),
  });
}
