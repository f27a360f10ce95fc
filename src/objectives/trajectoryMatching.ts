import { z } from "zod";
import { check, Divergence } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { drawAugmentation } from "../datasets/augment.ts";
import type { Tensor, Tree } from "../engines/index.ts";
import { squaredDistance } from "../losses/trajectoryDistance.ts";
import type { Network, Parameters } from "../networks/network.ts";
import { clamped } from "../optimizers/clamped.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { sgd } from "../optimizers/sgd.ts";
import { type Expert, expertOf } from "./experts.ts";
import { drawnStartEpoch, type StartEpochs, studentChunks } from "./expertSegments.ts";
import {
  type Beginning,
  type Descent,
  type Draw,
  type GradientPenalty,
  type Learned,
  type Objective,
  type Penalties,
  type Preparation,
  type RunDefaults,
  type Source,
  sumOf,
} from "./objective.ts";
import {
  type Penalty,
  type Synthetic,
  type Trajectory,
  trajectoryLoss,
  type TrajectoryOptions,
} from "./trajectory.ts";
import { type TrajectoryGradient, trajectoryGradient, unrolledGradient } from "./trajectoryGradient.ts";

/** Options that all methods of the family share. */
export const trajectoryOptions = z.strictObject({
  studentSteps: z
    .int()
    .min(1)
    .default(20)
    .describe("N, the steps of gradient descent by which a student trains on the synthetic images"),
  expertEpochs: z
    .int()
    .min(1)
    .default(2)
    .describe("M, the expert's epochs on the real images whose way the student shall go"),
  batchSize: z
    .int()
    .min(1)
    .optional()
    .describe("Synthetic images in each of the student's steps; by default all of them"),
  stepSize: z
    .strictObject({
      initial: z.number().positive().default(0.01).describe("β at the first update"),
      learningRate: z.number().min(0).default(1e-5).describe("Of β, by SGD; 0 holds it"),
      momentum: z.number().min(0).lt(1).default(0.5).describe("Of that SGD"),
      floor: z
        .number()
        .positive()
        .optional()
        .describe(
          "β is held at this or above, which the published codes do not; without, a run stops where β is no longer positive",
        ),
    })
    .prefault({})
    .describe("β, the student's learning rate, which is learned with the images and evaluates them"),
  shortest: z
    .number()
    .min(0)
    .default(1e-8)
    .describe("A segment of less squared length, ‖θ₀ − θ*‖², is skipped: the loss is in units of it"),
});

const gradients = ["exact", "tesla", "unrolled"] as const;

/** How the gradient of a trajectory's loss is taken. */
export const gradientOption = z.enum(gradients);

/** What the option says of itself. */
export const gradientText =
  "exact, the loss's own, step by step in the memory of one; tesla, with every θᵢ held constant, as TESLA's code does; " +
  "unrolled, the exact one by differentiating all steps at once, for comparison";

/** What a run of the family has where its config says nothing else. */
export function publishedTrajectoryRun(): RunDefaults {
  return { optimizer: { name: "sgd", learningRate: 1000, momentum: 0.5 } };
}

/** Students that shall go as some experts go. */
export interface Matching {
  /** The experts, one in each part. */
  readonly experts: Preparation;
  /** Where segments of their paths begin. */
  readonly startEpochs: StartEpochs;
  /** M. */
  readonly expertEpochs: number;
  /** N. */
  readonly studentSteps: number;
  /** λ, of its loss in the sum. Default 1. */
  readonly weight?: number;
  /** How many parameters are compared, from the first on. Default: all. */
  compared?(network: Network): number;
  /** What the student trains on in place of hard labels, [n, classes], differentiable in what is learned. */
  labels?(learned: Learned, segment: Segment, source: Source): Tensor;
}

