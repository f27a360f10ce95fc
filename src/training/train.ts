import { Divergence } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { disposeExcept, type Tensor, type Tree } from "../engines/index.ts";
import type { Network } from "../networks/network.ts";
import { adam } from "../optimizers/adam.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { sgd } from "../optimizers/sgd.ts";
import { drawnAugmentation, type TrainingAugmentation } from "./augmentation.ts";
import { type CutMix, cutMixed, type CutMixOptions, drawCutMix } from "./cutMix.ts";
import type { Model } from "./model.ts";
import { lossGradient } from "./parameterGradient.ts";
import { sharpnessGradient, type SharpnessOptions } from "./sharpness.ts";
import type { Labels, TrainingData } from "./trainingData.ts";

/** How to fit a network. */
export interface TrainingOptions {
  /** Passes over the data. */
  readonly epochs: number;
  /** Images per mini-batch; the last one of an epoch may be smaller. */
  readonly batchSize: number;
  /** Its rule: SGD, Adam, or AdamW, which decays the parameters themselves. Default "sgd". */
  readonly optimizer?: "sgd" | "adam" | "adamW";
  /** η of the first epochs. */
  readonly learningRate: number;
  /** μ of SGD, or β₁ of Adam, whose β₂ is 0.999; 0 to below 1. */
  readonly momentum: number;
  /** Times the parameter, added to its gradient; by AdamW, times η, taken from it. */
  readonly weightDecay: number;
  /** After some epochs the learning rate falls. */
  readonly drops: Drops;
  /** Of each mini-batch's images; empty for none. */
  readonly augmentation: TrainingAugmentation;
  /** Mixing of augmented images; absent for none. */
  readonly cutMix?: CutMixOptions;
  /** Towards flat minima, by two gradients on each mini-batch instead of one; absent for the plain gradient. */
  readonly sharpness?: SharpnessOptions;
  /** Positions of an epoch's images, in the order that mini-batches take them. Default: all of them once, shuffled. */
  readonly order?: EpochOrder;
  /** Sees every mini-batch's logits on the way; by `sharpness`, those of the first of its two passes. */
  readonly observer?: TrainingObserver;
}

/** Is given positions in the data, and the logits of these images in the mini-batch that they take part in, before its step. */
export type TrainingObserver = (positions: Int32Array, logits: Tensor) => void;

/** Rolls the dice of an epoch's order: positions in the data, which may recur. */
export type EpochOrder = (rng: Rng) => Int32Array;

/** When the learning rate falls. */
export interface Drops {
  /** Counted from 0; after each of them the learning rate is multiplied. */
  readonly afterEpochs: readonly number[];
  /** What it is multiplied by; > 0. */
  readonly factor: number;
  /** Whether the optimizer goes on with its momentum instead of beginning anew. Default false. */
  readonly keepsMomentum?: boolean;
}

/** A model in the middle of its training: with it, a training goes on bit for bit. */
export interface TrainingState extends Model {
  /** Epochs done. */
  readonly epochs: number;
  /** Optimizer state of every parameter. */
  readonly states: readonly Tree[];
}

/** What an epoch reports. Its tensors live until the next epoch begins. */
export interface EpochReport {
  /** Counted from 0. */
  readonly epoch: number;
  /** The network as it is now, to go on from. */
  readonly model: TrainingState;
  /** Mean cross-entropy over the epoch's images, each before the step it took part in; a scalar. */
  readonly loss: Tensor;
}

/**
 * Fits a network to labeled images by mini-batch descent on the mean cross-entropy. Yields after every epoch and returns
 * the last model, which is the caller's to free, as `start` remains. Abandoned early, it frees its own.
 *
 * The dice of epoch e are those of `rng.stream("epoch/e")`: the order of the images, augmentations, mixing.
 *
 * @param start a model, or where an earlier training by the same options and dice was after one of its epochs.
 * @throws Divergence if the loss of the last epoch is not finite.
 */
export function* train(
  start: Model | TrainingState,
  data: TrainingData,
  options: TrainingOptions,
  rng: Rng,
): Generator<EpochReport, Model> {
  const { engine } = data;
  const done = "epochs" in start ? start.epochs : 0;
  let fit = engine.scope(() => begun(start, optimizerAt(options, done)));
  let finished = false;
  const advance = (next: Fit): void => {
    disposeExcept(fit, [next, start]);
    fit = next;
  };
  try {
    for (let epoch = done; epoch < options.epochs; epoch++) {
      const optimizer = optimizerAt(options, epoch);
      const rule = { optimizer, sharpness: options.sharpness, observer: options.observer };
      if (!options.drops.keepsMomentum && options.drops.afterEpochs.includes(epoch - 1))
        advance(engine.scope(() => begun(fit.model, optimizer)));
      for (const batch of batches(data, options, rng.stream(`epoch/${epoch}`))) {
        advance(engine.scope(() => step(fit, data, batch, rule)));
      }
      const { model, states, loss } = fit;
      yield { epoch, model: { ...model, epochs: epoch + 1, states }, loss };
    }
    const loss = fit.loss.item();
    if (!Number.isFinite(loss)) {
      throw new Divergence(
        `train: expected a finite loss, got ${loss} after ${options.epochs} epochs; lower the learning rate`,
      );
    }
    finished = true;
    return fit.model;
  } finally {
    disposeExcept(fit, finished ? [fit.model, start] : start);
  }
}

