import type { Chosen, OptionTable } from "../core/options.ts";
import { z } from "zod";
import { adam, adamOptions } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";
import { plateau, plateauOptions } from "./plateau.ts";
import { sgd, sgdOptions } from "./sgd.ts";

export { adam, adamOptions } from "./adam.ts";
export { type Bounds, clamped } from "./clamped.ts";
export type { Optimizer } from "./optimizer.ts";
export { perClass } from "./perClass.ts";
export { plateau, plateauOptions } from "./plateau.ts";
export { sgd, sgdOptions } from "./sgd.ts";

/** Optimizers by name. */
export const optimizers = {
  sgd: { options: sgdOptions, build: sgd },
  adam: { options: adamOptions, build: adam },
} as const satisfies OptionTable & Record<string, { build(options: never): Optimizer }>;

/** An optimizer's name and options, as a config states them. */
export type OptimizerChoice = Chosen<typeof optimizers>;

/** The optimizer of a choice. */
export function optimizerOf({ name, ...options }: OptimizerChoice): Optimizer {
  // The choice pairs each name with its own options; the compiler cannot follow that through the table.
  const build = optimizers[name].build as (given: typeof options) => Optimizer;
  return build(options);
}

/** How the learning rate goes over the steps, by name; "constant" leaves a rule as it is. */
export const schedules = {
  constant: { options: z.strictObject({}), build: (_, ruleAt) => ruleAt(1) },
  plateau: { options: plateauOptions, build: plateau },
} as const satisfies OptionTable &
  Record<string, { build(options: never, ruleAt: (scale: number) => Optimizer): Optimizer }>;

/** A schedule's name and options, as a config states them. */
export type ScheduleChoice = Chosen<typeof schedules>;

/** The optimizer of a choice under a schedule. @param wrap what else is around it, inside of the schedule. */
export function scheduledOptimizer(
  choice: OptimizerChoice,
  { name, ...options }: ScheduleChoice,
  wrap: (rule: Optimizer) => Optimizer = (rule) => rule,
): Optimizer {
  const build = schedules[name].build as (
    given: typeof options,
    ruleAt: (scale: number) => Optimizer,
  ) => Optimizer;
  return build(options, (scale) =>
    wrap(optimizerOf({ ...choice, learningRate: choice.learningRate * scale })),
  );
}
