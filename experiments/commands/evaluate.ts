import { join } from "node:path";
import { check, InputError, wholeNumber } from "../../src/core/errors.ts";
import { seeded } from "../../src/core/rng.ts";
import { classCounts } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import { disposeTestSet, testSet } from "../../src/evaluation/accuracy.ts";
import { evaluate, type Evaluation, type EvaluationPlan } from "../../src/evaluation/evaluate.ts";
import { protocols, type ProtocolId } from "../../src/evaluation/protocols.ts";
import { mean, sampleStandardDeviation, type Thirds, thirds } from "../../src/evaluation/statistics.ts";
import { networkOf } from "../../src/networks/index.ts";
import { type Artifact, readArtifact } from "../artifact.ts";
import { loadData } from "../data/load.ts";
import { commit } from "../machine.ts";
import { progressLine } from "../progress.ts";
import { readRows, recordRows, type Row } from "../results.ts";
import { isDone, resultsOf, type RunFolder } from "../runFolder.ts";
import { methodName } from "../setting.ts";

export interface EvaluateOptions {
  /** Instead of the config's. */
  readonly protocol?: ProtocolId | undefined;
  readonly networks?: number | undefined;
  /** Trains networks again whose rows are there already. */
  readonly force: boolean;
}

/**
 * Trains fresh networks on a run's synthetic set and records a row of runs.csv for each.
 *
 * @returns the rows, those recorded before among them.
 * @throws InputError if the run is not done.
 */
export async function evaluateRun(run: RunFolder, engine: Engine, options: EvaluateOptions): Promise<Row[]> {
  const { experiment } = run;
  check(
    isDone(run),
    () => `${run.path}: expected a finished run; distil it first: distillery distill CONFIG`,
  );
  const protocolId = options.protocol ?? experiment.evaluation.protocol;
  const networks = wholeNumber("--networks", options.networks ?? experiment.evaluation.networks, 1);
  const file = join(resultsOf(run), "runs.csv");
  const artifact = readArtifact(run);
  const { splits } = await loadData(experiment.data);
  const trainingCounts = classCounts(splits.train);
  const { classNames, imageShape } = splits.train;
  check(
    artifact.card.classNames === JSON.stringify(classNames) &&
      String(artifact.imageShape) === String(imageShape),
    () =>
      `${run.path}: expected data of classes ${artifact.card.classNames} and images of ${artifact.imageShape.join("×")}, ` +
      `got ${JSON.stringify(classNames)} and ${imageShape.join("×")}; the data have changed since the run`,
  );
  const network = networkOf(experiment.evaluation.network ?? experiment.network, {
    imageShape: artifact.imageShape,
    classes: splits.train.classNames.length,
  });
  const known = descriptionOf(run, artifact, { protocol: protocolId, evaluationNetwork: network.name });
  const recorded = options.force
    ? []
    : readRows(file).filter((row) => row.status === "done" && isSame(row, known));
  const test = testSet(splits.test, engine);
  const images = engine.tensor([artifact.labels.length, ...artifact.imageShape], artifact.images);
  const plan: EvaluationPlan = {
    network,
    images,
    labels: artifact.labels,
    test,
    protocol: protocols[protocolId],
  };
  const rows: Row[] = [];
  try {
    for (let evaluationSeed = 0; evaluationSeed < networks; evaluationSeed++) {
      const before = recorded.find((row) => row.evaluationSeed === evaluationSeed);
      if (before) {
        rows.push(before);
        continue;
      }
      const label = `${experiment.name} seed ${run.seed}, network ${evaluationSeed + 1}/${networks}`;
      const row = rowOf(known, engine, {
        ...trainAndTest(plan, evaluationSeed, label),
        evaluationSeed,
        trainingCounts,
      });
      recordRows(file, [row]);
      rows.push(row);
    }
  } finally {
    images.dispose();
    disposeTestSet(test);
  }
  return rows;
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
function trainAndTest(
  plan: EvaluationPlan,
  seed: number,
  label: string,
): { readonly result: Evaluation | InputError; readonly seconds: number } {
  const { epochs } = plan.protocol.training;
  const line = progressLine(label, epochs, { unit: "epoch" });
  const training = evaluate(plan, seeded(seed).stream("evaluation"));
  try {
    for (;;) {
      const next = training.next();
      if (next.done) {
        const seconds = line.end(`accuracy ${(100 * next.value.accuracy).toFixed(1)} %`);
        return { result: next.value, seconds };
      }
      line.at(next.value.epoch + 1);
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { result: error, seconds: line.end(error.message) };
  }
}

type Description = Omit<
  Row,
  | "commit"
  | "engine"
  | "evaluationSeed"
  | "accuracy"
  | "headAccuracy"
  | "mediumAccuracy"
  | "tailAccuracy"
  | "classAccuracies"
  | "evaluationSeconds"
  | "status"
>;

function descriptionOf(
  { experiment, seed }: RunFolder,
  artifact: Artifact,
  { protocol, evaluationNetwork }: Pick<Row, "protocol" | "evaluationNetwork">,
): Description {
  return {
    experiment: experiment.name,
    dataset: experiment.data.name,
    imbalance: experiment.data.imbalance,
    imagesPerClass: experiment.imagesPerClass,
    objective: methodName(experiment),
    plugins: experiment.plugins.map(({ name }) => name).join(" "),
    network: artifact.card.network!,
    steps: experiment.objective ? experiment.steps : 0,
    distillSeed: seed,
    protocol,
    evaluationNetwork,
    distillSeconds: Number(artifact.card.distillSeconds),
  };
}

interface Outcome {
  /** What came of it, or why nothing did. */
  readonly result: Evaluation | InputError;
  readonly seconds: number;
  readonly evaluationSeed: number;
  readonly trainingCounts: readonly number[];
}

function rowOf(known: Description, engine: Engine, outcome: Outcome): Row {
  const { result, seconds, evaluationSeed, trainingCounts } = outcome;
  const failed = result instanceof InputError;
  const perClass = failed ? trainingCounts.map(() => NaN) : result.perClass;
  const { head, medium, tail } = trainingCounts.length < 3 ? NO_THIRDS : thirds(perClass, trainingCounts);
  return {
    ...known,
    commit,
    engine: engine.name,
    evaluationSeed,
    accuracy: failed ? NaN : result.accuracy,
    headAccuracy: head,
    mediumAccuracy: medium,
    tailAccuracy: tail,
    classAccuracies: perClass,
    evaluationSeconds: seconds,
    status: failed ? result.message : "done",
  };
}

/** Whether a row tells of the same run under the same protocol. */
function isSame(row: Row, known: Description): boolean {
  return (Object.keys(known) as (keyof Description)[]).every((key) => row[key] === known[key]);
}
