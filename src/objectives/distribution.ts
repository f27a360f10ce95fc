import { z } from "zod";
import type { Rng } from "../core/rng.ts";
import { type Augmentation, drawAugmentation } from "../datasets/augment.ts";
import type { Tensor } from "../engines/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import { imagesAtOnce, initialTensors, type Parameters } from "../networks/network.ts";
import type { Draw, GradientPenalty, Learned, Objective, Source } from "./objective.ts";
import { parameterGradient } from "../training/parameterGradient.ts";
import { augmented, comparisonsWith } from "./realFeatures.ts";
import type { ClassFeatures, Comparison, Term } from "./term.ts";

export const distributionOptions = z.strictObject({
  realBatch: z
    .int()
    .min(1)
    .default(256)
    .describe("Real images of each class in a step; all of a class that has fewer"),
  precision: z
    .enum(["full", "bf16"])
    .default("full")
    .describe(
      "Of convolutions of real images: the engine's, or products of bfloat16, faster on some processors and GPUs; " +
        "docs/performance.md has its effect on the loss",
    ),
});

export interface DistributionDraw extends Draw {
  /** Where it was drawn from. */
  readonly source: Source;
  /** Parameters of the step's random network. */
  readonly network: Parameters;
  /** One for each class, shared by its real and synthetic images. */
  readonly augmentations: readonly Augmentation[];
  /** What each term compares the synthetic embeddings with. */
  readonly comparisons: readonly { readonly weight: number; readonly comparison: Comparison }[];
}

/**
 * A method that compares embeddings of real and synthetic images of each class under a fresh random network (DM's
 * iteration, Zhao & Bilen 2023, algorithm 1), by a sum of terms:
 *
 *     L(S) = Σ_terms weight · Σ_c term( f(A_c(R_c)), f(A_c(S_c)) )
 *
 * with a siamese augmentation A_c of each class. Classes go through the network together, as many images at once as it
 * takes, so that memory does not grow with their number; that changes nothing where samples do not interact. Under batch
 * norm they do: then all real images form one batch, and all synthetic ones another, as DM's own code has it.
 *
 * A penalty on the synthetic gradient sees that of the mean cross-entropy on the augmented synthetic images under the
 * step's network.
 */
export function distributionMatching(
  name: string,
  terms: readonly Term[],
  { realBatch, precision }: z.infer<typeof distributionOptions>,
): Objective<DistributionDraw> {
  return {
    name,
    draw(source, rng, { step }) {
      const { engine, network, classes, real } = source;
      const theta = initialTensors(network.parameters, engine, rng.stream("network"));
      const batches = classes.map((members, label) =>
        sample(members, realBatch, rng.stream(`real/${label}`)),
      );
      const augmentations = classes.map((_, label) =>
        drawAugmentation(
          source.augmentation,
          "siamese",
          real.imageShape,
          rng.stream(`augmentation/${label}`),
        ),
      );
      const found = engine.noGrad(
        () => comparisonsWith({ source, network: theta, batches, augmentations }, terms, rng),
        precision,
      );
      const comparisons = terms.map(({ weight }, i) => ({ weight, comparison: found[i]! }));
      const metrics: Record<string, number> = {};
      for (const comparison of found) Object.assign(metrics, comparison.metrics);
      return { step, source, network: theta, augmentations, comparisons, metrics };
    },
    loss: (learned, draw, penalty) => lossOf(allClasses(draw.source), learned.images, draw, penalty),
    /** The loss is a sum over classes: some at a time, and the gradients of their images put together. */
    descent(learned, draw, penalty) {
      const { engine } = draw.source;
      return engine.scope(() => {
        const groups = classGroups(draw.source);
        const tied = penalty && groups.length > 1 ? tangent(penalty, learned, draw) : undefined;
        const parts = groups.map((classes) =>
          engine.scope(() =>
            engine.gradients(
              (images) => lossOf(classes, images!, draw, tied?.slope ?? penalty),
              [imagesOf(classes, learned, draw.source)],
            ),
          ),
        );
        const values = [...parts.map(({ value }) => value), ...(tied ? [tied.rest] : [])];
        const images = engine.concat(parts.map(({ gradients }) => gradients[0]!));
        return { value: sum(values), gradients: { images } };
      });
    },
  };
}

