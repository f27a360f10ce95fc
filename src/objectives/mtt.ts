import type { z } from "zod";
import { expertOptions, experts } from "./experts.ts";
import { snapshotsOf, startEpochOptions } from "./startEpochs.ts";
import type { Objective } from "./objective.ts";
import type { Matching } from "./segments.ts";
import { trajectoryMatching } from "./trajectoryMatching.ts";
import { gradientOption, gradientText, trajectoryOptions } from "./trajectoryOptions.ts";

export const mttOptions = trajectoryOptions.extend({
  startEpochs: startEpochOptions
    .extend({ max: startEpochOptions.shape.max.default(20) })
    .prefault({})
    .describe("Epochs of the experts at which segments begin, t ~ Uniform{min … max − 1}"),
  gradient: gradientOption.default("exact").describe(gradientText),
  experts: expertOptions
    .prefault({})
    .describe("Networks trained on the real images, made once for all runs that agree"),
});

/**
 * Matching training trajectories (MTT; Cazenavette, Wang, Torralba, Efros & Zhu, CVPR 2022). Nothing is averaged over
 * experts: one segment in each step.
 */
export function mtt(options: z.infer<typeof mttOptions>): Objective {
  return trajectoryMatching({ ...options, name: "mtt", matchings: [wholePath(options)] });
}

/** One matching of all parameters, under experts of one kind. */
export function wholePath({
  startEpochs,
  expertEpochs,
  studentSteps,
  experts: options,
}: Pick<z.infer<typeof mttOptions>, "startEpochs" | "expertEpochs" | "studentSteps" | "experts">): Matching {
  const needed = { ...snapshotsOf("objective.startEpochs", startEpochs, expertEpochs), final: false };
  return { experts: experts(options, needed), startEpochs, expertEpochs, studentSteps };
}