/** What a method of the family is put together from. */
export interface TrajectoryMethod extends z.infer<typeof trajectoryOptions> {
  /** Names it in messages. */
  readonly name: string;
  /** One trajectory each, whose losses are added up. */
  readonly matchings: readonly Matching[];
  /** How the gradient is taken. */
  readonly gradient: (typeof gradients)[number];
  /** A loss above it, without penalties, is one whose step is skipped. Default: none is. */
  readonly threshold?: number | undefined;
  /** What is learned beside images and step size, and where the images start. */
  begin?(source: Source, rng: Rng): Beginning;
  /** Of what `begin` brings. */
  readonly optimizers?: Readonly<Record<string, Optimizer>>;
  /** What the run carries from step to step beside the order of its experts. */
  after?(learned: Learned, draw: TrajectoryDraw): Readonly<Record<string, Tree>>;
  /** See `Objective.result`. */
  result?(learned: Learned, carried: Readonly<Record<string, Tree>>): Learned;
}

/** A stretch of an expert's path with the dice of its student. */
export interface Segment extends Trajectory {
  /** Epoch that it begins at. */
  readonly epoch: number;
}

/** What a step of trajectory matching draws. */
export interface TrajectoryDraw extends Draw {
  /** Where it was drawn from. */
  readonly source: Source;
  /** One for each matching. */
  readonly segments: readonly Segment[];
  /** For each matching, its experts in the order in which they take their turns. */
  readonly orders: readonly (readonly number[])[];
  /** Of the step before. */
  readonly carried: Readonly<Record<string, Tree>>;
}

/** State of the family. */
type State = {
  readonly orders: readonly (readonly number[])[];
  readonly carried: Readonly<Record<string, Tree>>;
};

/**
 * Trajectory matching (MTT; Cazenavette, Wang, Torralba, Efros & Zhu, CVPR 2022): a student that trains on the synthetic
 * images alone shall go where experts went on the real ones. In each step the next expert gives a segment of its path, from
 * θ₀ at a random epoch t to θ* at t + M. A student starts at θ₀ and takes N steps of gradient descent,
 *
 *     θᵢ₊₁ = θᵢ − β ∇_θ ℓ(θᵢ; A(xᵢ), yᵢ),   L = ‖θ_N − θ*‖² / ‖θ₀ − θ*‖² + 1/N Σᵢ R(gᵢ)
 *
 * on chunks xᵢ of the synthetic images with labels y, by one random operation A for each chunk with parameters of its own for
 * each image. Images, step size β and, where labels are soft, labels descend on L together; R are penalties.
 *
 * Experts take turns in random order, anew each time round. Metrics: `stepSize`, `distance` (the first term), `startEpoch`.
 * A segment that is all but a point, and a loss above the method's threshold, is skipped.
 */
export function trajectoryMatching(method: TrajectoryMethod): Objective<TrajectoryDraw> {
  const { name, matchings, result } = method;
  return {
    name,
    preparations: [...new Set(matchings.map(({ experts }) => experts))],
    optimizers: { stepSize: stepSizeOptimizer(method), ...method.optimizers },
    begin(source, rng) {
      checkSource(name, source);
      const { learned, state, ...beginning } = method.begin?.(source, rng) ?? {};
      return {
        ...beginning,
        learned: { ...learned, stepSize: source.engine.fill([1], method.stepSize.initial) },
        state: { orders: [], carried: state ?? {} },
      };
    },
    draw: (source, rng, at) => drawn(method, source, rng, at),
    loss: (learned, draw, penalties) =>
      sum(
        matchings.map((matching, i) =>
          weighted(matching, trajectoryLoss(...lessonOf({ matching, i, learned, draw, penalties }))),
        ),
      ),
    descent: (learned, draw, penalties) =>
      learned.images.engine.scope(() => descended(method, learned, draw, penalties)),
    after(learned, draw) {
      checkStepSize(name, learned, draw.step);
      return { orders: draw.orders, carried: method.after?.(learned, draw) ?? {} } as unknown as Tree;
    },
    ...(result && { result: (learned, state) => result(learned, (state as unknown as State).carried) }),
  };
}

