import type { Published } from "../../../experiments/published.ts";

const usual: Published = {
  cell: "dm-toy-ipc1",
  method: "dm",
  plugins: "",
  variant: "",
  dataset: "cifar10",
  imbalance: 1,
  imagesPerClass: 10,
  network: "",
  evaluationNetwork: "",
  protocol: "dm-1000",
  selection: "last",
  metric: "accuracy",
  distillations: 5,
  networks: 20,
  source: "a paper",
  evidence: "paper",
  link: "",
  note: "",
  mean: 0.5,
  std: 0.01,
  rounding: 0.0005,
  printed: "50.0 ± 1.0",
};

/** A published number with everything in its usual place: 50.0 ± 1.0 over 5 distillations of 20 networks. */
export function number(change: Partial<Published> = {}): Published {
  return { ...usual, ...change };
}
