import { z } from "zod";
import type { Tensor } from "../engines/index.ts";
import { type GradientPenalty, penalized, type Plugin } from "../objectives/objective.ts";

export const difficultyCorrectionOptions = z.strictObject({
  weight: z
    .number()
    .min(0)
    .default(0.002)
    .describe("λ; the value that the paper's tables use most. 0 leaves the objective as it is, to the bit"),
  norm: z
    .enum(["l2", "squared", "sumOfNorms"])
    .default("l2")
    .describe("‖g‖₂ over all parameters together, its square, or the sum of each tensor's ‖·‖₂"),
});

/**
 * Sample difficulty correction (SDC): favors synthetic samples that a network finds easy, by a penalty on the norm of the
 * gradient it takes on them:
 *
 *     L ↦ L + λ ‖g‖,   g = ∇_θ ℓ(θ; S)
 *
 * The gradient's norm is the paper's difficulty of a sample (GraDN). Which norm the paper means its text leaves open; the
 * plain one follows its definition of difficulty.
 */
export function difficultyCorrection(options: z.infer<typeof difficultyCorrectionOptions>): Plugin {
  const { weight, norm } = options;
  if (weight === 0) return (inner) => inner;
  const difficulty = norms[norm];
  const penalty: GradientPenalty = (gradient) => difficulty(gradient).mul(weight);
  return (inner) => ({ ...penalized(inner, penalty), name: `${inner.name}+sdc` });
}

const squaredNorm = (gradient: readonly Tensor[]): Tensor =>
  gradient.map((part) => part.square().sum()).reduce((total, part) => total.add(part));

// Where a gradient vanishes its norm has no derivative; this keeps it finite, and changes no norm above 1e-9.
const SQUARED_FLOOR = 1e-24;

const norms = {
  l2: (gradient: readonly Tensor[]) => squaredNorm(gradient).add(SQUARED_FLOOR).sqrt(),
  squared: squaredNorm,
  sumOfNorms: (gradient: readonly Tensor[]) =>
    gradient
      .map((part) => part.square().sum().add(SQUARED_FLOOR).sqrt())
      .reduce((total, part) => total.add(part)),
};
