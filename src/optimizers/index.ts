import type { Chosen, OptionTable } from "../core/options.ts";
import { adam, adamOptions } from "./adam.ts";
import type { Optimizer } from "./optimizer.ts";
import { sgd, sgdOptions } from "./sgd.ts";

export { adam, adamOptions } from "./adam.ts";
export type { Optimizer } from "./optimizer.ts";
export { perClass } from "./perClass.ts";
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
