import type { RankedSeed } from "../../rank/record.ts";
import { countingText } from "../../rank/statistics.ts";
import { slug } from "../charts/chart.ts";
import { inName, inWords } from "../charts/setting.ts";
import { shortNames } from "../charts/shortNames.ts";
import type { ReportData } from "../data.ts";
import { pluralOf } from "../labels.ts";
import {
  networksOf,
  type RankedExperiment,
  type RankedGroup,
  rankedGroups,
  scoreOf,
  type ScoresBeside,
} from "../rankings.ts";
import { type Cell, type Column, type Table, unknown } from "./table.ts";

/** A table of ranking scores, and the method of each row. */
export interface RankingTable extends Table {
  readonly dataset: string;
  readonly methods: readonly string[];
}

/** What is shown of each experiment, by columns. */
const quantities: readonly (Column & { readonly of: (seed: RankedSeed) => number })[] = [
  { name: "LRS", group: "Score", of: ({ scores }) => scores.lrs },
  { name: "ARS", group: "Score", of: ({ scores }) => scores.ars },
  { name: "HLR", group: "Difference", of: ({ scores }) => scores.hlr },
  { name: "IOR", group: "Difference", of: ({ scores }) => scores.ior },
  { name: "real", group: "Hard labels", of: ({ accuracies }) => accuracies.realHard },
  { name: "set", group: "Hard labels", of: ({ accuracies }) => accuracies.syntheticHard },
  { name: "set", group: "Augmented", of: ({ accuracies }) => accuracies.augmented.synthetic },
  { name: "random", group: "Augmented", of: ({ accuracies }) => accuracies.augmented.random },
  { name: "set", group: "Not augmented", of: ({ accuracies }) => accuracies.plain.synthetic },
  { name: "random", group: "Not augmented", of: ({ accuracies }) => accuracies.plain.random },
];

/** Ranking scores beside accuracies, and the accuracies that they come from. */
export function rankingTables(data: ReportData): RankingTable[] {
  const all = rankedGroups(data);
  return all.map((group) => {
    const { experiments, dataset, imbalance, imagesPerClass } = group;
    const soft = experiments.some(({ rankings }) => rankings.some(({ labels }) => labels === "soft"));
    const setting = { dataset, imbalance, imagesPerClass };
    return {
      id: `ranking-${inName(setting, [])}-${suffixOf(group, all)}`,
      kind: "ranking" as const,
      title: `${inWords(setting).replace(/\.$/, "")}: ranking scores by ${group.protocol}`,
      note: noteOf(group),
      dataset,
      methods: experiments.map(({ method }) => method),
      columns: [
        { name: "method" },
        ...(soft ? [{ name: "labels" }] : []),
        { name: "accuracy", unit: "accuracy" as const },
        ...quantities.map(({ name, group: over }) => ({ name, group: over!, unit: "accuracy" as const })),
        { name: "sets" },
      ],
      rows: experiments.map((one): Cell[] => [
        one.label,
        ...(soft ? [one.rankings[0]!.labels] : []),
        one.summary ? { spread: one.summary.accuracy } : unknown,
        ...quantities.map(({ of }) => ({ spread: scoreOf(one, of) })),
        one.rankings.length,
      ]),
    };
  });
}

/** What tells a table's file from those of other ways to rank the same sets. */
function suffixOf(group: RankedGroup, all: readonly RankedGroup[]): string {
  const several = (key: "network" | "evaluationNetwork" | "protocolVersion"): boolean =>
    new Set(all.map((one) => one[key])).size > 1;
  const short = shortNames(all.flatMap(({ network, evaluationNetwork }) => [network, evaluationNetwork]));
  return [
    slug(group.protocol),
    ...(several("protocolVersion") ? [`v${group.protocolVersion}`] : []),
    ...(several("network") ? [slug(short(group.network))] : []),
    ...(several("evaluationNetwork") ? [`on-${slug(short(group.evaluationNetwork))}`] : []),
    ...(group.tuning === "test" ? ["tuned-by-test"] : []),
    ...(group.taken === "best" ? ["best"] : []),
  ].join("-");
}

function noteOf(group: RankedGroup): string {
  const { experiments, network, evaluationNetwork } = group;
  const counts = [...new Set(experiments.map(networksOf))].sort((a, b) => a - b);
  const [low, high] = [counts[0]!, counts.at(-1)!];
  const networks = low === high ? pluralOf(low, "network") : `${low} to ${pluralOf(high, "network")}`;
  const from = network === evaluationNetwork ? "" : `, sets distilled with ${network}`;
  return [
    `In percent, on ${evaluationNetwork}${from}: label-robust and augmentation-robust score (LRS, ARS; higher is better), hard label`,
    "recovery (HLR; lower is better), improvement over random (IOR), and the test accuracies that they come from. Random images",
    "have an ARS of 26.9 % in expectation.",
    `Mean ± population standard deviation over ${networks} of each kind.`,
    countingText(group.tuning, group.taken),
    accuracyNote(experiments),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function accuracyNote(experiments: readonly RankedExperiment[]): string {
  const protocols = [...new Set(experiments.flatMap(({ summary }) => summary?.protocol ?? []))];
  if (protocols.length === 0) return "";
  return `Accuracy is that of the evaluation by ${protocols.join(" or ")}, with the sample standard deviation.`;
}

/** What LRS and ARS beside accuracies are. */
export function scoresNote({ group }: ScoresBeside): string {
  const { protocol, protocolVersion, tuning, taken } = group;
  return (
    `LRS and ARS: ranking scores by ${protocol}, version ${protocolVersion}, ± population standard deviation. ` +
    countingText(tuning, taken)
  );
}
