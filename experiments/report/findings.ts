import { percent, percentSpread, points, pointsInterval } from "./numbers.ts";
import { listed, methodOf, pluralOf, settingOf } from "./labels.ts";
import { type PairedComparison, pairedComparisons } from "./pairedComparisons.ts";
import { statementOf } from "./pairedStatement.ts";
import { compare, type Comparison, groups, settings, type Summary } from "./summarize.ts";
import { changesFrom, mainVariant } from "./variants.ts";

/** What the other methods are held against where it was measured. */
const BASELINE = "random";
/** Up to so many methods a sentence gives the number of each; beyond, their range. */
const NAMED = 3;

/** What the numbers of one setting show, in words. Of several configs of a method the main one stands for it. */
export interface Finding {
  readonly dataset: string;
  readonly title: string;
  readonly detail: string;
  /** Who leads, whether by more than chance, and what is gained over the baseline. */
  readonly sentences: readonly string[];
  /** How many methods the setting compares. */
  readonly methods: number;
  /** The method that is best by more than chance, if any. */
  readonly winner: string | undefined;
}

/** One finding for each setting that has an accuracy, in order of first appearance. */
export function findingsOf(summaries: readonly Summary[]): Finding[] {
  return settings(summaries)
    .map((rivals) => rivals.filter(({ accuracy }) => Number.isFinite(accuracy.mean)))
    .filter((rivals) => rivals.length > 0)
    .map(findingOf);
}

/** The main configs of a setting's methods against each other. */
interface Contest {
  /** The highest mean. */
  readonly leader: Summary;
  /** By mean, falling. */
  readonly others: readonly Summary[];
  /** Whether the leader is above all others by more than chance. */
  readonly holds: boolean;
  /** Says that only main configs are meant, where there are more. */
  readonly among: string;
}

function findingOf(rivals: readonly Summary[]): Finding {
  const variants = [...groups(rivals, ["objective", "plugins"]).values()];
  const [leader, ...others] = variants
    .map((alike) => mainVariant(alike))
    .sort((a, b) => b.accuracy.mean - a.accuracy.mean) as [Summary, ...Summary[]];
  const holds = others.length > 0 && others.every((other) => compare(leader, other).holds);
  const among = rivals.length > variants.length && variants.length > 1 ? "Of the main configs, " : "";
  return {
    ...settingOf(leader),
    dataset: leader.dataset,
    sentences: [
      ...sentencesOf({ leader, others, holds, among }),
      ...pluginSentences(pairedComparisons(rivals).filter(({ kind }) => kind === "plugins")),
      ...variants.flatMap(variantSentence),
    ],
    methods: variants.length,
    winner: holds ? methodOf(leader) : undefined,
  };
}

/** Who is best in how many settings, in one sentence; none for fewer than two settings that compare methods. */
export function tally(findings: readonly Finding[]): string | undefined {
  const compared = findings.filter(({ methods }) => methods > 1);
  if (compared.length < 2) return undefined;
  const winners = compared.flatMap(({ winner }) => winner ?? []);
  const wins = [...new Set(winners)]
    .map((winner) => ({ winner, count: winners.filter((other) => other === winner).length }))
    .sort((a, b) => b.count - a.count)
    .map(({ winner, count }) => `${winner} is best in ${count}`);
  const open = compared.length - winners.length;
  const undecided =
    open > 0 ? [`no method is best by more than chance in ${wins.length > 0 ? open : "any"}`] : [];
  return `Of ${compared.length} settings, ${listed([...wins, ...undecided])}.`;
}

function sentencesOf(contest: Contest): string[] {
  const { leader, others, holds, among } = contest;
  const accuracy = `${percentSpread(leader.accuracy)} %`;
  if (others.length === 0) {
    return [`Measured was ${methodOf(leader)} alone: ${accuracy} over ${repetitions(leader)}.`];
  }
  if (!holds) return [...undecided(contest), ...gains([leader, ...others])];
  const [next] = others as [Summary, ...Summary[]];
  const who = others.length > 1 ? `${methodOf(next)}, the next` : methodOf(next);
  return [
    `${among}${methodOf(leader)} is best: ${accuracy}, ${percent(leader.accuracy.mean - next.accuracy.mean)} points above ${who}.`,
    `The difference holds (${evidence(compare(leader, next))}).`,
    ...gains([leader, ...others]),
  ];
}

