import { z } from "zod";
import { check, positive } from "../core/errors.ts";
import { bind } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import type { Optimizer } from "./optimizer.ts";

export const sgdOptions = z.strictObject({
  learningRate: z
    .number()
    .positive()
    .default(0.01)
    .describe("η, units of the value per unit of gradient; > 0"),
  momentum: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("μ, the share of the last step that is kept; 0 to below 1"),
  weightDecay: z.number().min(0).default(0).describe("λ, added to the gradient as λx; >= 0"),
});

interface SgdState {
  readonly velocity: Tensor;
}

/**
 * Stochastic gradient descent with heavy-ball momentum and L2 weight decay, as PyTorch defines it:
 *
 *     g ← ∇L + λx,   v ← μv + g,   x ← x − ηv,   with v = 0 before the first step
 *
 * The learning rate is outside the velocity and nothing is dampened, so a constant gradient moves x by ηg/(1 − μ) a step.
 */
export function sgd(options: z.infer<typeof sgdOptions>): Optimizer {
  const { learningRate, momentum, weightDecay } = options;
  positive("sgd.learningRate", learningRate);
  check(momentum >= 0 && momentum < 1, () => `sgd.momentum: expected 0 to below 1, got ${momentum}`);
  check(weightDecay >= 0, () => `sgd.weightDecay: expected a number >= 0, got ${weightDecay}`);
  return {
    name: `sgd(${learningRate}, ${momentum}, ${weightDecay})`,
    init: (value) => (momentum === 0 ? null : { velocity: value.engine.fill(value.shape, 0) }),
    update(value, gradient, state) {
      checkGradient("sgd", value, gradient);
      const decayed = weightDecay === 0 ? gradient : gradient.add(value.mul(weightDecay));
      if (momentum === 0) return { value: value.sub(decayed.mul(learningRate)), state: null };
      const velocity = (state as unknown as SgdState).velocity.mul(momentum).add(decayed);
      return { value: value.sub(velocity.mul(learningRate)), state: { velocity } };
    },
    coast(value, state, times) {
      // An update without a gradient is linear in v and x: v ← μv + λx, x ← x − ηv. Some of them are av + bx and cv + dx.
      let [a, b, c, d] = [1, 0, 0, 1];
      for (let i = 0; i < times; i++) {
        [a, b] = [momentum * a + weightDecay * c, momentum * b + weightDecay * d];
        [c, d] = [c - learningRate * a, d - learningRate * b];
      }
      if (momentum === 0) return { value: value.mul(d), state: null };
      const { velocity } = state as unknown as SgdState;
      return {
        value: velocity.mul(c).add(value.mul(d)),
        state: { velocity: velocity.mul(a).add(value.mul(b)) },
      };
    },
  };
}

/** Checks that a gradient has its value's shape: broadcasting would hide that it has not. */
export function checkGradient(where: string, value: Tensor, gradient: Tensor): void {
  const shape = value.shape.join(" ");
  bind(`${where}: gradient`, [gradient, shape]);
}
