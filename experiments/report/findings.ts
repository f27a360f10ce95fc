import { percent, percentSpread } from "./numbers.ts";
import { labelAmong, listed, pluralOf, settingOf } from "./labels.ts";
import { compare, type Comparison, settings, type Summary } from "./summarize.ts";

/** What the other methods are held against where it was measured. */
const BASELINE = "random";
/** Up to so many methods a sentence gives the number of each; beyond, their range. */
const NAMED = 3;

/** What the numbers of one setting show, in words. */
export interface Finding {
  readonly dataset: string;
  readonly title: string;
  readonly detail: string;
  /** Who leads, whether by more than chance, and what is gained over the baseline. */
  readonly sentences: readonly string[];
  /** How many methods the setting compares. */
  readonly rivals: number;
  /** The method that is best by more than chance, if any. */
  readonly winner: string | undefined;
}

/** One finding for each setting that has an accuracy, in order of first appearance. */
export function findingsOf(summaries: readonly Summary[]): Finding[] {
  return settings(summaries)
    .map((rivals) => rivals.filter(({ accuracy }) => Number.isFinite(accuracy.mean)))
    .filter((rivals) => rivals.length > 0)
    .map((rivals) => {
      const winner = rivals.find(({ best }) => best);
      return {
        ...settingOf(rivals[0]!),
        dataset: rivals[0]!.dataset,
        sentences: sentencesOf(rivals),
        rivals: rivals.length,
        winner: winner && labelAmong(rivals, winner),
      };
    });
}

/** Who is best in how many settings, in one sentence; none for fewer than two settings that compare methods. */
export function tally(findings: readonly Finding[]): string | undefined {
  const compared = findings.filter(({ rivals }) => rivals > 1);
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

function sentencesOf(rivals: readonly Summary[]): string[] {
  const [leader, ...others] = [...rivals].sort(
    (a, b) => Number(b.best) - Number(a.best) || b.accuracy.mean - a.accuracy.mean,
  ) as [Summary, ...Summary[]];
  const name = (one: Summary): string => labelAmong(rivals, one);
  if (others.length > 0) return [...lead(leader, others, name), ...gains(rivals, name)];
  return [
    `Measured was ${name(leader)} alone: ${percentSpread(leader.accuracy)} % over ${repetitions(leader)}.`,
  ];
}

type Name = (one: Summary) => string;

function lead(leader: Summary, others: readonly Summary[], name: Name): string[] {
  const compared = others.map((other) => ({ other, comparison: compare(leader, other) }));
  const accuracy = `${percentSpread(leader.accuracy)} %`;
  const [next] = compared as [(typeof compared)[0], ...typeof compared];
  if (leader.best) {
    const who = others.length > 1 ? `${name(next.other)}, the next` : name(next.other);
    return [
      `${name(leader)} is best: ${accuracy}, ${points(leader, next.other)} points above ${who}.`,
      `The difference holds (${evidence(next.comparison)}).`,
    ];
  }
  const level = compared.filter(({ comparison }) => comparison.testable && !comparison.holds);
  const unknown = compared.filter(({ comparison }) => !comparison.testable);
  const closest = level.reduce((a, b) => (b.comparison.p > a.comparison.p ? b : a), level[0]!);
  const names = (some: typeof compared): string =>
    listed(
      some.map(({ other }) => `${name(other)} (${percent(other.accuracy.mean)} %)`),
      "or",
    );
  return [
    `${name(leader)} has the highest mean, ${accuracy}.`,
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

/** What each method gains over the baseline, where that is not what the first sentences say already. */
function gains(rivals: readonly Summary[], name: Name): string[] {
  const baseline = rivals.find(({ objective, plugins }) => objective === BASELINE && plugins === "");
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
      ? listed(compared.map(({ one, gain }) => `${name(one)} ${signed(gain)}`))
      : `from ${signed(compared.at(-1)!.gain)} to ${signed(compared[0]!.gain)}`;
  const sure = compared.filter(({ comparison }) => comparison.holds).map(({ one }) => name(one));
  const holds =
    sure.length === compared.length
      ? "all of it holds"
      : sure.length === 0
        ? "none of it holds"
        : `it holds for ${listed(sure)}`;
  return [`Points over ${BASELINE} real images: ${what}; ${holds}.`];
}

const points = (one: Summary, other: Summary): string => percent(one.accuracy.mean - other.accuracy.mean);

function evidence({ p, unit, counts: [one, other] }: Comparison): string {
  const small = p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(p < 0.0095 ? 3 : 2)}`;
  const of = one === other ? `${pluralOf(one, unit)} each` : `${one} and ${pluralOf(other, unit)}`;
  return `${small}, ${of}`;
}

function repetitions({ accuracy, seedAccuracy }: Summary): string {
  const networks = pluralOf(accuracy.count, "network");
  return seedAccuracy.count > 1 ? `${networks} of ${pluralOf(seedAccuracy.count, "seed")}` : networks;
}
