import { check } from "../../src/core/errors.ts";
import { labelAmong, listed, methodOf } from "./labels.ts";
import { inOrder } from "./order.ts";
import { pairBySeed, type Pairing } from "./pairs.ts";
import { groups, settings, type Summary } from "./summarize.ts";
import { differences, mainVariant, optionsOf, shortPath } from "./variants.ts";

/** Two configs that share seeds and all but one thing, or two methods of one setting. */
export interface PairedComparison {
  /** What differs. */
  readonly kind: "plugins" | "options" | "methods";
  readonly one: Summary;
  /** What it is held against. */
  readonly other: Summary;
  /** What differs, in words: "difficultyCorrection, weight=0.002", "kernel.scale=4", "iid". */
  readonly change: string;
  /** `one` in words. */
  readonly compared: string;
  /** `other` in words. */
  readonly against: string;
  /** `one` minus `other`. */
  readonly pairing: Pairing;
}

/** What is left of a comparison before it is paired and put into words. */
type Pair = Pick<PairedComparison, "kind" | "one" | "other" | "change" | "compared" | "against">;

/**
 * All paired comparisons of a report, setting by setting:
 *
 * - plugins: each config with a plugin against the same one without it; with several, without each and without all.
 * - options: each config of a method against its main one, where they differ in one option.
 * - methods: the main config of each against that of the baseline, on the same training images. A method that only wraps
 *   another in plugins is left to the first kind.
 *
 * @param baseline a method as `methodOf` names it, or an experiment, which is then its method's main config too; by default
 *   the first method of each setting in the order of all tables.
 */
export function pairedComparisons(summaries: readonly Summary[], baseline?: string): PairedComparison[] {
  const measured = settings(summaries.filter(({ accuracy }) => Number.isFinite(accuracy.mean)));
  const chosen = summaries.find(({ experiment }) => experiment === baseline);
  const pairs = measured.flatMap((rivals) => {
    const wrapped = pluginPairs(rivals);
    const corrected = new Set(wrapped.map(({ one }) => one));
    return [
      ...wrapped,
      ...optionPairs(rivals, corrected, chosen),
      ...methodPairs(rivals, corrected, chosen ?? baseline),
    ];
  });
  return pairs
    .map((pair) => withVariedOptions(pair, pairs))
    .map((pair, _, worded) => withExperiment(pair, worded))
    .map((pair) => ({
      ...pair,
      pairing: pairBySeed(pair.one.distillations, pair.other.distillations),
    }));
}

/** @throws InputError if a baseline is neither a method nor an experiment of these. */
export function checkBaseline(summaries: readonly Summary[], baseline: string | undefined): void {
  const methods = [...new Set(summaries.map(methodOf))];
  check(
    baseline === undefined ||
      methods.includes(baseline) ||
      summaries.some(({ experiment }) => experiment === baseline),
    () =>
      `--baseline: expected a method, ${listed(
        methods.map((method) => `"${method}"`),
        "or",
      )}, or the name of an experiment, got "${baseline}"`,
  );
}

function pluginPairs(rivals: readonly Summary[]): Pair[] {
  return rivals.flatMap((one) =>
    removalsOf(one).flatMap((removed): Pair[] => {
      const partners = rivals.filter((other) => isWithout(one, removed, other));
      const other = mostPairs(one, partners);
      if (!other) return [];
      const against = labelAmong(rivals, other);
      return [{ kind: "plugins", one, other, change: removed.join(" + "), compared: methodOf(one), against }];
    }),
  );
}

const pluginsOf = ({ plugins }: Summary): string[] => plugins.split(" ").filter((name) => name !== "");

/** Each plugin, and where there are several all of them. */
function removalsOf(one: Summary): string[][] {
  const names = pluginsOf(one);
  return [...names.map((name) => [name]), ...(names.length > 1 ? [names] : [])];
}

function isWithout(one: Summary, removed: readonly string[], other: Summary): boolean {
  const left = pluginsOf(one).filter((name) => !removed.includes(name));
  return (
    other.objective === one.objective &&
    other.plugins === left.join(" ") &&
    differences(one, other).every((path) => removed.some((name) => path.startsWith(`plugins.${name}.`)))
  );
}

/** Of experiments with the same config, the one with most seeds in common. */
function mostPairs(one: Summary, partners: readonly Summary[]): Summary | undefined {
  const pairs = (other: Summary): number =>
    pairBySeed(one.distillations, other.distillations).difference?.differences.length ?? 0;
  return partners.reduce<Summary | undefined>(
    (best, other) => (best && pairs(best) >= pairs(other) ? best : other),
    undefined,
  );
}

