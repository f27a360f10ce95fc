import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../src/core/errors.ts";
import {
  continualSummary,
  type ContinualSummary,
  type PopulationSpread,
} from "../../src/evaluation/continual.ts";
import { readArtifact } from "../artifact.ts";
import { readJson, writeWhole } from "../files.ts";
import { optionsText } from "../leaves.ts";
import type { ContinualPlan } from "./plan.ts";
import { type ContinualRow, rowsCsv } from "./rows.ts";

/** What one method comes to in class-incremental learning: continual.json. Accuracies are fractions. */
export interface ContinualResult extends ContinualSummary {
  readonly experiment: string;
  readonly method: string;
  readonly dataset: string;
  readonly imbalance: number;
  readonly imagesPerClass: number;
  /** Steps of each order. */
  readonly classSteps: number;
  /** After each step. */
  readonly classesSeen: readonly number[];
  readonly protocol: string;
  readonly protocolVersion: number;
  /** What is trained after every step. */
  readonly evaluationNetwork: string;
  /** What the memories were matched under. */
  readonly network: string;
  /** Updates of the images of each memory. */
  readonly steps: number;
  /** The method's options, as runs.csv has them. */
  readonly options: string;
  /** Labels that came at each step, by the seed of the order. */
  readonly orders: readonly { readonly seed: number; readonly steps: readonly (readonly number[])[] }[];
  readonly classNames: readonly string[];
  /** Trained after each step of each order. */
  readonly networks: number;
  /** Of all networks, those whose training failed. */
  readonly failures: number;
  /** Of making all memories, and of training all networks, as far as one process did one after another. */
  readonly seconds: { readonly memories: number; readonly networks: number };
}

const FILE = "continual.json";

/** Writes continual.csv and continual.json of a plan whose networks are all trained. */
export function writeResult(plan: ContinualPlan, rows: readonly ContinualRow[], networks: number): void {
  writeWhole(join(plan.folder, "continual.csv"), rowsCsv(rows));
  writeWhole(join(plan.folder, FILE), `${JSON.stringify(resultOf(plan, rows, networks), null, 2)}\n`);
}

function resultOf(
  { experiment, splits, orders }: ContinualPlan,
  rows: readonly ContinualRow[],
  networks: number,
): ContinualResult {
  const [first] = rows as [ContinualRow];
  const { method, dataset, imbalance, imagesPerClass, classSteps } = first;
  const { protocol, protocolVersion, evaluationNetwork } = first;
  const cards = orders.flatMap(({ steps }) => steps.map(({ memory }) => readArtifact(memory).card));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const { steps, objective } = experiment;
  return {
    experiment: experiment.name,
    ...{ method, dataset, imbalance, imagesPerClass, classSteps },
    classesSeen: Array.from(
      { length: classSteps },
      (_, s) => rows.find(({ step }) => step === s)!.classesSeen,
    ),
    ...{ protocol, protocolVersion, evaluationNetwork },
    network: cards[0]!.network!,
    steps: objective ? steps : 0,
    options: optionsText(experiment),
    orders: orders.map((order) => ({ seed: order.seed, steps: order.steps.map(({ labels }) => labels) })),
    classNames: splits.train.classNames,
    networks,
    failures: rows.filter(({ accuracy }) => !Number.isFinite(accuracy)).length,
    ...continualSummary(
      rows.map((row) => ({ ...row, network: row.evaluationSeed })),
      classSteps,
    ),
    seconds: {
      memories: sum(cards.map(({ distillSeconds }) => Number(distillSeconds))),
      networks: sum(rows.map(({ seconds }) => seconds)),
    },
  };
}

/** Files with results of class-incremental learning below a results folder, in order of their folders' names. */
export function continualFiles(results: string): string[] {
  const root = join(results, "continual");
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => /^[^/\\]+[/\\]steps-\d+[/\\]continual\.json$/.test(file))
    .sort()
    .map((file) => join(root, file));
}

/** A result from its file, where what is no number is null. @throws InputError for a file of something else. */
export function readContinual(file: string): ContinualResult {
  const result = readJson(file) as Partial<ContinualResult>;
  if (!Array.isArray(result.accuracies) || !Array.isArray(result.matrix)) {
    throw new InputError(
      `${file}: expected what class-incremental learning came to, got something else; remove it, and start distillery continual again`,
    );
  }
  const known = ({ mean, std, count }: PopulationSpread): PopulationSpread => ({
    mean: (mean as number | null) ?? NaN,
    std: (std as number | null) ?? NaN,
    count,
  });
  const { accuracies, average, final, forgetting, matrix } = result as ContinualResult;
  return {
    ...(result as ContinualResult),
    accuracies: accuracies.map(known),
    average: known(average),
    final: known(final),
    forgetting: known(forgetting),
    matrix: matrix.map((row) => row.map(known)),
  };
}
