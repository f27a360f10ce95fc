import { homeSettings, inName, inWords, sharedBy } from "./charts/setting.ts";
import type { ReportData } from "./data.ts";
import { listed, pluralOf } from "./labels.ts";
import { pairedComparisons, type PairedComparison } from "./pairedComparisons.ts";
import { groups, type Summary } from "./summarize.ts";

/** Paired comparisons of one kind on one data set, which one table and one chart show. */
export interface PairedGroup {
  /** Part of file names, unique in a report. */
  readonly id: string;
  readonly kind: PairedComparison["kind"];
  readonly title: string;
  /** Data, networks and protocol, and what had no partner. */
  readonly setting: string;
  /** How many intervals there are, and what to expect of so many. */
  readonly chance: string;
  /** By imbalance and images per class, then in the order of the report; not empty. */
  readonly comparisons: readonly PairedComparison[];
  /** Whether imbalances or images per class differ. */
  readonly several: { readonly imbalance: boolean; readonly imagesPerClass: boolean };
}

/**
 * Paired comparisons by kind, data set, networks and protocol. Options and methods are left out where images are evaluated
 * on another network than they were distilled with, and where no comparison has the two pairs that an interval takes: their
 * means are in other tables. Plugins are not, since who adds one wants to know where it carries over, and that seeds are
 * missing.
 */
export function pairedGroups({ summaries, baseline }: ReportData): PairedGroup[] {
  const home = new Set(homeSettings(summaries).flat());
  const keyed = pairedComparisons(summaries, baseline).map((comparison) => {
    const { dataset, network, protocol, evaluationNetwork } = comparison.one;
    return { comparison, kind: comparison.kind, dataset, network, protocol, evaluationNetwork };
  });
  const kinds = (["plugins", "options", "methods"] as const).flatMap((kind) =>
    keyed.filter((one) => one.kind === kind),
  );
  const shown = kinds.filter(({ kind, comparison }) => kind === "plugins" || home.has(comparison.one));
  const found = [...groups(shown, ["kind", "dataset", "network", "protocol", "evaluationNetwork"]).values()]
    .map((alike) => alike.map(({ comparison }) => comparison))
    .filter((comparisons) => comparisons[0]!.kind === "plugins" || intervalsOf(comparisons).length > 0)
    .map((comparisons) => groupOf(comparisons, summaries));
  return found.map((group) =>
    found.some((other) => other !== group && other.title === group.title) ? withSetting(group) : group,
  );
}

/** Told from others of its kind and data set by how it was distilled and judged. */
function withSetting(group: PairedGroup): PairedGroup {
  const { network, protocol, evaluationNetwork } = group.comparisons[0]!.one;
  const from = network === evaluationNetwork ? "" : ` from ${network}`;
  return { ...group, title: `${group.title}, by ${protocol} on ${evaluationNetwork}${from}` };
}

/** How the numbers are made. */
export const pairingNote =
  "Distillations of the same seed are a pair; their evaluation networks, of the same seeds too, are averaged first. " +
  "In brackets the 95 % interval of the mean difference by Student’s t over the pairs.";

const titles = {
  plugins: "With and without plugins",
  options: "One option changed",
  methods: "Methods",
} as const satisfies Record<PairedComparison["kind"], string>;

function groupOf(unordered: readonly PairedComparison[], summaries: readonly Summary[]): PairedGroup {
  const comparisons = inOrder(unordered);
  const shown = comparisons.map(({ one }) => one);
  const { kind } = comparisons[0]!;
  const setting = sharedBy(shown);
  const against = [...new Set(comparisons.map((comparison) => comparison.against))];
  const versus = kind === "methods" && against.length === 1 ? ` against ${against[0]!}` : "";
  return {
    id: `paired-${kind}-${inName(setting, summaries)}`,
    kind,
    title: `${titles[kind]}${versus}, paired by seed: ${shown[0]!.dataset}`,
    setting: [inWords(setting), ...leftOut(comparisons)].join(" "),
    chance: chanceOf(comparisons),
    comparisons,
    several: {
      imbalance: setting.imbalance === undefined,
      imagesPerClass: setting.imagesPerClass === undefined,
    },
  };
}

/** By setting, then as they come; those that differ in one number are neighbors, and the number rises. */
function inOrder(comparisons: readonly PairedComparison[]): PairedComparison[] {
  const keyed = comparisons.map((comparison) => {
    const { change, one, against } = comparison;
    const [, name, value] = /^(.*=)(.+?)$/.exec(change) ?? [];
    const numeric = value !== undefined && value.trim() !== "" && Number.isFinite(Number(value));
    const { imbalance, imagesPerClass } = one;
    return {
      comparison,
      imbalance,
      imagesPerClass,
      against,
      name: numeric ? name : change,
      value: numeric ? Number(value) : 0,
    };
  });
  const bySetting = [...groups(keyed, ["imbalance", "imagesPerClass"]).values()].sort(
    ([a], [b]) => a!.imbalance - b!.imbalance || a!.imagesPerClass - b!.imagesPerClass,
  );
  return bySetting
    .flatMap((setting) => [...groups(setting, ["against"]).values()])
    .flatMap((alike) => [...groups(alike, ["name"]).values()])
    .flatMap((varied) => [...varied].sort((a, b) => a.value - b.value))
    .map(({ comparison }) => comparison);
}

/** Those that have an interval. */
export function intervalsOf(comparisons: readonly PairedComparison[]): PairedComparison[] {
  return comparisons.filter(({ pairing }) => pairing.difference?.interval !== undefined);
}

function leftOut(comparisons: readonly PairedComparison[]): string[] {
  const total = (of: (one: PairedComparison) => number): number =>
    comparisons.reduce((sum, one) => sum + of(one), 0);
  const seeds = total(({ pairing }) => pairing.unpairedSeeds);
  const networks = total(({ pairing }) => pairing.unpairedNetworks);
  const parts = [
    ...(seeds > 0 ? [pluralOf(seeds, "distillation")] : []),
    ...(networks > 0 ? [pluralOf(networks, "network")] : []),
  ];
  return parts.length === 0 ? [] : [`Left out for want of a partner of the same seed: ${listed(parts)}.`];
}

function chanceOf(comparisons: readonly PairedComparison[]): string {
  const intervals = intervalsOf(comparisons);
  if (intervals.length === 0) return "An interval takes two pairs: two seeds on both sides.";
  const apart = intervals.filter(({ pairing }) => pairing.difference!.p! < 0.05).length;
  const [count, excluded] = [pluralOf(intervals.length, "interval"), apart === 0 ? "none" : String(apart)];
  return (
    `${count}, of which ${excluded} exclude${apart === 1 || apart === 0 ? "s" : ""} 0. ` +
    "Where nothing differs, one in twenty does so by chance; none is corrected for their number."
  );
}
