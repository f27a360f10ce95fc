import type { RankedSeed, RankingRecord } from "../rank/record.ts";
import { overSeeds } from "../rank/statistics.ts";
import type { ReportData } from "./data.ts";
import { labelAmong, methodOf } from "./labels.ts";
import type { Spread } from "./statistics.ts";
import { groups, type Summary } from "./summarize.ts";

/** What rankings must share to be compared. */
const kind = [
  "dataset",
  "imbalance",
  "imagesPerClass",
  "network",
  "evaluationNetwork",
  "protocol",
  "protocolVersion",
  "tuning",
  "taken",
] as const satisfies readonly (keyof RankingRecord)[];

/** Sets of one experiment, ranked in one way. */
export interface RankedExperiment {
  /** As `methodOf` names it. */
  readonly method: string;
  /** With what tells it from others of the method. */
  readonly label: string;
  /** One for each set: of each distillation seed. */
  readonly rankings: readonly RankingRecord[];
  /** Its accuracy on the architecture of the ranking, where it was evaluated. */
  readonly summary: Summary | undefined;
}

/** Experiments whose rankings can be compared, in the order of the report. */
export interface RankedGroup extends Pick<RankingRecord, (typeof kind)[number]> {
  readonly experiments: readonly RankedExperiment[];
}

/** All rankings of a report by what can be compared. */
export function rankedGroups({ rankings = [], summaries }: ReportData): RankedGroup[] {
  return [...groups(rankings, kind).values()].map((alike) => ({
    ...alike[0]!,
    experiments: experimentsOf(alike, summaries),
  }));
}

function experimentsOf(alike: readonly RankingRecord[], summaries: readonly Summary[]): RankedExperiment[] {
  const own = [...groups(alike, ["experiment", "objective", "plugins"]).values()];
  const known = own.map(([one]) => summaryOf(one!, summaries));
  return own.map((rankings, i) => {
    const one = rankings[0]!;
    const method = methodOf(one);
    const summary = known[i];
    const rivals = known.filter((other) => other?.protocol === summary?.protocol);
    const twin = own.some(([other]) => other !== one && methodOf(other!) === method);
    const label = summary
      ? labelAmong(
          rivals.filter((other) => other !== undefined),
          summary,
        )
      : `${method}${twin ? `, ${one.experiment}` : ""}`;
    return { method, label, rankings, summary };
  });
}

/** The accuracy of a ranked experiment. */
function summaryOf(ranking: RankingRecord, summaries: readonly Summary[]): Summary | undefined {
  return summaries.find((one) => isOf(one, ranking) && one.accuracy.count > 0);
}

/** Whether accuracy and ranking are of the same sets on the same architecture. */
function isOf(one: Summary, ranking: RankingRecord): boolean {
  const shared = [
    "experiment",
    "dataset",
    "imbalance",
    "imagesPerClass",
    "network",
    "evaluationNetwork",
  ] as const;
  return shared.every((key) => one[key] === ranking[key]);
}

/** A quantity of a ranked experiment: mean and population standard deviation over all its networks. */
export function scoreOf({ rankings }: RankedExperiment, value: (seed: RankedSeed) => number): Spread {
  return overSeeds(rankings, value);
}

/** Scores to show beside accuracies of one setting. */
export interface ScoresBeside {
  readonly group: RankedGroup;
  /** Means over all networks of a summary's experiment; undefined where it was not ranked. */
  of(one: Summary): { readonly lrs: Spread; readonly ars: Spread } | undefined;
}

/**
 * The rankings to show beside accuracies of a setting: those that most of its experiments have, of several the first; undefined
 * where there are none.
 */
export function scoresBeside(rivals: readonly Summary[], data: ReportData): ScoresBeside | undefined {
  const found = rankedGroups(data).map((group) => ({ group, shared: sharedBy(group, rivals) }));
  const most = Math.max(0, ...found.map(({ shared }) => shared.length));
  const best = found.find(({ shared }) => most > 0 && shared.length === most);
  if (!best) return undefined;
  const { group } = best;
  return {
    group,
    of(one) {
      const ranked = group.experiments.find(({ rankings }) => isOf(one, rankings[0]!));
      if (!ranked) return undefined;
      return {
        lrs: scoreOf(ranked, ({ scores }) => scores.lrs),
        ars: scoreOf(ranked, ({ scores }) => scores.ars),
      };
    },
  };
}

function sharedBy({ experiments }: RankedGroup, rivals: readonly Summary[]): Summary[] {
  return rivals.filter((one) => experiments.some(({ rankings }) => isOf(one, rankings[0]!)));
}

/** Networks of each kind that rankings are of, over all sets of an experiment. */
export function networksOf({ rankings }: RankedExperiment): number {
  return rankings.reduce((sum, { seeds }) => sum + seeds.length, 0);
}