/** Whom the highest mean cannot be told apart from. */
function undecided({ leader, others, among }: Contest): string[] {
  const compared = others.map((other) => ({ other, comparison: compare(leader, other) }));
  // What is gained over the baseline is told by itself.
  const told = others.length > 1 ? baselineOf(others) : undefined;
  const above = compared.filter(({ other, comparison }) => comparison.holds && other !== told);
  const level = compared.filter(({ comparison }) => comparison.testable && !comparison.holds);
  const unknown = compared.filter(({ comparison }) => !comparison.testable);
  const closest = level.reduce((a, b) => (b.comparison.p > a.comparison.p ? b : a), level[0]!);
  const names = (some: typeof compared, last: "and" | "or" = "or"): string =>
    listed(
      some.map(({ other }) => `${methodOf(other)} (${percent(other.accuracy.mean)} %)`),
      last,
    );
  return [
    `${among}${methodOf(leader)} has the highest mean, ${percentSpread(leader.accuracy)} %.`,
    ...(above.length > 0 ? [`The difference to ${names(above, "and")} holds.`] : []),
    ...(level.length > 0
      ? [`No difference to ${names(level)} holds (${evidence(closest.comparison)}).`]
      : []),
    ...(unknown.length > 0
      ? [
          `Whether it differs from ${names(unknown)} cannot be said: that takes at least two trained networks of each.`,
        ]
      : []),
  ];
}

/** What plugins change, seed by seed; of many, how many change anything. */
function pluginSentences(comparisons: readonly PairedComparison[]): string[] {
  if (comparisons.length <= NAMED) return comparisons.map((one) => `${statementOf(one)}.`);
  const intervals = comparisons.flatMap(({ pairing }) =>
    pairing.difference?.interval ? [pairing.difference.interval] : [],
  );
  const above = intervals.filter(([low]) => low > 0).length;
  const below = intervals.filter(([, high]) => high < 0).length;
  const found = `${comparisons.length} paired comparisons with a plugin`;
  return intervals.length === 0
    ? [`The ${found} have no interval: that takes two seeds on both sides.`]
    : [
        `Of ${found}, the interval of ${above} is above 0 and that of ${below} below it; where nothing differs, one in ` +
          "twenty excludes 0 by chance.",
      ];
}

/** Which of a method's configs in one setting did best, beside the one that stands for the method above. */
function variantSentence(alike: readonly Summary[]): string[] {
  if (alike.length < 2) return [];
  const main = mainVariant(alike);
  const top = alike.reduce((a, b) => (b.accuracy.mean > a.accuracy.mean ? b : a));
  const of = `Of ${alike.length} configs of ${methodOf(main)}`;
  if (top === main) return [`${of}, none has a higher mean than the main one.`];
  const changes = changesFrom(main, top);
  const { holds, ...comparison } = compare(top, main);
  const verdict = holds
    ? `its difference to the main one (${percent(main.accuracy.mean)} %) holds before correcting for the choice (${evidence(comparison)})`
    : `no difference to the main one (${percent(main.accuracy.mean)} %) holds`;
  return [
    `${of}, ${changes === "" ? top.experiment : changes} has the highest mean, ${percentSpread(top.accuracy)} %; ${verdict}.`,
  ];
}

/** What each method gains over the baseline, where that is not what the first sentences say already. */
function gains(rivals: readonly Summary[]): string[] {
  const baseline = baselineOf(rivals);
  const others = rivals.filter((one) => one !== baseline);
  if (!baseline || others.length < 2) return [];
  const compared = others
    .map((one) => ({
      one,
      comparison: compare(one, baseline),
      gain: one.accuracy.mean - baseline.accuracy.mean,
    }))
    .sort((a, b) => b.gain - a.gain);
  const signed = (gain: number): string => `${gain < 0 ? "−" : "+"}${percent(Math.abs(gain))}`;
  const what =
    compared.length <= NAMED
      ? listed(compared.map(({ one, gain }) => `${methodOf(one)} ${signed(gain)}`))
      : `from ${signed(compared.at(-1)!.gain)} to ${signed(compared[0]!.gain)}`;
  const sure = compared.filter(({ comparison }) => comparison.holds).map(({ one }) => methodOf(one));
  const all = sure.length === compared.length;
  const holds =
    sure.length === 0
      ? "none holds"
      : all
        ? "all hold"
        : `only ${sure.length > 1 ? "those" : "that"} of ${listed(sure)} hold${sure.length > 1 ? "" : "s"}`;
  return [`Gains over ${BASELINE} real images, in points: ${what}; ${holds}.`];
}

function baselineOf(rivals: readonly Summary[]): Summary | undefined {
  return rivals.find((one) => methodOf(one) === BASELINE);
}

function evidence({
  difference,
  interval,
  p,
  unit,
  counts: [one, other],
}: Omit<Comparison, "holds">): string {
  if (interval) return `${points(difference)} points ${pointsInterval(interval)}, ${pluralOf(one, unit)}`;
  // Beside the level of 5%, a third digit says on which side.
  const digits = Number(p.toPrecision(2)) === 0.05 ? 3 : 2;
  const small = p < 0.001 ? "p < 0.001" : `p = ${p.toPrecision(digits)}`;
  const of = one === other ? `${pluralOf(one, unit)} each` : `${one} and ${pluralOf(other, unit)}`;
  return `${small}, ${of}`;
}

function repetitions({ accuracy, seedAccuracy }: Summary): string {
  const networks = pluralOf(accuracy.count, "network");
  return seedAccuracy.count > 1 ? `${networks} of ${pluralOf(seedAccuracy.count, "seed")}` : networks;
}
