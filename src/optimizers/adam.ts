import { z } from "zod";
import { check, positive } from "../core/errors.ts";
import type { Tensor } from "../engines/index.ts";
import type { Optimizer } from "./optimizer.ts";
import { checkGradient } from "./sgd.ts";

export const adamOptions = z.strictObject({
  learningRate: z
    .number()
    .positive()
    .default(0.001)
    .describe("η, about the size of a step, units of the value; > 0"),
  beta1: z.number().min(0).lt(1).default(0.9).describe("β₁, memory of the mean; 0 to below 1"),
  beta2: z.number().min(0).lt(1).default(0.999).describe("β₂, memory of the squares; 0 to below 1"),
  epsilon: z.number().positive().default(1e-8).describe("ε, gradients below it move the value little; > 0"),
  weightDecay: z.number().min(0).default(0).describe("λ; >= 0"),
  decoupled: z
    .boolean()
    .default(false)
    .describe("Decay the value itself (AdamW) instead of adding λx to the gradient"),
});

interface AdamState {
  /** Updates done. */
  readonly step: number;
  readonly mean: Tensor;
  readonly square: Tensor;
}

/**
 * Adam (Kingma and Ba, ICLR 2015, algorithm 1), and AdamW (Loshchilov and Hutter, ICLR 2019) where the decay is decoupled:
 *
 *     coupled: g ← ∇L + λx;   decoupled: x ← (1 − ηλ)x
 *     m ← β₁m + (1 − β₁)g,   s ← β₂s + (1 − β₂)g²
 *     x ← x − η m̂/(√ŝ + ε),   m̂ = m/(1 − β₁ᵗ),  ŝ = s/(1 − β₂ᵗ),  t = 1, 2, …
 */
export function adam(options: z.infer<typeof adamOptions>): Optimizer {
  const { learningRate, beta1, beta2, epsilon, weightDecay, decoupled } = options;
  positive("adam.learningRate", learningRate);
  positive("adam.epsilon", epsilon);
  for (const [name, beta] of Object.entries({ beta1, beta2 })) {
    check(beta >= 0 && beta < 1, () => `adam.${name}: expected 0 to below 1, got ${beta}`);
  }
  check(weightDecay >= 0, () => `adam.weightDecay: expected a number >= 0, got ${weightDecay}`);
  const coupledDecay = decoupled ? 0 : weightDecay;
  const shrinkage = decoupled ? 1 - learningRate * weightDecay : 1;
  return {
    name: `${decoupled ? "adamW" : "adam"}(${learningRate}, ${beta1}, ${beta2}, ${epsilon}, ${weightDecay})`,
    init: ({ engine, shape }) => ({ step: 0, mean: engine.fill(shape, 0), square: engine.fill(shape, 0) }),
    update(value, gradient, state) {
      checkGradient("adam", value, gradient);
      const last = state as unknown as AdamState;
      const g = coupledDecay === 0 ? gradient : gradient.add(value.mul(coupledDecay));
      const step = last.step + 1;
      const mean = last.mean.mul(beta1).add(g.mul(1 - beta1));
      const square = last.square.mul(beta2).add(g.square().mul(1 - beta2));
      const root = square.div(1 - beta2 ** step).sqrt(); // √ŝ
      const move = mean.mul(learningRate / (1 - beta1 ** step)).div(root.add(epsilon));
      const start = shrinkage === 1 ? value : value.mul(shrinkage);
      return { value: start.sub(move), state: { step, mean, square } };
    },
  };
}
