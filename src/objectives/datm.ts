import { z } from "zod";
import { preferring } from "../core/options.ts";
import { expertOptions, experts } from "./experts.ts";
import { initialImagesOption, learnedLabelOptions, learningLabels, softmaxLabels } from "./learnedLabels.ts";
import { mttOptions } from "./mtt.ts";
import type { Objective } from "./objective.ts";
import { snapshotsOf } from "./startEpochs.ts";
import { trajectoryMatching } from "./trajectoryMatching.ts";
import { sharpnessOptions } from "../training/sharpness.ts";

export const datmOptions = mttOptions.extend({
  studentSteps: preferring(mttOptions.shape.studentSteps, 80),
  startEpochs: mttOptions.shape.startEpochs
    .unwrap()
    .prefault({ max: 20, growth: { from: 10, steps: 1000 } })
    .describe(
      "Epochs of the experts at which segments begin, t ~ Uniform{min … bound − 1}, the later ones only from some step on; " +
        "what is stated takes the place of all of the default",
    ),
  experts: expertOptions
    .extend({
      epochs: preferring(expertOptions.shape.epochs, 100),
      sharpness: sharpnessOptions.prefault({}).describe("Training towards flat minima, by adaptive GSAM"),
    })
    .prefault({})
    .describe("Networks trained on the real images, to the end; made once for all runs that agree"),
  labels: learnedLabelOptions.prefault({}).describe("Soft labels, learned with the images as logits"),
  initialImages: initialImagesOption.describe(
    "Synthetic images at step 0: correct, real ones that an expert classifies correctly; run, as the run's " +
      "initialization says, as for CIFAR-100 at 50 images per class",
  ),
  threshold: z
    .number()
    .positive()
    .default(1)
    .describe("Updates of a loss above it are skipped; 1 is that of a student that stays where it is"),
});

/**
 * Difficulty-aligned trajectory matching (DATM; Guo, Wang, Cazenavette, Li, Zhang & You, ICLR 2024): segments of the experts'
 * paths come from the epochs whose patterns so many images can hold, early ones for few images, late ones for many; and
 * labels are soft and learned, y = softmax(L), by ∂/∂L of the same loss.
 *
 * Experts are those of FTD, trained to the end. Images start from real ones that experts classify correctly: the first one
 * goes through a class, then the next; of a class that all of them see too few of, the others in random order, and then all
 * again, where the published code does not end. Logits start as `initialLogits` says. The defaults are those of CIFAR-10 at
 * 10 images per class.
 */
export function datm(options: z.infer<typeof datmOptions>): Objective {
  const { startEpochs, expertEpochs, studentSteps } = options;
  const needed = { ...snapshotsOf("objective.startEpochs", startEpochs, expertEpochs), final: true };
  const judges = experts(options.experts, needed);
  return trajectoryMatching({
    ...options,
    name: "datm",
    matchings: [{ experts: judges, startEpochs, expertEpochs, studentSteps, labels: softmaxLabels }],
    ...learningLabels(options, { experts: judges, turns: judges.parts, rest: "others" }),
  });
}
