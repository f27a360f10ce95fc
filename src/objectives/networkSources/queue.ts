import { z } from "zod";
import type { Rng } from "../../core/rng.ts";
import { countOf, normalized } from "../../datasets/dataset.ts";
import { disposeExcept, type Tensor, type Tree } from "../../engines/index.ts";
import { initialTensors, type Parameters } from "../../networks/network.ts";
import { type Optimizer, sgd } from "../../optimizers/index.ts";
import { lossGradient } from "../../training/parameterGradient.ts";
import type { Source } from "../objective.ts";
import type { NetworkSource } from "./networkSource.ts";

export const queueOptions = z.strictObject({
  initial: z.int().min(1).default(3).describe("Fresh networks before the first step; >= 1"),
  capacity: z
    .int()
    .min(1)
    .default(100)
    .describe(
      "Networks that it holds; a further one takes the place of the oldest. A checkpoint has all of them, with velocities",
    ),
  renewEvery: z.int().min(1).default(30).describe("Steps from one fresh network to the next"),
  begin: z.int().min(0).default(0).describe("Oldest networks that are not matched under"),
  end: z
    .int()
    .min(1)
    .optional()
    .describe(
      "Networks of this position and after it are not matched under; all are, where it would leave 10 or fewer",
    ),
  trained: z.int().min(0).default(2).describe("Networks that train after each step"),
  trainSteps: z.int().min(1).default(10).describe("SGD steps of each of them"),
  trainBatch: z
    .int()
    .min(1)
    .default(256)
    .describe("Real images of such a step, uniform over all classes as they are, not augmented"),
  learningRate: z.number().positive().default(0.01).describe("η of the networks; > 0"),
  momentum: z.number().min(0).lt(1).default(0.9).describe("μ of the networks; 0 to below 1"),
  weightDecay: z.number().min(0).default(5e-4).describe("λ of the networks; >= 0"),
  resetAccuracyEvery: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "Steps after which all running accuracies start anew, as in IDM's code with each evaluation: a network then counts as " +
        "untrained until it trains again; 0 for never",
    ),
});

type QueueOptions = z.infer<typeof queueOptions>;

/** A semi-trained network, with all that its training goes on from. */
type Trained = {
  readonly parameters: Parameters;
  /** Optimizer state of each parameter. */
  readonly optimizers: readonly Tree[];
  /** Images that it was trained on since its accuracy last started anew, each as often as it was. */
  readonly seen: number;
  /** Those of them that it got right, each time before the step it took part in. */
  readonly right: number;
};

/** What a network trains on after a step: positions in the real data, for each of its steps. */
type Lesson = readonly Int32Array[];

/**
 * A queue of semi-trained networks (IDM; Zhao et al., CVPR 2023), first in, first out. A step
 *
 *     1. pushes a fresh network where it is time for one, in place of the oldest where the queue is full;
 *     2. matches under a random one of the queue;
 *     3. trains random ones, by a few steps of SGD on the mean cross-entropy of real images.
 *
 * So there are networks of all ages in it. At the defaults it is full after 2910 steps, and a network trains for about 600
 * steps before it leaves. Batch norm normalizes by the batch throughout, as in matching: running statistics are not kept.
 *
 * Metrics: `queue`, how many networks there are, and `networkAccuracy`, of the one that is matched under.
 */
