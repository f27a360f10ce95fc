import { rankingProtocols } from "../../src/evaluation/rankingProtocols.ts";
import { textTable } from "../bench/table.ts";
import { rowsOfRun } from "../gather.ts";
import { pluralOf } from "../report/labels.ts";
import { percentSpread } from "../report/numbers.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";
import type { RankedSeed, RankingRecord } from "./record.ts";
import { countingText, overSeeds } from "./statistics.ts";

/** A ranking, and the accuracy of its set by the protocol of its evaluation, where that was measured. */
export interface ShownRanking {
  readonly label: string;
  readonly ranking: RankingRecord;
  readonly accuracy: Spread;
}

/** Accuracy of a set by a protocol of evaluation on the architecture of a ranking; of no networks where it was not evaluated. */
export function plainAccuracy(
  folder: { readonly path: string },
  protocol: string,
  { evaluationNetwork }: RankingRecord,
): Spread {
  const rows = rowsOfRun(folder).filter(
    (row) => row.protocol === protocol && row.evaluationNetwork === evaluationNetwork,
  );
  return spreadOf(rows.map(({ accuracy }) => accuracy).filter(Number.isFinite));
}

/** Scores of sets as text, in percent, the accuracies behind them, and what to know of them. */
export function rankingText(shown: readonly ShownRanking[]): string {
  const { protocol, protocolVersion, evaluationNetwork, tuning, taken } = shown[0]!.ranking;
  const description = Object.values(rankingProtocols).find(({ id }) => id === protocol)?.description;
  const cells = ({ ranking }: ShownRanking, values: readonly ((seed: RankedSeed) => number)[]): string[] =>
    values.map((value) => percentSpread(overSeeds([ranking], value)));
  const scores = shown.map((one) => [
    one.label,
    one.accuracy.count > 0 ? percentSpread(one.accuracy) : "–",
    ...cells(one, [
      ({ scores: { hlr } }) => hlr,
      ({ scores: { ior } }) => ior,
      ({ scores: { lrs } }) => lrs,
      ({ scores: { ars } }) => ars,
    ]),
  ]);
  const accuracies = shown.map((one) => [
    `${one.label}${one.ranking.labels === "soft" ? " (soft labels)" : ""}`,
    ...cells(one, [
      ({ accuracies: { realHard } }) => realHard,
      ({ accuracies: { syntheticHard } }) => syntheticHard,
      ({ accuracies: { augmented } }) => augmented.synthetic,
      ({ accuracies: { augmented } }) => augmented.random,
      ({ accuracies: { plain } }) => plain.synthetic,
      ({ accuracies: { plain } }) => plain.random,
    ]),
  ]);
  const networks = Math.max(...shown.map(({ ranking }) => ranking.seeds.length));
  return [
    textTable(["scores, %", "accuracy", "HLR", "IOR", "LRS", "ARS"], scores),
    "",
    textTable(
      ["accuracies, %", "real", "hard labels", "augmented", "random", "not augm.", "random"],
      accuracies,
    ),
    "",
    `${protocol}, version ${protocolVersion}, on ${evaluationNetwork}`,
    ...(description === undefined ? [] : [description]),
    countingText(tuning, taken),
    `${networks > 1 ? "Mean ± population standard deviation over" : "Of"} ${pluralOf(networks, "evaluation seed")}; accuracy is that of the evaluation, with the sample standard deviation.`,
    "Higher LRS and ARS are better; random images have an ARS of 26.9 % in expectation.",
  ].join("\n");
}
