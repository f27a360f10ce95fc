import { statSync } from "node:fs";
import { InputError } from "../src/core/errors.ts";
import { dataName } from "./data/load.ts";
import { recordRow, rowsOfRun } from "./gather.ts";
import { optionsText } from "./leaves.ts";
import { commit } from "./machine.ts";
import { DISTILLATION_FAILED, type Row } from "./results.ts";
import { fileOf, isDone, prepareRun, type RunFolder } from "./runFolder.ts";
import { methodName } from "./setting.ts";

/** Another process is at the same work; whoever has other work goes on with that. */
export class Busy extends InputError {}

/** The user or a scheduler has asked the program to end. */
export class Stopped extends InputError {}

/** Columns of a run's rows that its config alone decides. */
export function columnsOf({ experiment, seed }: RunFolder) {
  return {
    experiment: experiment.name,
    dataset: dataName(experiment.data),
    imbalance: experiment.data.imbalance,
    imagesPerClass: experiment.imagesPerClass,
    objective: methodName(experiment),
    plugins: experiment.plugins.map(({ name }) => name).join(" "),
    steps: experiment.objective ? experiment.steps : 0,
    options: optionsText(experiment),
    distillSeed: seed,
  } satisfies Partial<Row>;
}

/**
 * Keeps why a run failed, as a row, unless it has something to show from before: a distilled set, or, `evaluating`, a
 * network trained on it. Its checkpoint stays.
 */
export function recordFailure(
  run: RunFolder,
  engine: string,
  reason: string,
  { evaluating = false } = {},
): void {
  if (evaluating ? rowsOfRun(run).some((row) => row.evaluationSeed !== DISTILLATION_FAILED) : isDone(run))
    return;
  const { network, evaluation } = run.experiment;
  prepareRun(run, false);
  recordRow(run, {
    ...columnsOf(run),
    commit,
    engine,
    network: network.name,
    protocol: evaluation.protocol,
    evaluationNetwork: (evaluation.network ?? network).name,
    evaluationSeed: DISTILLATION_FAILED,
    accuracy: NaN,
    headAccuracy: NaN,
    mediumAccuracy: NaN,
    tailAccuracy: NaN,
    classAccuracies: [],
    distillSeconds: NaN,
    evaluationSeconds: NaN,
    peakMegabytes: NaN,
    status: reason,
  });
}

/** When a run failed, in milliseconds by its file system's clock; 0 where it did not. */
export function failureTime(run: RunFolder): number {
  return statSync(fileOf(run, "failure"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
