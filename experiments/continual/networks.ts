import { rmSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../src/core/errors.ts";
import { classCounts, type Dataset, subset } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import { type EvaluationPlan, trainingOf } from "../../src/evaluation/evaluate.ts";
import { protocols } from "../../src/evaluation/protocols.ts";
import { planOf } from "../../src/runs/plan.ts";
import type { StoredSet } from "../../src/runs/storedSet.ts";
import { unionOf } from "../../src/runs/union.ts";
import { bytes, readArtifact, sha256 } from "../artifact.ts";
import { dataName } from "../data/load.ts";
import { writeWhole } from "../files.ts";
import { type Outcome, trainAndTest } from "../judge/train.ts";
import { acquire } from "../lock.ts";
import { commit } from "../machine.ts";
import { methodOf } from "../report/labels.ts";
import { methodName } from "../setting.ts";
import { type ContinualPlan, networksFolder, type Order, protocolVersion } from "./plan.ts";
import { type ContinualRow, rowIn, rowText } from "./rows.ts";

/** A step of an order whose networks are to be trained. */
export interface Place {
  readonly order: Order;
  readonly step: number;
}

/**
 * Trains fresh networks on the memories of all steps up to one, each with an output for every class, and tests them on all
 * classes seen so far. Each row is kept as soon as it is there. Memories must be there.
 *
 * @returns the rows, those of networks trained before among them; of those that another process is at, none.
 */
export async function trainedAfter(
  plan: ContinualPlan,
  place: Place,
  engine: Engine,
  count: number,
): Promise<ContinualRow[]> {
  const union = unionAfter(plan, place);
  const memorySha256 = hashOf(union);
  const known = (seed: number): ContinualRow | undefined => {
    const row = rowIn(fileOf(plan, place, seed));
    const isCurrent = row?.memorySha256 === memorySha256 && row.protocolVersion === protocolVersion(plan);
    return isCurrent ? row : undefined;
  };
  const seeds = Array.from({ length: count }, (_, seed) => seed);
  const missing = seeds.filter((seed) => known(seed) === undefined);
  if (missing.length === 0) return seeds.flatMap((seed) => known(seed) ?? []);
  const test = seenImages(plan.splits.test, labelsSeen(place));
  const open = planOf(union, test, { network: plan.network, protocol: protocols[plan.protocol] }, engine);
  const made = new Map<number, ContinualRow>();
  try {
    for (const [i, seed] of missing.entries()) {
      const train = async (): Promise<ContinualRow> => {
        const outcome = await trainAndTest(open, seed, labelOf(plan, place, seed), missing.length - 1 - i);
        return { ...rowOf(plan, place, { open, test, outcome }), memorySha256 };
      };
      const row = await recorded(fileOf(plan, place, seed), () => known(seed), train);
      if (row) made.set(seed, row);
    }
  } finally {
    open.dispose();
  }
  return seeds.flatMap((seed) => made.get(seed) ?? known(seed) ?? []);
}

/** The row of a network, from its file or trained under its lock; none while another process trains it. */
async function recorded(
  file: string,
  known: () => ContinualRow | undefined,
  train: () => Promise<ContinualRow>,
): Promise<ContinualRow | undefined> {
  const lock = acquire(`${file}.lock`);
  if (!lock) return undefined;
  try {
    const before = known(); // another process may have trained it since the list was made
    if (before) return before;
    const row = await train();
    lock.check();
    writeWhole(file, rowText(row));
    return rowIn(file);
  } finally {
    lock.release();
  }
}

/** Takes away the rows of a step's networks, so that they are trained again; others, and locks, stay. */
export function forgetNetworks(plan: ContinualPlan, place: Place, count: number): void {
  for (let seed = 0; seed < count; seed++) rmSync(fileOf(plan, place, seed), { force: true });
}

const fileOf = (plan: ContinualPlan, { order, step }: Place, evaluationSeed: number): string =>
  join(networksFolder(plan), `order-${order.seed}`, `step-${step}`, `${evaluationSeed}.json`);

/** "dm-mnist, order 0 with 4 classes, network 2". */
function labelOf({ experiment }: ContinualPlan, place: Place, seed: number): string {
  const classes = labelsSeen(place).flat().length;
  return `${experiment.name}, order ${place.order.seed} with ${classes} classes, network ${seed}`;
}

/** Labels of each step so far. */
function labelsSeen({ order, step }: Place): (readonly number[])[] {
  return order.steps.slice(0, step + 1).map(({ labels }) => labels);
}

/** The memories of all steps so far as one set. */
function unionAfter({ splits }: ContinualPlan, { order, step }: Place): StoredSet {
  const memories = order.steps
    .slice(0, step + 1)
    .map(({ labels, memory }) => ({ labels, set: readArtifact(memory) }));
  return unionOf(memories, splits.train.classNames.length);
}

/** The images of some classes, with the labels that they have among all. */
function seenImages(dataset: Dataset, steps: readonly (readonly number[])[]): Dataset {
  const seen = new Set(steps.flat());
  const positions = Int32Array.from(dataset.labels.keys()).filter((i) => seen.has(dataset.labels[i]!));
  return subset(dataset, positions);
}

function hashOf({ images, labels, softLabels, learningRate }: StoredSet): string {
  const rest = [softLabels ?? new Float32Array(0), Float64Array.of(learningRate ?? NaN)];
  return sha256(bytes(images), bytes(labels), ...rest.map(bytes));
}

interface Trained {
  readonly open: EvaluationPlan;
  readonly test: Dataset;
  readonly outcome: Outcome;
}

function rowOf(
  plan: ContinualPlan,
  place: Place,
  { open, test, outcome: { result, seconds, evaluationSeed } }: Trained,
): Omit<ContinualRow, "memorySha256"> {
  const { experiment, protocol, network } = plan;
  const failed = result instanceof InputError;
  const steps = labelsSeen(place);
  const counts = classCounts(test);
  const perClass = failed ? counts.map(() => NaN) : result.perClass;
  const among = (labels: readonly number[]): number =>
    total(labels, (label) => counts[label]! * perClass[label]!) / total(labels, (label) => counts[label]!);
  const plugins = experiment.plugins.map(({ name }) => name).join(" ");
  return {
    experiment: experiment.name,
    method: methodOf({ objective: methodName(experiment), plugins }),
    dataset: dataName(experiment.data),
    imbalance: experiment.data.imbalance,
    imagesPerClass: experiment.imagesPerClass,
    classSteps: place.order.steps.length,
    order: place.order.seed,
    step: place.step,
    classesSeen: steps.flat().length,
    protocol,
    protocolVersion: protocolVersion(plan),
    evaluationNetwork: network.name,
    evaluationSeed,
    trainingImages: open.images.shape[0]!,
    learningRate: trainingOf(open).learningRate,
    testImages: test.labels.length,
    accuracy: failed ? NaN : result.accuracy,
    stepAccuracies: steps.map(among),
    classAccuracies: perClass,
    seconds,
    engine: open.images.engine.name,
    commit,
    status: failed ? result.message : "done",
  };
}

function total(labels: readonly number[], value: (label: number) => number): number {
  return labels.reduce((sum, label) => sum + value(label), 0);
}
