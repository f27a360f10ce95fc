import { methodOf } from "../labels.ts";
import { groups, type Summary } from "../summarize.ts";
import { optionsOf } from "../variants.ts";

/** Summaries that differ in one option and in nothing else that could move their accuracy. */
export interface OptionCurve {
  /** Path of the option, as in objective.kernel.scale. */
  readonly path: string;
  readonly method: string;
  /** With their values of the option; at least two values are different. */
  readonly points: readonly { readonly value: string; readonly summary: Summary }[];
}

/** Columns that the summaries of a curve share; their options and steps are looked at one by one. */
const columns = [
  "dataset",
  "imbalance",
  "imagesPerClass",
  "network",
  "protocol",
  "evaluationNetwork",
  "objective",
  "plugins",
] as const;

/** All curves over an option that the summaries hold, steps among the options, by method and in order of appearance. */
export function optionCurves(summaries: readonly Summary[]): OptionCurve[] {
  const measured = summaries.filter(({ accuracy }) => Number.isFinite(accuracy.mean));
  return [...groups(measured, columns).values()].flatMap((group) => {
    const configs = group.map((summary) => ({ summary, options: optionsOf(summary) }));
    const paths = new Set(configs.flatMap(({ options }) => [...options.keys()]));
    return [...paths].flatMap((path) => {
      const having = configs.filter(({ options }) => options.has(path));
      if (new Set(having.map(({ options }) => options.get(path))).size < 2) return [];
      const ignored = dependents(path, having);
      const keyed = having.map(({ summary, options }) => ({
        summary,
        value: options.get(path)!,
        rest: JSON.stringify([...options].filter(([other]) => other !== path && !ignored.has(other)).sort()),
      }));
      return [...groups(keyed, ["rest"]).values()]
        .filter((points) => new Set(points.map(({ value }) => value)).size > 1)
        .map((points) => ({
          path,
          method: methodOf(group[0]!),
          points: points.map(({ value, summary }) => ({ value, summary })),
        }));
    });
  });
}

/**
 * Options that come and go with the value of a choice: beside objective.kernel.name, those of objective.kernel that only
 * some kernels have.
 */
function dependents(
  path: string,
  configs: readonly { readonly options: ReadonlyMap<string, string> }[],
): ReadonlySet<string> {
  if (!path.endsWith(".name")) return new Set();
  const prefix = path.slice(0, -"name".length);
  const beside = configs.flatMap(({ options }) =>
    [...options.keys()].filter((other) => other.startsWith(prefix)),
  );
  return new Set(beside.filter((other) => configs.some(({ options }) => !options.has(other))));
}

/** Whether all values are numbers. */
export function isNumeric(values: readonly string[]): boolean {
  return values.every((value) => value.trim() !== "" && Number.isFinite(Number(value)));
}
