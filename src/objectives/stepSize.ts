import type { z } from "zod";
import { Divergence } from "../core/errors.ts";
import { clamped } from "../optimizers/clamped.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { sgd } from "../optimizers/sgd.ts";
import type { Learned } from "./objective.ts";
import type { trajectoryOptions } from "./trajectoryOptions.ts";

/** The rule of a student's step size β: SGD, held at the floor or above where there is one. */
export function stepSizeOptimizer({
  stepSize: { learningRate, momentum, floor },
}: Pick<z.infer<typeof trajectoryOptions>, "stepSize">): Optimizer {
  const rule = sgdUnlessHeld({ learningRate, momentum });
  return floor === undefined ? rule : clamped(rule, { low: [floor], high: [Infinity] });
}

/** SGD, or at rate 0 what leaves a value as it is. */
export function sgdUnlessHeld(options: {
  readonly learningRate: number;
  readonly momentum: number;
}): Optimizer {
  return options.learningRate === 0 ? held : sgd({ ...options, weightDecay: 0 });
}

/** Leaves a value as it is. */
const held: Optimizer = { name: "held", init: () => null, update: (value) => ({ value, state: null }) };

/** @throws Divergence where β is not positive: nothing can be trained by it. */
export function checkStepSize(name: string, { stepSize }: Learned, step: number): void {
  const beta = stepSize!.item();
  if (beta > 0) return;
  throw new Divergence(
    `${name}, step ${step}: expected a positive step size β after the update, got ${beta}; ` +
      "lower objective.stepSize.learningRate, or state objective.stepSize.floor",
  );
}
