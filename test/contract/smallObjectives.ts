import type { Rng } from "../../src/core/rng.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import type { Engine, Tensor, Tree } from "../../src/engines/index.ts";
import { gradientDistances } from "../../src/losses/gradientDistance.ts";
import { initialTensors, type Parameters } from "../../src/networks/network.ts";
import {
  type Draw,
  type GradientPenalty,
  type Learned,
  type Objective,
  type Penalties,
  type Source,
  sumOf,
} from "../../src/objectives/objective.ts";
import {
  type Batch,
  differentiableGradient,
  parameterGradient,
} from "../../src/training/parameterGradient.ts";
import {
  type StudentBatch,
  type Synthetic,
  type Trajectory,
  trajectoryLoss,
  type TrajectoryOptions,
} from "../../src/objectives/trajectory.ts";
import { trajectoryGradient } from "../../src/objectives/trajectoryGradient.ts";
import { sgd } from "../../src/optimizers/sgd.ts";

/**
 * Small objectives of the shapes that published methods have, to prove the contract on: a queue of networks trained as
 * it goes (IDM), a network carried through an inner loop of image updates (DC), and learned soft labels and step size
 * with a gradient of its own (MTT by the exact recursion).
 */

const BATCH = 6;

function sum(tensors: readonly Tensor[]): Tensor {
  return tensors.reduce((total, tensor) => total.add(tensor));
}

function fresh(source: Source, rng: Rng): Parameters {
  return initialTensors(source.network.parameters, source.engine, rng);
}

function realBatch(source: Source, candidates: ArrayLike<number>, rng: Rng): Batch {
  const picked = Array.from({ length: BATCH }, () => candidates[rng.integer(candidates.length)]!);
  const images = source.engine.tensor([BATCH, ...source.real.imageShape], normalized(source.real, picked));
  return { images, labels: Int32Array.from(picked, (i) => source.real.labels[i]!) };
}

/** Nothing is augmented here. */
function everyPenalty({ augmented, clean }: Penalties = {}): GradientPenalty | undefined {
  return sumOf(augmented, clean);
}

/** One plain SGD step. */
function descended(source: Source, theta: Parameters, batch: Batch, rate: number): Parameters {
  const gradient = parameterGradient(source.network, theta, batch);
  return theta.map((part, i) => part.sub(gradient[i]!.mul(rate)));
}

interface QueueDraw extends Draw {
  readonly source: Source;
  readonly queue: readonly Parameters[];
  readonly chosen: number;
  readonly real: Tensor;
  readonly training: Batch;
}

/** IDM's shape: matches under a network of a queue, trains that network after the update, renews the queue. */
export const queueObjective: Objective<QueueDraw> = {
  name: "queue",
  begin: (source, rng) => ({ state: [fresh(source, rng)] as unknown as Tree }),
  draw(source, rng, { step, state }) {
    const networks = [...(state as unknown as Parameters[])];
    if (step % 2 === 1) networks.push(fresh(source, rng.stream("network")));
    const everything = Int32Array.from(source.real.labels.keys());
    return {
      step,
      source,
      queue: networks.slice(-3),
      chosen: rng.stream("chosen").integer(Math.min(networks.length, 3)),
      real: realBatch(source, everything, rng.stream("real")).images,
      training: realBatch(source, everything, rng.stream("training")),
    };
  },
  loss(learned, { source, queue, chosen, real, step }, penalties) {
    const penalty = everyPenalty(penalties);
    const { network } = source;
    const theta = queue[chosen]!;
    const target = network.embed(theta, real).mean(0).detach();
    const matching = network.embed(theta, learned.images).mean(0).sub(target).square().sum();
    if (!penalty) return matching;
    const batch = { images: learned.images, labels: source.labels };
    return matching.add(penalty(differentiableGradient(network, theta, batch), step));
  },
  after: (_, { source, queue, chosen, training }) =>
    queue.map((theta, i) =>
      i === chosen ? descended(source, theta, training, 0.05) : theta,
    ) as unknown as Tree,
};

interface CarriedDraw extends Draw {
  readonly source: Source;
  readonly network: Parameters;
  readonly inner: number;
  readonly targets: readonly (readonly Tensor[])[];
}

const INNER_LOOP = 3;

