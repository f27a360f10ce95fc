import { existsSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { check, InputError, wholeNumber } from "../../src/core/errors.ts";
import { classCounts, type Splits } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import { disposeTestSet, testSet } from "../../src/evaluation/accuracy.ts";
import { evaluate, type Evaluation, type EvaluationPlan } from "../../src/evaluation/evaluate.ts";
import { protocols, type ProtocolId } from "../../src/evaluation/protocols.ts";
import { mean, sampleStandardDeviation, type Thirds, thirds } from "../../src/evaluation/statistics.ts";
import { type Network, networkOf } from "../../src/networks/index.ts";
import { evaluationRng } from "../../src/runs/setting.ts";
import { type Artifact, readArtifact } from "../artifact.ts";
import { loadData } from "../data/load.ts";
import { Busy, columnsOf, Stopped } from "../failure.ts";
import { evaluationFile, recordRow, rowsOfRun } from "../gather.ts";
import { acquire, describe, ownerOf } from "../lock.ts";
import { commit } from "../machine.ts";
import { progressLine } from "../progress.ts";
import type { Row } from "../results.ts";
import { isDone, lockOf, type RunFolder } from "../runFolder.ts";
import { stopSignal } from "../stopSignal.ts";

export interface EvaluateOptions {
  /** Instead of the config's. */
  readonly protocol?: ProtocolId | undefined;
  readonly networks?: number | undefined;
  /** Trains this one only, of them. */
  readonly only?: number | undefined;
  /** Trains networks again whose rows are there already. */
  readonly force: boolean;
}

/**
 * Trains fresh networks on a run's synthetic set and records a row for each. Several processes can do so at once: each
 * takes the networks that no other is at.
 *
 * @returns the rows, those recorded before among them.
 * @throws InputError if the run is not done, Busy if the last networks are still with another process.
 */
export async function evaluateRun(run: RunFolder, engine: Engine, options: EvaluateOptions): Promise<Row[]> {
  const { artifact, network, protocol, seeds } = evaluationOf(run, options);
  const missing = seeds.filter((seed) => options.force || !existsSync(fileFor(run, network, protocol, seed)));
  if (missing.length > 0) {
    const { splits } = await loadData(run.experiment.data);
    checkFits(run, artifact, splits);
    const test = testSet(splits.test, engine);
    const images = engine.tensor([artifact.labels.length, ...artifact.imageShape], artifact.images);
    const plan: EvaluationPlan = {
      network,
      images,
      labels: artifact.labels,
      test,
      protocol: protocols[protocol],
    };
    try {
      await trainMissing(
        { run, artifact, plan, trainingCounts: classCounts(splits.train) },
        missing,
        options,
      );
    } finally {
      images.dispose();
      disposeTestSet(test);
    }
  }
  const rows = rowsOfRun(run).filter(
    (row) => row.protocol === protocol && row.evaluationNetwork === network.name,
  );
  return rows.filter(({ evaluationSeed }) => seeds.includes(evaluationSeed));
}

/** Whether every network that the config asks for has its row, or the one that is asked for. */
export function isEvaluated(run: RunFolder, only?: number): boolean {
  if (!isDone(run)) return false;
  const { network, protocol, seeds } = evaluationOf(run, { only, force: false });
  return seeds.every((seed) => existsSync(fileFor(run, network, protocol, seed)));
}

/** What is to be trained on a finished run, how, and by which seeds. */
function evaluationOf(run: RunFolder, options: EvaluateOptions) {
  check(
    isDone(run),
    () => `${run.path}: expected a finished run; distil it first: distillery distill CONFIG`,
  );
  const { network: matching, evaluation } = run.experiment;
  const count = wholeNumber("--networks", options.networks ?? evaluation.networks, 1);
  const artifact = readArtifact(run);
  const { classNames = "[]" } = artifact.card;
  const network = networkOf(evaluation.network ?? matching, {
    imageShape: artifact.imageShape,
    classes: (JSON.parse(classNames) as string[]).length,
  });
  const protocol: ProtocolId = options.protocol ?? evaluation.protocol;
  const seeds = options.only === undefined ? Array.from({ length: count }, (_, i) => i) : [options.only];
  return { artifact, network, protocol, seeds };
}

function fileFor(run: RunFolder, network: Network, protocol: string, evaluationSeed: number): string {
  return evaluationFile(run, { protocol, evaluationNetwork: network.name, evaluationSeed });
}

function checkFits(run: RunFolder, artifact: Artifact, { train: { classNames, imageShape } }: Splits): void {
  check(
    artifact.card.classNames === JSON.stringify(classNames) &&
      String(artifact.imageShape) === String(imageShape),
    () =>
      `${run.path}: expected data of classes ${artifact.card.classNames} and images of ${artifact.imageShape.join("×")}, ` +
      `got ${JSON.stringify(classNames)} and ${imageShape.join("×")}; the data have changed since the run`,
  );
}

/** A run, and how networks are trained on it. */
interface Judged {
  readonly run: RunFolder;
  readonly artifact: Artifact;
  readonly plan: EvaluationPlan;
  readonly trainingCounts: readonly number[];
}

/** Trains the networks of some seeds and records each; those that another process is at are left to it. */
async function trainMissing(
  judged: Judged,
  seeds: readonly number[],
  { force }: EvaluateOptions,
): Promise<void> {
  const { run, plan } = judged;
  const { protocol, network, images } = plan;
  const busy: string[] = [];
  for (const seed of seeds) {
    const path = lockOf(run, `${protocol.id}.${network.name}.${seed}`);
    const lock = acquire(path);
    if (!lock) {
      busy.push(describe(ownerOf(path)));
      continue;
    }
    try {
      // Another process may have trained it since the list was made.
      if (!force && existsSync(fileFor(run, network, protocol.id, seed))) continue;
      const label = `${run.experiment.name} seed ${run.seed}, network ${seed}`;
      const outcome = await trainAndTest(plan, seed, label);
      lock.check();
      recordRow(run, rowOf(judged, images.engine, { ...outcome, evaluationSeed: seed }));
    } finally {
      lock.release();
    }
  }
  if (busy.length > 0) {
    throw new Busy(`${run.path}: ${busy.length} networks are still being trained elsewhere (${busy[0]})`);
  }
}

/** Of a set with fewer classes than thirds. */
const NO_THIRDS: Thirds = { head: NaN, medium: NaN, tail: NaN };

/** Accuracy of rows as text: mean and spread over networks, in percent. */
export function accuracyText(rows: readonly Row[]): string {
  const accuracies = rows.map((row) => 100 * row.accuracy).filter(Number.isFinite);
  if (accuracies.length === 0) return `no accuracy: ${rows[0]?.status ?? "no network was trained"}`;
  const spread = accuracies.length > 1 ? ` ± ${sampleStandardDeviation(accuracies).toFixed(1)}` : "";
  return `${mean(accuracies).toFixed(1)}${spread} % over ${accuracies.length} networks`;
}

/** Trains and tests one network. A training that diverges is an outcome, not the end of the others. */
async function trainAndTest(
  plan: EvaluationPlan,
  seed: number,
  label: string,
): Promise<Pick<Outcome, "result" | "seconds">> {
  const { epochs } = plan.protocol.training;
  const line = progressLine(label, epochs, { unit: "epoch" });
  const training = evaluate(plan, evaluationRng(seed));
  const stop = stopSignal();
  try {
    for (;;) {
      const next = training.next();
      if (next.done) {
        const seconds = line.end(`accuracy ${(100 * next.value.accuracy).toFixed(1)} %`);
        return { result: next.value, seconds };
      }
      line.at(next.value.epoch + 1);
      await setImmediate(); // lets a signal be heard
      if (stop.asked()) throw new Stopped(`${label}: stopped; the same command trains this network anew`);
    }
  } catch (error) {
    if (!(error instanceof InputError) || error instanceof Stopped) throw error;
    return { result: error, seconds: line.end(error.message) };
  } finally {
    stop.release();
    training.return(undefined as never);
  }
}

interface Outcome {
  /** What came of it, or why nothing did. */
  readonly result: Evaluation | InputError;
  readonly seconds: number;
  readonly evaluationSeed: number;
}

function rowOf({ run, artifact, plan, trainingCounts }: Judged, engine: Engine, outcome: Outcome): Row {
  const { result, seconds, evaluationSeed } = outcome;
  const { network, distillSeconds, peakMegabytes } = artifact.card;
  const failed = result instanceof InputError;
  const perClass = failed ? trainingCounts.map(() => NaN) : result.perClass;
  const { head, medium, tail } = trainingCounts.length < 3 ? NO_THIRDS : thirds(perClass, trainingCounts);
  return {
    ...columnsOf(run),
    network: network!,
    protocol: plan.protocol.id,
    evaluationNetwork: plan.network.name,
    commit,
    engine: engine.name,
    evaluationSeed,
    accuracy: failed ? NaN : result.accuracy,
    headAccuracy: head,
    mediumAccuracy: medium,
    tailAccuracy: tail,
    classAccuracies: perClass,
    distillSeconds: Number(distillSeconds),
    evaluationSeconds: seconds,
    peakMegabytes: Number(peakMegabytes),
    status: failed ? result.message : "done",
  };
}
