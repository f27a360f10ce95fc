import type { Rng } from "../core/rng.ts";
import { wholeClassNames } from "../datasets/dataset.ts";
import type { Tensor } from "../engines/index.ts";
import type { Network } from "../networks/network.ts";
import { disposeModel, freshModel, type Model } from "../training/model.ts";
import { type EpochReport, train, type TrainingOptions } from "../training/train.ts";
import { type Labels, tensorData } from "../training/trainingData.ts";
import { accuracy, type Accuracy, type TestSet } from "./accuracy.ts";
import { type Protocol, trainingFor } from "./protocols.ts";

/** A synthetic set, and all by which it is judged. */
export interface EvaluationPlan {
  /** Architecture to train, not necessarily the one that distilled. */
  readonly network: Network;
  /** Normalized images as they are trained on, [m, h, w, c]. */
  readonly images: Tensor;
  /** Of the synthetic images: classes, or probabilities of all classes. */
  readonly labels: Labels;
  /** Real images, all of which count. */
  readonly test: TestSet;
  /** How networks are trained. */
  readonly protocol: Protocol;
  /** Instead of the protocol's, for methods that learn it with the images. */
  readonly learningRate?: number;
}

/** Result of one fresh network, with what the protocol came to for this set. */
export interface Evaluation extends Accuracy {
  /** Id of the protocol. */
  readonly protocol: string;
  /** Its version: accuracies of two cannot be compared. */
  readonly protocolVersion: number;
  /** How the network was trained, with the augmentation that suits the classes. */
  readonly training: TrainingOptions;
}

/** How a plan's networks are trained, by its protocol for this data set and architecture. */
export function trainingOf({ protocol, network, test, learningRate }: EvaluationPlan): TrainingOptions {
  const classNames = wholeClassNames(test);
  return trainingFor(protocol, { dataset: test.name, classNames, network, learningRate });
}

/**
 * Trains one fresh network on a synthetic set by a protocol and tests it once, after the last epoch: no epoch, network or
 * image is chosen by the test set.
 *
 * @param rng one stream for each evaluation seed, e.g. `seeded(0).stream("evaluation/3")`.
 */
export function* evaluate(plan: EvaluationPlan, rng: Rng): Generator<EpochReport, Evaluation> {
  const { network, images, labels, test, protocol } = plan;
  const training = trainingOf(plan);
  const start = freshModel(network, images.engine, rng.stream("initial"));
  let trained: Model | undefined;
  try {
    trained = yield* train(start, tensorData(images, labels), training, rng.stream("training"));
    return { ...accuracy(trained, test), protocol: protocol.id, protocolVersion: protocol.version, training };
  } finally {
    disposeModel(start);
    if (trained) disposeModel(trained);
  }
}