export function queue(options: z.infer<typeof queueOptions>): NetworkSource {
  const optimizer = sgd(options);
  const fresh = (source: Source, rng: Rng): Trained => {
    const parameters = initialTensors(source.network.parameters, source.engine, rng);
    return { parameters, optimizers: parameters.map((one) => optimizer.init(one)), seen: 0, right: 0 };
  };
  return {
    begin: (source, rng) =>
      Array.from({ length: options.initial }, (_, i) => fresh(source, rng.stream(`network/${i}`))),
    draw(source, rng, { step, state }) {
      const before = anew(state as unknown as readonly Trained[], step, options);
      const pushed = step % options.renewEvery === 0 ? [fresh(source, rng.stream("network"))] : [];
      const networks = [...before, ...pushed].slice(-options.capacity);
      const candidates = matchable(networks, options);
      const matched = candidates[rng.stream("matching").integer(candidates.length)]!;
      const lessons = lessonsOf(networks.length, countOf(source.real), options, rng.stream("training"));
      const networkAccuracy = accuracyOf(matched);
      return {
        parameters: matched.parameters,
        accuracy: networkAccuracy,
        metrics: { queue: networks.length, networkAccuracy },
        after: () =>
          networks.map((network, i) => {
            const lesson = lessons.get(i);
            return lesson ? taught(network, lesson, source, optimizer) : network;
          }),
      };
    },
  };
}

function accuracyOf({ seen, right }: Trained): number {
  return seen === 0 ? 0 : right / seen;
}

/** The networks, their accuracies started anew where it is time for that. */
function anew(
  networks: readonly Trained[],
  step: number,
  { resetAccuracyEvery: every }: Pick<QueueOptions, "resetAccuracyEvery">,
): readonly Trained[] {
  const isTime = every > 0 && step > 0 && step % every === 0;
  return isTime ? networks.map((network) => ({ ...network, seen: 0, right: 0 })) : networks;
}

/** Of a slice of the queue that has no more, IDM's code takes the whole queue. */
const TOO_FEW = 10;

function matchable(
  networks: readonly Trained[],
  { begin, end }: Pick<QueueOptions, "begin" | "end">,
): readonly Trained[] {
  const chosen = networks.slice(begin, end);
  return chosen.length > TOO_FEW ? chosen : networks;
}

/** Rolls which networks train, and on what, by their places in the queue. */
function lessonsOf(
  networks: number,
  images: number,
  { trained, trainSteps, trainBatch }: QueueOptions,
  rng: Rng,
): ReadonlyMap<number, Lesson> {
  const chosen = rng.stream("networks").permutation(networks).subarray(0, trained);
  return new Map(
    Array.from(chosen, (network, i) => [
      network,
      Array.from({ length: trainSteps }, (_, k) => sample(trainBatch, images, rng.stream(`batch/${i}/${k}`))),
    ]),
  );
}

/** Some of 0 … count − 1, without replacement: the first ones of a shuffle, which is not done to its end. */
function sample(size: number, count: number, rng: Rng): Int32Array {
  const moved = new Map<number, number>(); // all others are in their own places
  return Int32Array.from({ length: Math.min(size, count) }, (_, i) => {
    const place = i + rng.integer(count - i);
    const chosen = moved.get(place) ?? place;
    moved.set(place, moved.get(i) ?? i);
    return chosen;
  });
}

/** The network after a step of SGD on each of a lesson's batches. */
function taught(start: Trained, lesson: Lesson, source: Source, optimizer: Optimizer): Trained {
  let network = start;
  for (const positions of lesson) {
    const next = source.engine.scope(() => stepped(network, positions, source, optimizer));
    disposeExcept(network, [next, start]);
    network = next;
  }
  return network;
}

function stepped(
  { parameters, optimizers, seen, right }: Trained,
  positions: Int32Array,
  { engine, real, network }: Source,
  optimizer: Optimizer,
): Trained {
  const images = engine.tensor([positions.length, ...real.imageShape], normalized(real, positions));
  const labels = positions.map((position) => real.labels[position]!);
  const predicted: number[] = [];
  const onLogits = (logits: Tensor): void => {
    predicted.push(...logits.argmax(1).values());
  };
  const { gradients } = lossGradient(network, parameters, { images, labels, onLogits });
  const updated = parameters.map((one, i) => optimizer.update(one, gradients[i]!, optimizers[i]!));
  return {
    parameters: updated.map(({ value }) => value),
    optimizers: updated.map(({ state }) => state),
    seen: seen + labels.length,
    right: right + labels.filter((label, i) => label === predicted[i]).length,
  };
}