function optionPairs(
  rivals: readonly Summary[],
  corrected: ReadonlySet<Summary>,
  chosen: Summary | undefined,
): Pair[] {
  return [...groups(rivals, ["objective", "plugins"]).values()].flatMap((alike) => {
    const other = alike.find((one) => chosen && isSame(one, chosen)) ?? mainVariant(alike);
    return alike.flatMap((one): Pair[] => {
      const path = onlyDifference(one, other);
      // A plugin's own options are compared with what it is without the plugin.
      if (path === undefined || (corrected.has(one) && path.startsWith("plugins."))) return [];
      const worded = (summary: Summary): string =>
        `${shortPath(path)}=${optionsOf(summary).get(path) ?? "none"}`;
      const [compared, against] = [one, other].map((summary) => `${methodOf(summary)}, ${worded(summary)}`);
      return [{ kind: "options", one, other, change: worded(one), compared: compared!, against: against! }];
    });
  });
}

const isSame = (one: Summary, other: Summary): boolean =>
  methodOf(one) === methodOf(other) && differences(one, other).length === 0;

/** The option in which two configs differ, with those that come and go with it: beside kernel.name, a kernel's scale. */
function onlyDifference(one: Summary, other: Summary): string | undefined {
  const paths = differences(one, other);
  const choice = paths.find((path) => path.endsWith(".name"));
  const [a, b] = [optionsOf(one), optionsOf(other)];
  const dependent = (path: string): boolean =>
    choice !== undefined &&
    path !== choice &&
    path.startsWith(choice.slice(0, -"name".length)) &&
    a.has(path) !== b.has(path);
  const independent = paths.filter((path) => !dependent(path));
  return independent.length === 1 ? independent[0] : undefined;
}

function methodPairs(
  rivals: readonly Summary[],
  corrected: ReadonlySet<Summary>,
  baseline: Summary | string | undefined,
): Pair[] {
  const methods = [...groups(rivals, ["objective", "plugins"]).values()];
  const name =
    typeof baseline === "object" ? methodOf(baseline) : (baseline ?? inOrder(rivals.map(methodOf))[0]);
  const own = methods.find(([one]) => methodOf(one!) === name);
  const other =
    typeof baseline === "object"
      ? own?.find((one) => isSame(one, baseline))
      : own === undefined
        ? undefined
        : mainVariant(own);
  if (!other) return [];
  return methods
    .map((alike) => mainVariant(alike))
    .filter((one) => methodOf(one) !== name && !corrected.has(one) && sameData(one, other))
    .map((one) => {
      const [compared, against] = [methodOf(one), methodOf(other)];
      return { kind: "methods", one, other, change: compared, compared, against };
    });
}

function sameData(one: Summary, other: Summary): boolean {
  return differences(one, other).every((path) => !path.startsWith("data."));
}

/** With the options of plugins that are not the same in all comparisons of these plugins. */
function withVariedOptions(pair: Pair, pairs: readonly Pair[]): Pair {
  if (pair.kind !== "plugins") return pair;
  const alike = pairs
    .filter(({ kind, change }) => kind === "plugins" && change === pair.change)
    .map(({ one }) => optionsOf(one));
  const names = pair.change.split(" + ");
  const varied = [...new Set(alike.flatMap((options) => [...options.keys()]))].filter(
    (path) =>
      names.some((name) => path.startsWith(`plugins.${name}.`)) &&
      new Set(alike.map((options) => options.get(path))).size > 1,
  );
  const short = (path: string): string =>
    names.length > 1 ? shortPath(path) : path.slice(`plugins.${names[0]!}.`.length);
  const values = varied.map((path) => `${short(path)}=${optionsOf(pair.one).get(path) ?? "none"}`);
  return {
    ...pair,
    change: [pair.change, ...values].join(", "),
    compared: [pair.compared, ...values].join(", "),
  };
}

/** With the experiment's name where another one of the same setting has the same config. */
function withExperiment(pair: Pair, pairs: readonly Pair[]): Pair {
  const twins = pairs.filter(
    ({ compared, other }) => compared === pair.compared && other === pair.other,
  ).length;
  if (twins < 2) return pair;
  const { experiment } = pair.one;
  return {
    ...pair,
    change: `${pair.change}, ${experiment}`,
    compared: `${pair.compared}, ${experiment}`,
  };
}
