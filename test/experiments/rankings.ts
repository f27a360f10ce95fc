import type { RankingRecord } from "../../experiments/rank/record.ts";
import { rankingScores, rankingWeights } from "../../src/evaluation/ranking.ts";
import { row } from "./rows.ts";

/** A ranking with these accuracies of the set, one for each evaluation seed, against random images of 0.26, 0.28, … */
export function rankingOf(changes: Partial<RankingRecord>, accuracies: readonly number[]): RankingRecord {
  const { dataset, imbalance, imagesPerClass, network, plugins, evaluationNetwork } = row({});
  return {
    ...{
      experiment: "dm",
      objective: "dm",
      plugins,
      dataset,
      imbalance,
      imagesPerClass,
      network,
      distillSeed: 0,
    },
    ...{
      protocol: "ddranking",
      protocolVersion: 1,
      evaluationNetwork,
      tuning: "holdout",
      taken: "last",
      labels: "hard",
    },
    weights: rankingWeights,
    engine: "torch-cpu",
    commit: "0000000",
    ...changes,
    seeds: accuracies.map((synthetic, seed) => {
      const random = 0.26 + 0.02 * seed;
      const against = { synthetic, random };
      const own = { realHard: 0.84, syntheticHard: synthetic, augmented: against, plain: against };
      const rates = { synthetic: 0.01, random: 0.01 };
      return {
        seed,
        accuracies: own,
        learningRates: { realHard: 0.01, syntheticHard: 0.01, augmented: rates, plain: rates },
        scores: rankingScores(own, changes.weights),
      };
    }),
  };
}