/** DC's shape: matches gradients class by class, and carries one network through an inner loop of image updates. */
export const carriedNetworkObjective: Objective<CarriedDraw> = {
  name: "carriedNetwork",
  begin: () => ({ state: { inner: 0, network: null } }),
  draw(source, rng, { step, state }) {
    const carried = state as unknown as { inner: number; network: Parameters | null };
    const network = carried.network ?? fresh(source, rng.stream("network"));
    const targets = source.classes.map((members, label) => {
      return parameterGradient(
        source.network,
        network,
        realBatch(source, members, rng.stream(`real/${label}`)),
      );
    });
    return { step, source, network, inner: carried.inner, targets };
  },
  loss(learned, { source, network, targets, step }, penalties) {
    const penalty = everyPenalty(penalties);
    const { imagesPerClass, real } = source;
    const terms = targets.map((target, label) => {
      const begin = label * imagesPerClass;
      const images = learned.images.slice([begin, 0, 0, 0], [imagesPerClass, ...real.imageShape]);
      const labels = source.labels.slice(begin, begin + imagesPerClass);
      const gradient = differentiableGradient(source.network, network, { images, labels });
      const distance = gradientDistances.mse.value(target, gradient);
      return penalty ? distance.add(penalty(gradient, step)) : distance;
    });
    return sum(terms);
  },
  after(learned, { source, network, inner }) {
    if (inner + 1 === INNER_LOOP) return { inner: 0, network: null };
    const batch = { images: learned.images, labels: source.labels };
    const trained = descended(source, descended(source, network, batch, 0.01), batch, 0.01);
    return { inner: inner + 1, network: trained as unknown as Tree };
  },
};

interface TrajectoryDraw extends Draw {
  readonly source: Source;
  readonly start: Parameters;
  readonly target: Parameters;
}

const STUDENT_STEPS = 3;

/**
 * MTT's shape: a student trained on the synthetic set from an expert's start should arrive at the expert's target. Its
 * descent is a route of its own.
 */
export const trajectoryObjective: Objective<TrajectoryDraw> = {
  name: "trajectory",
  optimizers: {
    softLabels: sgd({ learningRate: 0.5, momentum: 0.5, weightDecay: 0 }),
    stepSize: sgd({ learningRate: 1e-3, momentum: 0, weightDecay: 0 }),
  },
  begin: ({ engine, labels, real }) => ({
    learned: { softLabels: oneHot(engine, labels, real.classNames.length), stepSize: engine.fill([1], 0.05) },
  }),
  draw(source, rng, { step }) {
    const everything = Int32Array.from(source.real.labels.keys());
    const start = fresh(source, rng.stream("network"));
    let target = start;
    for (let i = 0; i < 4; i++) {
      target = descended(source, target, realBatch(source, everything, rng.stream(`expert/${i}`)), 0.1);
    }
    return { step, source, start, target };
  },
  loss: (learned, draw, penalties) => trajectoryLoss(...student(learned, draw, everyPenalty(penalties))),
  descent(learned, draw, penalties) {
    const { value, gradients } = trajectoryGradient(...student(learned, draw, everyPenalty(penalties)));
    const { images, labels, stepSize } = gradients;
    return { value, gradients: { images, softLabels: labels!, stepSize } };
  },
};

function student(
  learned: Learned,
  { source, start, target, step }: TrajectoryDraw,
  penalty: GradientPenalty | undefined,
): [Trajectory, Synthetic, TrajectoryOptions] {
  const { images, softLabels, stepSize } = learned as Record<"images" | "softLabels" | "stepSize", Tensor>;
  const all: StudentBatch = {
    positions: Int32Array.from(source.labels.keys()),
    augmentation: { op: "none" },
  };
  return [
    { network: source.network, start, target, batches: Array<StudentBatch>(STUDENT_STEPS).fill(all) },
    { images, labels: softLabels, stepSize },
    { penalty: penalty && ((gradient) => penalty(gradient, step)) },
  ];
}

function oneHot(engine: Engine, labels: Int32Array, classes: number): Tensor {
  const rows = new Float64Array(labels.length * classes);
  labels.forEach((label, i) => (rows[i * classes + label] = 1));
  return engine.tensor([labels.length, classes], rows);
}