/** What a step passes to the next. */
type Fit = {
  readonly model: Model;
  /** Optimizer state of every parameter. */
  readonly states: readonly Tree[];
  /** Sum over the epoch's mini-batches so far of their mean losses, weighted by their share of the images. */
  readonly loss: Tensor;
};

function begun(start: Model | TrainingState, optimizer: Optimizer): Fit {
  const { network, parameters, statistics } = start;
  const states = "states" in start ? start.states : parameters.map((parameter) => optimizer.init(parameter));
  return {
    model: { network, parameters, statistics },
    states,
    loss: parameters[0]!.engine.fill([], 0),
  };
}

function optimizerAt(options: TrainingOptions, epoch: number): Optimizer {
  const { optimizer = "sgd", momentum, weightDecay, drops } = options;
  const dropped = drops.afterEpochs.filter((last) => last < epoch).length;
  const learningRate = options.learningRate * drops.factor ** dropped;
  if (optimizer === "sgd") return sgd({ learningRate, momentum, weightDecay });
  const decoupled = optimizer === "adamW";
  return adam({ learningRate, beta1: momentum, beta2: 0.999, epsilon: 1e-8, weightDecay, decoupled });
}

interface Batch {
  readonly positions: Int32Array;
  readonly augmented: (images: Tensor) => Tensor;
  readonly cutMix: CutMix | undefined;
  /** Of the epoch's images. */
  readonly share: number;
  /** Whether it opens an epoch. */
  readonly first: boolean;
}

function* batches(data: TrainingData, options: TrainingOptions, rng: Rng): Generator<Batch> {
  const { batchSize, augmentation, cutMix, order: orderOf } = options;
  const orderDice = rng.stream("order");
  const order = orderOf ? orderOf(orderDice) : orderDice.permutation(data.count);
  const dice = rng.stream("augmentation");
  const mixing = rng.stream("cutMix");
  for (let i = 0; i < order.length; i += batchSize) {
    const positions = order.subarray(i, i + batchSize);
    yield {
      positions,
      augmented: drawnAugmentation(augmentation, positions.length, data.imageShape, dice),
      cutMix: cutMix && drawCutMix(cutMix, positions.length, data.imageShape, mixing),
      share: positions.length / order.length,
      first: i === 0,
    };
  }
}

/** How a mini-batch moves the parameters. */
interface Rule {
  readonly optimizer: Optimizer;
  readonly sharpness: SharpnessOptions | undefined;
  readonly observer: TrainingObserver | undefined;
}

function step(fit: Fit, data: TrainingData, batch: Batch, { optimizer, sharpness, observer }: Rule): Fit {
  const { network, parameters, statistics } = fit.model;
  const update = { statistics };
  const shown = {
    ...shownTo(network, data, batch),
    mode: { use: "batch", update } as const,
    ...(observer && { onLogits: inChunks(observer, batch.positions) }),
  };
  const { value, gradients } = sharpness
    ? sharpnessGradient(network, parameters, shown, sharpness)
    : lossGradient(network, parameters, shown);
  const updated = parameters.map((parameter, i) =>
    optimizer.update(parameter, gradients[i]!, fit.states[i]!),
  );
  const share = value.mul(batch.share);
  return {
    model: { network, parameters: updated.map((one) => one.value), statistics: update.statistics },
    states: updated.map((one) => one.state),
    loss: batch.first ? share : fit.loss.add(share),
  };
}

/** Hands on the logits of a mini-batch with its positions, chunk after chunk; of a second pass nothing. */
function inChunks(observer: TrainingObserver, positions: Int32Array): (logits: Tensor) => void {
  let seen = 0;
  return (logits) => {
    const chunk = positions.subarray(seen, seen + logits.shape[0]!);
    seen += chunk.length;
    if (chunk.length > 0) observer(chunk, logits);
  };
}

/** The images and labels of a mini-batch as a network sees them. */
function shownTo(
  { classes }: Network,
  data: TrainingData,
  { positions, augmented, cutMix }: Batch,
): { images: Tensor; labels: Labels } {
  const { images, labels } = data.batch(positions);
  const shown = augmented(images);
  return cutMix ? cutMixed(shown, labels, cutMix, classes) : { images: shown, labels };
}

/** Runs a generator to its end and returns its result. */
export function finished<R>(run: Generator<unknown, R>): R {
  let next = run.next();
  while (!next.done) next = run.next();
  return next.value;
}
