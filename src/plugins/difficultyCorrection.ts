import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Tensor } from "../engines/index.ts";
import { type GradientPenalty, penalized, type Plugin } from "../objectives/objective.ts";

const riseOptions = z.strictObject({
  to: z.number().positive().describe("λ at the end, and from there on; > 0"),
  steps: z.int().min(1).describe("Updates of the images until then"),
  law: z
    .enum(["log", "geometric"])
    .default("log")
    .describe("In the logarithm of the step, as the paper says it, or λ's own logarithm in the step"),
});

export const difficultyCorrectionOptions = z.strictObject({
  weight: z
    .number()
    .min(0)
    .default(0.002)
    .describe("λ; the value that the paper's tables use most. 0 leaves the objective as it is, to the bit"),
  norm: z
    .enum(["l2", "squared", "sumOfNorms", "meanOfNorms"])
    .default("l2")
    .describe("‖g‖₂ over all tensors together, its square, or the sum or mean of each tensor's ‖·‖₂"),
  tensors: z
    .enum(["all", "weights"])
    .default("all")
    .describe("Of the gradient: all, or filters and matrices alone, which gradient matching compares"),
  images: z
    .enum(["augmented", "clean"])
    .default("augmented")
    .describe("That the gradient is taken on: as the step augments them, or as they are"),
  rise: riseOptions.optional().describe("λ grows over the steps (ASDC); without, it stays"),
});

type Options = z.infer<typeof difficultyCorrectionOptions>;

/**
 * Sample difficulty correction (SDC): favors synthetic samples that a network finds easy, by a penalty on the norm of the
 * gradient it takes on them:
 *
 *     L ↦ L + λ ‖g‖,   g = ∇_θ ℓ(θ; S)
 *
 * The gradient's norm is the paper's difficulty of a sample (GraDN). Which norm the paper means its text leaves open; the
 * plain one follows its definition of difficulty. Gradient matching has one term for each class, as it has a gradient of
 * each; distribution matching one for all classes.
 *
 * Adaptive correction (ASDC) is a λ that rises from `weight` to `rise.to` over T steps, and stays there:
 *
 *     log        λ(s) = λ₀ + (λ₁ − λ₀) ln(1 + s) / ln(1 + T)
 *     geometric  λ(s) = λ₀ (λ₁ / λ₀)^(s/T)
 *
 * where s counts updates of the images: gradient matching at one image of each class has 1000 of them under DSA, 10,000 under
 * DSAC, as the paper's T.
 *
 * @throws InputError for a geometric rise from 0.
 */
export function difficultyCorrection(options: Options): Plugin {
  const { weight, images, rise } = options;
  check(
    rise?.law !== "geometric" || weight > 0,
    () => "difficultyCorrection.weight: expected more than 0 for a geometric rise, got 0; rise by law log",
  );
  if (weight === 0 && !rise) return (inner) => inner;
  const difficulty = difficultyOf(options);
  const penalty: GradientPenalty = (gradient, step) =>
    difficulty(gradient).mul(correctionWeight(options, step));
  return (inner) => ({
    ...penalized(inner, { [images]: penalty }),
    name: `${inner.name}+${rise ? "asdc" : "sdc"}`,
  });
}

/** λ at a step, which counts updates of the images from 0. */
export function correctionWeight({ weight, rise }: Pick<Options, "weight" | "rise">, step: number): number {
  if (!rise) return weight;
  const { to, steps, law } = rise;
  const s = Math.min(step, steps);
  return law === "geometric"
    ? weight * (to / weight) ** (s / steps)
    : weight + (to - weight) * (Math.log1p(s) / Math.log1p(steps));
}

/** The norm of a gradient that stands for how difficult samples are. */
function difficultyOf({ norm, tensors }: Options): (gradient: readonly Tensor[]) => Tensor {
  if (tensors === "all") return norms[norm];
  return (gradient) => norms[norm](gradient.filter(({ shape }) => shape.length > 1));
}

const total = (terms: readonly Tensor[]): Tensor => terms.reduce((sum, term) => sum.add(term));

const squaredNorm = (gradient: readonly Tensor[]): Tensor =>
  total(gradient.map((part) => part.square().sum()));

// Where a gradient vanishes its norm has no derivative; this keeps it finite, and changes no norm above 1e-9.
const SQUARED_FLOOR = 1e-24;

const l2 = (gradient: readonly Tensor[]): Tensor => squaredNorm(gradient).add(SQUARED_FLOOR).sqrt();

const norms = {
  l2,
  squared: squaredNorm,
  sumOfNorms: (gradient: readonly Tensor[]) => total(gradient.map((part) => l2([part]))),
  meanOfNorms: (gradient: readonly Tensor[]) => norms.sumOfNorms(gradient).div(gradient.length),
};