function drawn(
  method: TrajectoryMethod,
  source: Source,
  rng: Rng,
  { step, state }: { readonly step: number; readonly state: Tree },
): TrajectoryDraw {
  const { orders, carried } = state as unknown as State;
  const turns = method.matchings.map(({ experts: { parts } }, i) => {
    const place = step % parts;
    const order = place === 0 ? Array.from(rng.stream(`experts/${i}`).permutation(parts)) : orders[i]!;
    return { order, expert: order[place]! };
  });
  const segments = method.matchings.map((matching, i) =>
    segmentOf(matching, expertOf(source, matching.experts, turns[i]!.expert), {
      source,
      step,
      batchSize: method.batchSize,
      rng: rng.stream(`segment/${i}`),
    }),
  );
  return {
    step,
    source,
    segments,
    orders: turns.map(({ order }) => order),
    carried,
    metrics: { startEpoch: segments[0]!.epoch },
  };
}

function segmentOf(
  { startEpochs, expertEpochs, studentSteps, compared }: Matching,
  expert: Expert,
  at: {
    readonly source: Source;
    readonly step: number;
    readonly batchSize: number | undefined;
    readonly rng: Rng;
  },
): Segment {
  const { labels, augmentation, real } = at.source;
  const epoch = drawnStartEpoch(startEpochs, at.step, at.rng.stream("epoch"));
  const count = labels.length;
  const orders = at.rng.stream("chunks");
  const dice = at.rng.stream("augmentation");
  const chunks = studentChunks({ count, size: at.batchSize ?? count, steps: studentSteps }, () =>
    orders.permutation(count),
  );
  return {
    network: expert.network,
    epoch,
    start: expert.snapshot(epoch),
    target: expert.snapshot(epoch + expertEpochs),
    batches: chunks.map((positions) => ({
      positions,
      augmentation: drawAugmentation(augmentation, positions.length, real.imageShape, dice),
    })),
    ...(compared && { compared: compared(expert.network) }),
  };
}

/** One matching of a step. */
interface Lesson {
  readonly matching: Matching;
  /** Its place. */
  readonly i: number;
  readonly learned: Learned;
  readonly draw: TrajectoryDraw;
  readonly penalties: Penalties | undefined;
}

/** Its trajectory, the synthetic set as the student sees it, and the penalties. */
function lessonOf({
  matching,
  i,
  learned,
  draw,
  penalties = {},
}: Lesson): [Trajectory, Synthetic, TrajectoryOptions] {
  const { source, segments, step } = draw;
  const segment = segments[i]!;
  const { images, stepSize } = learned;
  const labels = matching.labels?.(learned, segment, source) ?? source.labels;
  const at = (penalty: GradientPenalty | undefined): Penalty | undefined =>
    penalty && ((gradient) => penalty(gradient, step));
  // Where nothing is augmented both kinds see the same gradient.
  const { augmented, clean }: Penalties =
    source.augmentation.length > 0 ? penalties : { augmented: sumOf(penalties.augmented, penalties.clean) };
  return [
    segment,
    { images, labels, stepSize: stepSize! },
    { penalty: at(augmented), cleanPenalty: at(clean) },
  ];
}

function descended(
  method: TrajectoryMethod,
  learned: Learned,
  draw: TrajectoryDraw,
  penalties: Penalties | undefined,
): Descent {
  const { stepSize } = learned;
  const { matchings, shortest, threshold = Infinity } = method;
  const shortestNow = Math.min(...draw.segments.map(squaredLength));
  if (shortestNow < shortest) {
    return { ...still(learned), skipped: `a segment of squared length ${shortestNow}` };
  }
  const parts = matchings.map((matching, i) =>
    taught(method.gradient, { matching, i, learned, draw, penalties }),
  );
  const distance = sum(parts.map((part) => part.distance));
  const measured = threshold === Infinity ? undefined : distance.item();
  return {
    value: sum(parts.map(({ value }) => value)),
    gradients: Object.fromEntries(
      Object.keys(learned).map((name) => [name, sum(parts.map((part) => part.gradients[name]!))]),
    ),
    metrics: { stepSize: stepSize!, distance },
    ...(measured !== undefined && measured > threshold && { skipped: `a loss of ${measured}` }),
  };
}

