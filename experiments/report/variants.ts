import { initializationOption } from "../../src/distillers/initialize.ts";
import { leavesOf, parseOptions } from "../leaves.ts";
import { type Summary } from "./summarize.ts";

type Configured = Pick<Summary, "options" | "steps">;

/** Options by path, of every text that was asked for: a report asks for the same ones many times. */
const known = new Map<string, ReadonlyMap<string, string>>();

/** All options of a summary by path, the number of steps among them. */
export function optionsOf({ options, steps }: Configured): ReadonlyMap<string, string> {
  const text = `${options}\n${steps}`;
  const before = known.get(text);
  if (before) return before;
  const parsed = new Map([...parseOptions(options), ["steps", String(steps)]]);
  known.set(text, parsed);
  return parsed;
}

/** Paths of the options in which two configs differ; one that only one of them has is among them. */
export function differences(one: Configured, other: Configured): string[] {
  const [a, b] = [optionsOf(one), optionsOf(other)];
  return [...new Set([...a.keys(), ...b.keys()])].filter((path) => a.get(path) !== b.get(path));
}

/**
 * Of several configs of one method, the one that the others were varied from: the fewest differences to all of them, and
 * where several have as few, as in a full grid, the one that leaves a coreset's options as they are by default, and then the
 * first by the text of its options, in whatever order they come. Accuracy has no say.
 */
export function mainVariant<T extends Configured>(variants: readonly T[]): T {
  const options = variants.map(optionsOf);
  const paths = new Set(options.flatMap((one) => [...one.keys()]));
  const totals = variants.map(() => 0);
  for (const path of paths) {
    const counts = new Map<string | undefined, number>();
    for (const one of options) counts.set(one.get(path), (counts.get(one.get(path)) ?? 0) + 1);
    options.forEach((one, i) => (totals[i]! += variants.length - counts.get(one.get(path))!));
  }
  const fewest = Math.min(...totals);
  const text = ({ options, steps }: T): string => `${options}\n${steps}`;
  const before = (a: T, b: T): number =>
    ownChoices(a) - ownChoices(b) || (text(a) < text(b) ? -1 : Number(text(a) > text(b)));
  return variants
    .filter((_, i) => totals[i] === fewest)
    .reduce((first, one) => (before(one, first) < 0 ? one : first));
}

/** How many options of how its images start a config has set otherwise than they are by default. */
function ownChoices(one: Configured): number {
  const options = optionsOf(one);
  const usual = initializationOption.safeParse(options.get("initialization.name"));
  if (!usual.success) return 0;
  const leaves = leavesOf({ initialization: usual.data });
  return [...options].filter(
    ([path, value]) => path.startsWith("initialization.") && leaves.get(path) !== value,
  ).length;
}

/** How a config differs from another, "kernel.scale=2, steps=500"; empty where it does not. */
export function changesFrom(main: Configured, one: Configured): string {
  const options = optionsOf(one);
  return differences(main, one)
    .map((path) => `${shortPath(path)}=${options.get(path) ?? "none"}`)
    .join(", ");
}

/**
 * The path of an option without what goes without saying: "kernel.scale" of objective.kernel.scale, "coreset.form" of
 * initialization.form.
 */
export function shortPath(path: string): string {
  return path.replace(/^(objective|plugins)\./, "").replace(/^initialization\.(?!name$)/, "coreset.");
}
