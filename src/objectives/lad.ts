import { z } from "zod";
import { check } from "../core/errors.ts";
import { preferring } from "../core/options.ts";
import { backboneSize } from "../networks/frozenBackbone.ts";
import { datmOptions } from "./datm.ts";
import { classifierExpertOptions, classifierExperts, experts } from "./experts.ts";
import { initialImagesOption, learningLabels, softmaxLabels } from "./learnedLabels.ts";
import { mttOptions } from "./mtt.ts";
import type { Objective, Preparation } from "./objective.ts";
import type { Matching } from "./segments.ts";
import { snapshotsOf, startEpochOptions } from "./startEpochs.ts";
import { trajectoryMatching } from "./trajectoryMatching.ts";

const datmExperts = datmOptions.shape.experts.unwrap();

export const ladOptions = datmOptions.omit({ threshold: true }).extend({
  startEpochs: mttOptions.shape.startEpochs,
  representationWeight: z
    .number()
    .min(0)
    .default(0.5)
    .describe("λ of the matching of representations; 0 leaves it out"),
  classWeights: z
    .enum(["counts", "none"])
    .default("counts")
    .describe(
      "Of the classes in the student's loss where representations are matched: counts, in proportion to the real training " +
        "images, so that it learns as from long-tailed data; none, as DATM, for ablation",
    ),
  countOffset: z
    .number()
    .min(0)
    .default(0)
    .describe("f, added to each class's count in its weight: the more, the more alike they are"),
  classifier: z
    .strictObject({
      weight: z
        .number()
        .min(0)
        .default(1)
        .describe("λ; 0 leaves it out, and then no classifiers are trained on, for ablation"),
      startEpochs: startEpochOptions
        .extend({ max: startEpochOptions.shape.max.default(1) })
        .prefault({})
        .describe("Epochs of the classifiers at which segments begin, t ~ Uniform{min … max − 1}"),
      expertEpochs: mttOptions.shape.expertEpochs,
      studentSteps: datmOptions.shape.studentSteps,
    })
    .prefault({})
    .describe("The matching of classifiers on frozen representations"),
  experts: datmExperts
    .extend({ weightDecay: preferring(datmExperts.shape.weightDecay, 5e-3) })
    .prefault({})
    .describe(
      "Networks trained on the real images as they are, to the end; made once for all runs that agree",
    ),
  classifierExperts: classifierExpertOptions
    .prefault({})
    .describe("The same with their classifiers trained on, on classes in balance"),
  initialImages: initialImagesOption.describe(
    "Synthetic images at step 0: correct, real ones that the first expert classifies correctly, the same again where they " +
      "are too few, and noise where there are none; run, as the run's initialization says, as for CIFAR-100-LT",
  ),
});

/**
 * Long-tailed dataset distillation by aligned trajectories (LAD; Zhao et al., CVPR 2025, also called DAM-ED and DAMED; from
 * its code): two matchings, whose losses are added up and whose labels are soft and learned, y = softmax(L).
 *
 *     representations   experts trained on the long-tailed images; the student's loss is weighted by w, and all
 *                       parameters before the classifier are compared
 *     classifiers       experts whose classifier alone was trained on, on classes in balance; the same of the student
 *
 *     L = λ_rep L_rep + λ_cls L_cls,   ℓ_rep = −1/B Σ_j Σ_c w_c y_jc log softmax(z_j)_c,   w_c = (n_c + f)/(Σ n + f)
 *
 * so that a balanced synthetic set moves the student as long-tailed images moved the expert. Labels, and by default images,
 * start from the verdicts of the classifiers' experts. No step is skipped for its loss; that code's gradient is `tesla`. Of balanced data all weights are alike, and the student's steps shorter by as much. The code's
 * balanced softmax, which none of its configs uses, is left out. The defaults are those of CIFAR-10-LT at imbalance
 * 100, 10 images per class.
 *
 * @throws InputError where both matchings are left out.
 */
export function lad(options: LadOptions): Objective {
  const { representationWeight, classifier } = options;
  check(
    representationWeight + classifier.weight > 0,
    () =>
      "lad: expected objective.representationWeight or objective.classifier.weight above 0, got 0 for both",
  );
  const representations = representationMatching(options);
  const classifiers = classifier.weight > 0 ? [classifierMatching(options, representations.experts)] : [];
  const judges = classifiers[0]?.experts ?? representations.experts;
  return trajectoryMatching({
    ...options,
    name: "lad",
    matchings: [...(representationWeight > 0 ? [representations] : []), ...classifiers],
    ...learningLabels(options, { experts: judges, turns: 1, rest: "repeated" }),
  });
}

type LadOptions = z.infer<typeof ladOptions>;

/** All parameters before the classifier, of a student whose loss is weighted by class. */
function representationMatching(options: LadOptions): Matching {
  const { startEpochs, expertEpochs, studentSteps, representationWeight: weight } = options;
  const needed = { ...snapshotsOf("objective.startEpochs", startEpochs, expertEpochs), final: true };
  return {
    name: "representations",
    experts: experts(options.experts, needed),
    startEpochs,
    expertEpochs,
    studentSteps,
    weight,
    compared: backboneSize,
    labels(learned, _, { engine, classes }) {
      const labels = softmaxLabels(learned);
      if (options.classWeights === "none") return labels;
      const counts = classes.map((positions) => positions.length);
      const weights = countWeights(counts, options.countOffset);
      return labels.mul(engine.tensor([weights.length], Float64Array.from(weights)));
    },
  };
}

/** The classifier alone, on representations that stay as they are. */
function classifierMatching({ classifier, classifierExperts: how }: LadOptions, of: Preparation): Matching {
  const { weight, startEpochs, expertEpochs, studentSteps } = classifier;
  const needed = {
    ...snapshotsOf("objective.classifier.startEpochs", startEpochs, expertEpochs),
    final: true,
  };
  return {
    name: "classifiers",
    experts: classifierExperts(how, of, needed),
    startEpochs,
    expertEpochs,
    studentSteps,
    weight,
    labels: softmaxLabels,
  };
}

/** Weights of the classes by their real training images n, w_c = (n_c + f)/(Σ n + f). */
export function countWeights(counts: readonly number[], offset: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, offset);
  return counts.map((count) => (count + offset) / total);
}
