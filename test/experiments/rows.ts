import type { Row } from "../../experiments/results.ts";

/** A row of runs.csv with everything in its usual place. */
const usual: Row = {
  experiment: "e",
  commit: "0",
  engine: "torch-cpu",
  dataset: "cifar10",
  imbalance: 1,
  imagesPerClass: 10,
  objective: "dm",
  plugins: "",
  network: "convNet",
  steps: 100,
  options: "",
  distillSeed: 0,
  protocol: "dm-1000",
  evaluationNetwork: "convNet",
  evaluationSeed: 0,
  accuracy: 0.5,
  headAccuracy: 0.6,
  mediumAccuracy: 0.5,
  tailAccuracy: 0.4,
  classAccuracies: [0.6, 0.4],
  distillSeconds: 10,
  evaluationSeconds: 2,
  peakMegabytes: 400,
  status: "done",
};

/** The usual row with some columns changed. */
export function row(change: Partial<Row> = {}): Row {
  return { ...usual, ...change };
}

/** One row for each accuracy, evaluation seeds 0, 1, … */
export function rowsOf(accuracies: readonly number[], change: Partial<Row> = {}): Row[] {
  return accuracies.map((accuracy, evaluationSeed) => row({ accuracy, evaluationSeed, ...change }));
}