/** A step that goes nowhere, with the loss of a student that stays where it is. */
function still(learned: Learned): Descent {
  const { engine } = learned.images;
  const zeros = Object.entries(learned).map(([name, { shape }]) => [name, engine.fill(shape, 0)] as const);
  return {
    value: engine.fill([], 1),
    gradients: Object.fromEntries(zeros),
    metrics: { stepSize: learned.stepSize!, distance: engine.fill([], 1) },
  };
}

/** One matching's part in a step, by λ. */
function taught(
  gradient: TrajectoryMethod["gradient"],
  lesson: Lesson,
): Required<Pick<Descent, "value" | "gradients">> & { readonly distance: Tensor } {
  const { matching, learned } = lesson;
  const { engine } = learned.images;
  return engine.scope(() => {
    const [trajectory, synthetic, options] = lessonOf(lesson);
    const found: TrajectoryGradient =
      gradient === "unrolled"
        ? unrolledGradient(trajectory, synthetic, options)
        : trajectoryGradient(trajectory, synthetic, { ...options, throughPath: gradient === "exact" });
    const { images, stepSize, labels } = found.gradients;
    const own = { images, stepSize, ...(labels && throughLabels(lesson, labels)) };
    return {
      value: weighted(matching, found.value),
      distance: weighted(matching, found.distance),
      gradients: Object.fromEntries(
        Object.entries(learned).map(([name, { shape }]) => {
          const part = own[name as keyof typeof own] as Tensor | undefined;
          return [name, part ? weighted(matching, part.reshape(shape)) : engine.fill(shape, 0)];
        }),
      ),
    };
  });
}

/** The gradient in the student's labels taken on to what is learned of them. */
function throughLabels(
  { matching, learned, draw, i }: Lesson,
  gradient: Tensor,
): Readonly<Record<string, Tensor>> {
  const names = Object.keys(learned).filter((name) => name !== "images" && name !== "stepSize");
  const { gradients } = gradient.engine.gradients(
    (...tensors) => {
      const at = { ...learned, ...Object.fromEntries(names.map((name, k) => [name, tensors[k]!])) };
      return matching.labels!(at, draw.segments[i]!, draw.source).mul(gradient).sum();
    },
    names.map((name) => learned[name]!),
  );
  return Object.fromEntries(names.map((name, k) => [name, gradients[k]!]));
}

const squaredLength = ({ start, target, compared }: Segment): number =>
  squaredDistance(start.slice(0, compared), target.slice(0, compared)).item();

const weighted = ({ weight = 1 }: Matching, tensor: Tensor): Tensor =>
  weight === 1 ? tensor : tensor.mul(weight);

const sum = (tensors: readonly Tensor[]): Tensor => tensors.reduce((total, tensor) => total.add(tensor));

/** Plain SGD, held above the floor where there is one. */
function stepSizeOptimizer({ stepSize: { learningRate, momentum, floor } }: TrajectoryMethod): Optimizer {
  const rule = learningRate === 0 ? held : sgd({ learningRate, momentum, weightDecay: 0 });
  return floor === undefined ? rule : clamped(rule, { low: [floor], high: [Infinity] });
}

/** Leaves a value as it is. */
const held: Optimizer = { name: "held", init: () => null, update: (value) => ({ value, state: null }) };

/** @throws Divergence where β is not positive: nothing can be trained by it. */
function checkStepSize(name: string, { stepSize }: Learned, step: number): void {
  const beta = stepSize!.item();
  if (beta > 0) return;
  throw new Divergence(
    `${name}, step ${step}: expected a positive step size β after the update, got ${beta}; ` +
      "lower objective.stepSize.learningRate, or state objective.stepSize.floor",
  );
}

function checkSource(name: string, { partition }: Source): void {
  check(
    partition === undefined,
    () => `partition: expected whole images for ${name}, got mosaics; take it out`,
  );
}

/** The networks at the end of a segment, by which labels of teachers are made. */
export function teacherOf({ network, target }: Segment): {
  readonly network: Network;
  readonly parameters: Parameters;
} {
  return { network, parameters: target };
}
