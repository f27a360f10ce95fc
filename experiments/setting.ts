import type { Experiment } from "./config.ts";

/** Name of what made the images, for tables: the method, or how they were initialized where none ran. */
export function methodName(experiment: Experiment): string {
  return experiment.objective?.name ?? experiment.initialization;
}
