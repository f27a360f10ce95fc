import { z } from "zod";
import { decoded } from "../datasets/partition.ts";
import type { Tensor } from "../engines/index.ts";
import { chunksOf } from "../training/parameterGradient.ts";
import { correctImages, type Search } from "./correctImages.ts";
import { expertOf } from "./experts.ts";
import type { Learned, Preparation, Source } from "./objective.ts";
import { sgdUnlessHeld } from "./stepSize.ts";
import type { TrajectoryMethod } from "./trajectoryMatching.ts";

/** Options of labels that are learned as logits; the defaults are those of DATM's code (Guo et al., ICLR 2024). */
export const learnedLabelOptions = z.strictObject({
  initial: z
    .enum(["correct", "first"])
    .default("correct")
    .describe(
      "Logits at step 0: correct, the mean over the experts that classify the image correctly; first, those of the first " +
        "expert, as DATM and LAD start beside random real images",
    ),
  learningRate: z.number().min(0).default(2).describe("Of the logits, by SGD; 0 holds them"),
  momentum: z.number().min(0).lt(1).default(0.9).describe("Of that SGD"),
});

/** Options of labels that are learned as logits. */
export type LearnedLabelOptions = z.infer<typeof learnedLabelOptions>;

/** Which images a run starts from whose labels experts judge. */
export const initialImagesOption = z.enum(["correct", "run"]).default("correct");

/**
 * What a method brings that learns labels: their rule, and a start by the verdicts of experts on the images at step 0.
 *
 * @param search whose verdicts, and how images are found that they are right about.
 */
export function learningLabels(
  {
    labels,
    initialImages,
  }: { readonly labels: LearnedLabelOptions; readonly initialImages: "correct" | "run" },
  search: Search,
): Required<Pick<TrajectoryMethod, "begin" | "optimizers">> {
  return {
    optimizers: { labelLogits: sgdUnlessHeld(labels) },
    begin(source, rng, given) {
      const found =
        initialImages === "correct" ? correctImages(source, search, rng.stream("images")) : undefined;
      const labelLogits = initialLogits(source, search.experts, found ?? given, labels.initial);
      return { ...(found && { images: found }), learned: { labelLogits } };
    },
  };
}

/** What the student trains on, softmax(L), [n, classes]; differentiable in the logits L. */
export function softmaxLabels({ labelLogits }: Learned): Tensor {
  return labelLogits!.logSoftmax().exp();
}

/**
 * Logits that labels start from, of experts after their training:
 *
 *     L_j = Σ_e [argmax z_e(x_j) = y_j] z_e(x_j) / Σ_e [argmax z_e(x_j) = y_j]
 *
 * or z₀(x_j) for "first". Where no expert is right they are 0, which is the same probability for every class: DATM's code
 * has NaN there, LAD's (Zhao et al., CVPR 2025) the same as here. The logits of a mosaic are the means over its cells.
 *
 * @param images normalized, [n, h, w, c].
 * @returns L, [n, classes].
 */
export function initialLogits(
  source: Source,
  experts: Preparation,
  images: Tensor,
  initial: LearnedLabelOptions["initial"],
): Tensor {
  const { engine, labels, classes } = source;
  const k = classes.length;
  if (initial === "first") return engine.tensor([labels.length, k], logitsBy(source, experts, 0, images));
  const sums = new Float64Array(labels.length * k);
  const right = new Int32Array(labels.length);
  for (let index = 0; index < experts.parts; index++) {
    const logits = logitsBy(source, experts, index, images);
    labels.forEach((label, j) => {
      const row = logits.subarray(j * k, (j + 1) * k);
      if (row.indexOf(Math.max(...row)) !== label) return;
      right[j]!++;
      row.forEach((value, c) => (sums[j * k + c]! += value));
    });
  }
  const means = sums.map((sum, i) => sum / Math.max(1, right[Math.floor(i / k)]!));
  return engine.tensor([labels.length, k], means);
}

/** What an expert says of images, [n · classes]. */
function logitsBy(source: Source, experts: Preparation, index: number, images: Tensor): Float64Array {
  const { engine, labels, classes, partition } = source;
  return engine.scope(() => {
    const { network, ...expert } = expertOf(source, experts, index);
    const parameters = expert.final();
    const shown = partition ? decoded(images, partition) : images;
    const unlabeled = new Int32Array(shown.shape[0]!);
    const logits = chunksOf(network, { images: shown, labels: unlabeled }).map((chunk) =>
      engine.scope(() => engine.noGrad(() => network.logits(parameters, chunk.images))),
    );
    // All at once, since that waits for the device.
    const cells = shown.shape[0]! / labels.length;
    const ofCells = engine.concat(logits).reshape([labels.length, cells, classes.length]);
    return Float64Array.from(ofCells.mean(1).values());
  });
}
