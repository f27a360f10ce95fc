import { Divergence } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import type { Network } from "../networks/network.ts";
import { disposeModel, freshModel, type Model } from "../training/model.ts";
import { train, type TrainingOptions } from "../training/train.ts";
import type { TrainingData } from "../training/trainingData.ts";
import { accuracy, type TestSet } from "./accuracy.ts";
import { mean } from "./statistics.ts";

/** Real images that networks are tested on for a ranking. */
export interface RankingTests {
  /** All of the data set's test images. */
  readonly test: TestSet;
  /** Training images by which learning rates may be chosen, and on which no random images are drawn. */
  readonly heldOut: TestSet;
}

/** Accuracies of one network, fractions; NaN of one whose training diverged. */
export interface NetworkAccuracies {
  /** On the test images, after the last epoch. */
  readonly accuracy: number;
  /** The highest of its looks at the test images; absent where it took none. */
  readonly best?: number;
  /** On held-out training images after the last epoch, the mean over their classes. */
  readonly heldOut: number;
}

/** A network to train for a ranking. */
export interface RankedTraining {
  /** Its architecture. */
  readonly network: Network;
  /** Images that it learns. */
  readonly data: TrainingData;
  /** How it learns them. */
  readonly training: TrainingOptions;
  /** Images that it is tested on. */
  readonly tests: RankingTests;
  /** Epochs between looks at the test images; none are taken without. */
  readonly every?: number | undefined;
}

/** Trains one fresh network and tests it. Yields the share of the epochs that is done. */
export function* rankedNetwork(
  { network, data, training, tests, every }: RankedTraining,
  rng: Rng,
): Generator<number, NetworkAccuracies> {
  const start = freshModel(network, data.engine, rng.stream("initial"));
  const run = train(start, data, training, rng.stream("training"));
  let trained: Model | undefined;
  let best = 0;
  try {
    let next = advanced(run);
    for (; next && !next.done; next = advanced(run)) {
      const { epoch, model } = next.value;
      if (isLook(epoch + 1, every)) best = Math.max(best, accuracy(model, tests.test).accuracy);
      yield (epoch + 1) / training.epochs;
    }
    if (next === undefined) return { accuracy: NaN, heldOut: NaN, ...(every && { best: NaN }) };
    trained = next.value;
    const last = accuracy(trained, tests.test).accuracy;
    return {
      accuracy: last,
      heldOut: classMean(trained, tests.heldOut),
      ...(every && { best: Math.max(best, last) }),
    };
  } finally {
    run.return(undefined as never); // frees what a training holds that is left early
    disposeModel(start);
    if (trained) disposeModel(trained);
  }
}

/** Whether the test images are looked at after so many epochs. */
export function isLook(epochs: number, every: number | undefined): boolean {
  return every !== undefined && epochs % every === 0;
}

/** The next of a training; undefined where it diverged. */
function advanced<T extends Generator>(run: T): ReturnType<T["next"]> | undefined {
  try {
    return run.next() as ReturnType<T["next"]>;
  } catch (error) {
    if (error instanceof Divergence) return undefined;
    throw error;
  }
}

/** The mean over the classes that have images: sizes of the classes do not count, as they do not in a balanced test set. */
function classMean(model: Model, images: TestSet): number {
  return mean(accuracy(model, images).perClass.filter(Number.isFinite));
}