/** Up to `count` of the members, without replacement. */
function sample(members: Int32Array, count: number, rng: Rng): Int32Array {
  return rng
    .permutation(members.length)
    .subarray(0, count)
    .map((i) => members[i]!);
}

/**
 * Loss of some consecutive classes by their synthetic images. A penalty sees their part of the gradient: what their images
 * contribute to that of the mean cross-entropy over all classes.
 */
function lossOf(
  classes: readonly number[],
  images: Tensor,
  { source, network: theta, augmentations, comparisons, step }: DistributionDraw,
  penalty?: GradientPenalty,
): Tensor {
  const { engine, network, imagesPerClass } = source;
  const rows = { classes, counts: classes.map(() => imagesPerClass) };
  const inputs = augmented({ ...rows, values: images }, augmentations);
  let embeddings: Tensor | undefined;
  const extra: Tensor[] = [];
  if (penalty) {
    const labels = source.labels.slice(classes[0]! * imagesPerClass, (classes.at(-1)! + 1) * imagesPerClass);
    const share = classes.length / source.classes.length;
    const training = (...parameters: Tensor[]): Tensor => {
      embeddings = network.embed(parameters, inputs); // that the terms compare, too: one pass for both
      return crossEntropy(network.classify(parameters, embeddings), labels).mul(share);
    };
    extra.push(penalty(engine.gradients(training, theta).gradients, step));
  }
  const synthetic: ClassFeatures = { ...rows, values: embeddings ?? network.embed(theta, inputs) };
  const losses = comparisons.map(({ weight, comparison }) => comparison.loss(synthetic).mul(weight));
  return sum([...losses, ...extra]);
}

/**
 * A penalty R at the gradient g on all synthetic images, as a sum over groups of them: its slope v = ∂R/∂g makes the
 * gradient in the images exact, and the rest makes up for the value.
 *
 *     R(g) = Σ_groups ⟨v, g_group⟩ + rest,   rest = R(g) − ⟨v, g⟩
 */
function tangent(
  penalty: GradientPenalty,
  { images }: Learned,
  { source, network: theta, augmentations, step }: DistributionDraw,
): { readonly slope: GradientPenalty; readonly rest: Tensor } {
  const { engine, network, labels, imagesPerClass } = source;
  const classes = allClasses(source);
  const along = (v: readonly Tensor[], part: readonly Tensor[]): Tensor =>
    sum(part.map((one, i) => one.mul(v[i]!).sum()));
  const { v, rest } = engine.scope(() => {
    const rows = { classes, counts: classes.map(() => imagesPerClass), values: images };
    const g = parameterGradient(network, theta, { images: augmented(rows, augmentations), labels });
    const { value, gradients } = engine.gradients((...at) => penalty(at, step), g);
    return { v: gradients, rest: value.sub(along(gradients, g)) };
  });
  return { slope: (part) => along(v, part), rest };
}

const sum = (tensors: readonly Tensor[]): Tensor => tensors.reduce((total, tensor) => total.add(tensor));

const allClasses = ({ classes }: Source): number[] => classes.map((_, label) => label);

/** Consecutive classes with at most `imagesAtOnce` synthetic images together, at least one; all where images are tied. */
function classGroups(source: Source): number[][] {
  const { network, imagesPerClass } = source;
  const all = allClasses(source);
  if (network.statistics.length > 0) return [all];
  const size = Math.max(1, Math.floor(imagesAtOnce(network) / imagesPerClass));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** Synthetic images of consecutive classes. */
function imagesOf(classes: readonly number[], { images }: Learned, { imagesPerClass }: Source): Tensor {
  const [, ...shape] = images.shape;
  return images.slice([classes[0]! * imagesPerClass, 0, 0, 0], [classes.length * imagesPerClass, ...shape]);
}
