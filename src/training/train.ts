import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { augment, type Augmentation, drawAugmentation, type Strategy } from "../datasets/augment.ts";
import { disposeExcept, type Tensor, type Tree } from "../engines/index.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { sgd } from "../optimizers/sgd.ts";
import type { Model } from "./model.ts";
import { lossGradient } from "./parameterGradient.ts";
import type { TrainingData } from "./trainingData.ts";

/** How to fit a network. */
export interface TrainingOptions {
  /** Passes over the data. */
  readonly epochs: number;
  /** Images per mini-batch; the last one of an epoch may be smaller. */
  readonly batchSize: number;
  /** η of the first epochs. */
  readonly learningRate: number;
  /** μ of SGD, 0 to below 1. */
  readonly momentum: number;
  /** Times the parameter, added to its gradient. */
  readonly weightDecay: number;
  /** After each of these epochs, counted from 0, the learning rate is multiplied and the momentum forgotten. */
  readonly drops: { readonly afterEpochs: readonly number[]; readonly factor: number };
  /** One alternative is drawn for each mini-batch, with parameters of its own for each image; empty for none. */
  readonly augmentation: Strategy;
}

/** What an epoch reports. Its tensors live until the next epoch begins. */
export interface EpochReport {
  /** Counted from 0. */
  readonly epoch: number;
  /** The network as it is now. */
  readonly model: Model;
  /** Mean cross-entropy over the epoch's images, each before the step it took part in; a scalar. */
  readonly loss: Tensor;
}

/**
 * Fits a network to labeled images by mini-batch SGD on the mean cross-entropy. Yields after every epoch and returns the
 * last model, which is the caller's to free, as `start` remains. Abandoned early, it frees its own.
 *
 * The dice of epoch e are those of `rng.stream("epoch/e")`: the order of the images, and the augmentations.
 *
 * @throws InputError if the loss of the last epoch is not finite.
 */
export function* train(
  start: Model,
  data: TrainingData,
  options: TrainingOptions,
  rng: Rng,
): Generator<EpochReport, Model> {
  const { engine } = data;
  let fit = engine.scope(() => begun(start, optimizerAt(options, 0)));
  let finished = false;
  const advance = (next: Fit): void => {
    disposeExcept(fit, [next, start]);
    fit = next;
  };
  try {
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      const optimizer = optimizerAt(options, epoch);
      if (options.drops.afterEpochs.includes(epoch - 1))
        advance(engine.scope(() => begun(fit.model, optimizer)));
      for (const batch of batches(data, options, rng.stream(`epoch/${epoch}`))) {
        advance(engine.scope(() => step(fit, data, batch, optimizer)));
      }
      yield { epoch, model: fit.model, loss: fit.loss };
    }
    const loss = fit.loss.item();
    check(
      Number.isFinite(loss),
      () =>
        `train: expected a finite loss, got ${loss} after ${options.epochs} epochs; lower the learning rate`,
    );
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

function begun(model: Model, optimizer: Optimizer): Fit {
  const states = model.parameters.map((parameter) => optimizer.init(parameter));
  return { model, states, loss: model.parameters[0]!.engine.fill([], 0) };
}

function optimizerAt(options: TrainingOptions, epoch: number): Optimizer {
  const { learningRate, momentum, weightDecay, drops } = options;
  const dropped = drops.afterEpochs.filter((last) => last < epoch).length;
  return sgd({ learningRate: learningRate * drops.factor ** dropped, momentum, weightDecay });
}

interface Batch {
  readonly positions: Int32Array;
  readonly augmentation: Augmentation;
  /** Whether it opens an epoch. */
  readonly first: boolean;
}

function* batches(data: TrainingData, options: TrainingOptions, rng: Rng): Generator<Batch> {
  const { batchSize, augmentation } = options;
  const order = rng.stream("order").permutation(data.count);
  const dice = rng.stream("augmentation");
  for (let i = 0; i < data.count; i += batchSize) {
    const positions = order.subarray(i, i + batchSize);
    yield {
      positions,
      augmentation: drawAugmentation(augmentation, positions.length, data.imageShape, dice),
      first: i === 0,
    };
  }
}

function step(
  fit: Fit,
  data: TrainingData,
  { positions, augmentation, first }: Batch,
  optimizer: Optimizer,
): Fit {
  const { network, parameters, statistics } = fit.model;
  const { images, labels } = data.batch(positions);
  const update = { statistics };
  const batch = { images: augment(images, augmentation), labels, mode: { use: "batch", update } as const };
  const { value, gradients } = lossGradient(network, parameters, batch);
  const updated = parameters.map((parameter, i) =>
    optimizer.update(parameter, gradients[i]!, fit.states[i]!),
  );
  const share = value.mul(positions.length / data.count);
  return {
    model: { network, parameters: updated.map((one) => one.value), statistics: update.statistics },
    states: updated.map((one) => one.state),
    loss: first ? share : fit.loss.add(share),
  };
}

/** Runs a generator to its end and returns its result. */
export function finished<R>(run: Generator<unknown, R>): R {
  let next = run.next();
  while (!next.done) next = run.next();
  return next.value;
}
