import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NetworkAccuracies } from "../../src/evaluation/rankedNetwork.ts";
import {
  type RankingAccuracies,
  type RankingScores,
  rankingScores,
  type RankingWeights,
} from "../../src/evaluation/ranking.ts";
import { readJson, writeWhole } from "../files.ts";
import { locked } from "../lock.ts";
import { fileOf } from "../runFolder.ts";

/** By what the best of several learning rates is told: held-out training images, or as published the test images. */
export const tunings = ["holdout", "test"] as const;
export type Tuning = (typeof tunings)[number];

/** Which accuracy of a network counts: after its last epoch, or as published the best of its looks at the test images. */
export const takenAccuracies = ["last", "best"] as const;
export type TakenAccuracy = (typeof takenAccuracies)[number];

/** Ranking scores of one synthetic set by one protocol, architecture and way of counting. */
export interface RankingRecord {
  readonly experiment: string;
  readonly objective: string;
  readonly plugins: string;
  readonly dataset: string;
  readonly imbalance: number;
  readonly imagesPerClass: number;
  readonly distillSeed: number;
  /** Architecture that distilled. */
  readonly network: string;
  readonly protocol: string;
  readonly protocolVersion: number;
  /** Architecture of the ranking's networks. */
  readonly evaluationNetwork: string;
  readonly tuning: Tuning;
  readonly taken: TakenAccuracy;
  readonly labels: "hard" | "soft";
  readonly weights: RankingWeights;
  /** One for each evaluation seed. */
  readonly seeds: readonly RankedSeed[];
  readonly engine: string;
  readonly commit: string;
}

/** Accuracies and scores of one evaluation seed, and the learning rates behind them. */
export interface RankedSeed {
  readonly seed: number;
  readonly accuracies: RankingAccuracies;
  readonly learningRates: RankingAccuracies;
  readonly scores: RankingScores;
}

/** A network of a ranking, by the learning rate that it was trained with. */
export interface Trained extends Pick<NetworkAccuracies, "accuracy" | "best"> {
  readonly learningRate: number;
  readonly heldOut?: number;
}

/** The accuracy of a network that counts. */
export const takenOf = ({ accuracy, best }: Trained, taken: TakenAccuracy): number =>
  taken === "best" ? best! : accuracy;

/** Accuracies of an evaluation seed, or whatever else there is of each, from networks by what they are trained on. */
export function eachAccuracy<T>(
  networks: Readonly<Record<"realHard" | "syntheticHard", T>> & {
    readonly augmented: { readonly synthetic: T; readonly random: T };
    readonly plain: { readonly synthetic: T; readonly random: T };
  },
  value: (network: T) => number,
): RankingAccuracies {
  const { realHard, syntheticHard, augmented, plain } = networks;
  const both = ({ synthetic, random }: typeof plain) => ({
    synthetic: value(synthetic),
    random: value(random),
  });
  return {
    realHard: value(realHard),
    syntheticHard: value(syntheticHard),
    augmented: both(augmented),
    plain: both(plain),
  };
}

/** An evaluation seed from its networks. */
export function rankedSeed(
  seed: number,
  networks: Parameters<typeof eachAccuracy<Trained>>[0],
  { taken, weights }: Pick<RankingRecord, "taken" | "weights">,
): RankedSeed {
  const accuracies = eachAccuracy(networks, (one) => takenOf(one, taken));
  const learningRates = eachAccuracy(networks, ({ learningRate }) => learningRate);
  return { seed, accuracies, learningRates, scores: rankingScores(accuracies, weights) };
}

/** What a folder keeps of the rankings of its set; none where it was not ranked. */
export function readRankings(folder: { readonly path: string }): RankingRecord[] {
  const file = fileOf(folder, "ranking");
  return existsSync(file) ? (readJson(file) as { readonly rankings: RankingRecord[] }).rankings : [];
}

/** What tells rankings of one set apart. */
const kindOf = ({ protocol, evaluationNetwork, tuning, taken }: RankingRecord): string =>
  JSON.stringify([protocol, evaluationNetwork, tuning, taken]);

/** Keeps a ranking in ranking.json, in place of one of the same kind. */
export function recordRanking(folder: { readonly path: string }, ranking: RankingRecord): void {
  const file = fileOf(folder, "ranking");
  locked(join(`${folder.path}.ranking.lock`), () => {
    const others = readRankings(folder).filter((one) => kindOf(one) !== kindOf(ranking));
    writeWhole(file, `${JSON.stringify({ rankings: [...others, ranking] }, null, 2)}\n`);
  });
}
