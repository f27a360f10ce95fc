import { parseOptions } from "../leaves.ts";
import { type Summary } from "./summarize.ts";

type Configured = Pick<Summary, "options" | "steps">;

/** All options of a summary by path, the number of steps among them. */
export function optionsOf({ options, steps }: Configured): Map<string, string> {
  return new Map([...parseOptions(options), ["steps", String(steps)]]);
}

/** Paths of the options in which two configs differ; one that only one of them has is among them. */
export function differences(one: Configured, other: Configured): string[] {
  const [a, b] = [optionsOf(one), optionsOf(other)];
  return [...new Set([...a.keys(), ...b.keys()])].filter((path) => a.get(path) !== b.get(path));
}

/**
 * Of several configs of one method, the one that the others were varied from: the fewest differences to all of them,
 * the first where several have as few. Accuracy has no say.
 */
export function mainVariant<T extends Configured>(variants: readonly T[]): T {
  const total = (one: T): number =>
    variants.reduce((sum, other) => sum + (one === other ? 0 : differences(one, other).length), 0);
  const totals = variants.map(total);
  return variants[totals.indexOf(Math.min(...totals))]!;
}

/** How a config differs from another, "kernel.scale=2, steps=500"; empty where it does not. */
export function changesFrom(main: Configured, one: Configured): string {
  const options = optionsOf(one);
  return differences(main, one)
    .map((path) => `${shortPath(path)}=${options.get(path) ?? "none"}`)
    .join(", ");
}

/** The path of an option without what goes without saying: "kernel.scale" of objective.kernel.scale. */
export function shortPath(path: string): string {
  return path.replace(/^(objective|plugins)\./, "");
}
