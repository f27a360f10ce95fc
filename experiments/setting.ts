import { type NetworkChoice, networks } from "../src/networks/index.ts";
import type { Experiment } from "./config.ts";

/** Name of what made the images, for tables: the method, or how they were initialized where none ran. */
export function methodName(experiment: Experiment): string {
  return experiment.objective?.name ?? experiment.initialization.name;
}

/** "convNet, width 64": an architecture by its name and what is not as it is by default. */
export function networkInWords({ name, ...options }: NetworkChoice): string {
  const presets: Readonly<Record<string, unknown>> = networks[name].options.parse({});
  const own = Object.entries(options).filter(([option, value]) => value !== presets[option]);
  return [name, ...own.map(([option, value]) => `${option} ${value}`)].join(", ");
}
