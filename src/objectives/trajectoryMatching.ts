import type { z } from "zod";
import type { Rng } from "../core/rng.ts";
import { decoded, decodedLabels } from "../datasets/partition.ts";
import type { Tensor, Tree } from "../engines/index.ts";
import { squaredDistance } from "../losses/trajectoryDistance.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import {
  type Beginning,
  type Descent,
  type GradientPenalty,
  type Learned,
  type Objective,
  type Penalties,
  type Source,
  sumOf,
} from "./objective.ts";
import {
  type Carried,
  drawnSegments,
  type Matching,
  type Segment,
  type TrajectoryDraw,
  type TrajectoryState,
} from "./segments.ts";
import { checkStepSize, stepSizeOptimizer } from "./stepSize.ts";
import {
  type Penalty,
  type Synthetic,
  type Trajectory,
  trajectoryLoss,
  type TrajectoryOptions,
} from "./trajectory.ts";
import { type TrajectoryGradient, trajectoryGradient, unrolledGradient } from "./trajectoryGradient.ts";
import type { gradientOption, trajectoryOptions } from "./trajectoryOptions.ts";

/** What a method of the family is put together from. */
export interface TrajectoryMethod extends z.infer<typeof trajectoryOptions> {
  /** Names it in messages. */
  readonly name: string;
  /** One trajectory each, whose losses are added up. */
  readonly matchings: readonly Matching[];
  /** How the gradient is taken. */
  readonly gradient: z.infer<typeof gradientOption>;
  /** A loss above it, without penalties, is one whose step is skipped. Default: none is. */
  readonly threshold?: number | undefined;
  /** What is learned beside images and step size, where the images start, and what is carried first, by name. */
  begin?(source: Source, rng: Rng, images: Tensor): Beginning;
  /** Of what `begin` brings. */
  readonly optimizers?: Readonly<Record<string, Optimizer>>;
  /** What the run carries from step to step beside the order of its experts. */
  after?(learned: Learned, draw: TrajectoryDraw): Carried;
  /** See `Objective.result`. */
  readonly result?: (learned: Learned, carried: Carried) => Learned;
}

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
 * Experts take turns in random order, anew each time round. Metrics: `stepSize`, `distance` (the first term), `startEpoch`;
 * of several matchings the sum of the distances by their weights, and each under its name. A segment that is all but a point,
 * and a loss above the method's threshold, is skipped.
 */
export function trajectoryMatching(method: TrajectoryMethod): Objective<TrajectoryDraw> {
  const { name, matchings, result } = method;
  return {
    name,
    preparations: [...new Set(matchings.map(({ experts }) => experts))],
    optimizers: { stepSize: stepSizeOptimizer(method), ...method.optimizers },
    begin(source, rng, images) {
      const { learned, state, ...beginning } = method.begin?.(source, rng, images) ?? {};
      return {
        ...beginning,
        learned: { ...learned, stepSize: source.engine.fill([1], method.stepSize.initial) },
        state: { orders: [], carried: state ?? {} },
      };
    },
    draw: (source, rng, at) => drawnSegments(method, source, rng, at),
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
    ...(result && {
      result: (learned, state) => result(learned, (state as unknown as TrajectoryState).carried),
    }),
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
function lessonOf(lesson: Lesson): [Trajectory, Synthetic, TrajectoryOptions] {
  const { i, learned, draw, penalties = {} } = lesson;
  const at = (penalty: GradientPenalty | undefined): Penalty | undefined =>
    penalty && ((gradient) => penalty(gradient, draw.step));
  // Where nothing is augmented both kinds see the same gradient.
  const { augmented, clean }: Penalties =
    draw.source.augmentation.length > 0
      ? penalties
      : { augmented: sumOf(penalties.augmented, penalties.clean) };
  return [
    draw.segments[i]!,
    { ...seen(lesson, learned), stepSize: learned.stepSize! },
    { penalty: at(augmented), cleanPenalty: at(clean) },
  ];
}

/** Images and labels that the student sees, of mosaics their cells; differentiable in what is learned. */
function seen(
  { matching, i, draw: { source, segments } }: Lesson,
  learned: Learned,
): Omit<Synthetic, "stepSize"> {
  const { partition, labels: hard, engine } = source;
  const soft = matching.labels?.(learned, segments[i]!, source);
  if (!partition) return { images: learned.images, labels: soft ?? hard };
  const owners = decodedLabels(Int32Array.from(hard.keys()), partition);
  return {
    images: decoded(learned.images, partition),
    labels: soft ? soft.gather(engine.indices(owners)) : owners.map((owner) => hard[owner]!),
  };
}

function descended(
  method: TrajectoryMethod,
  learned: Learned,
  draw: TrajectoryDraw,
  penalties: Penalties | undefined,
): Descent {
  const { matchings, shortest, threshold } = method;
  const length = Math.min(...draw.segments.map(squaredLength));
  if (length < shortest) {
    return { ...staying(matchings, learned), skipped: `a segment of squared length ${length}` };
  }
  const parts = matchings.map((matching, i) =>
    taught(method.gradient, { matching, i, learned, draw, penalties }),
  );
  const measured = metricsOf(
    learned,
    matchings,
    parts.map(({ distance }) => distance),
  );
  const reached = threshold === undefined ? 0 : measured.distance.item();
  return {
    value: sum(parts.map(({ value }) => value)),
    gradients: Object.fromEntries(
      Object.keys(learned).map((name) => [name, sum(parts.map(({ gradients }) => gradients[name]!))]),
    ),
    metrics: measured,
    ...(reached > (threshold ?? Infinity) && { skipped: `a loss of ${reached}` }),
  };
}

/** A step without a direction, at the loss of a student that stays where it is. */
function staying(matchings: readonly Matching[], learned: Learned): Descent {
  const { engine } = learned.images;
  const zeros = Object.entries(learned).map(([name, { shape }]) => [name, engine.fill(shape, 0)] as const);
  const metrics = metricsOf(
    learned,
    matchings,
    matchings.map(() => engine.fill([], 1)),
  );
  return { value: metrics.distance, gradients: Object.fromEntries(zeros), metrics };
}

/** Step size and distance, of several matchings also each one's own. */
function metricsOf(
  { stepSize }: Learned,
  matchings: readonly Matching[],
  distances: readonly Tensor[],
): Readonly<Record<string, Tensor>> & { readonly distance: Tensor } {
  const own = matchings.flatMap(({ name }, i) =>
    name === undefined ? [] : [[name, distances[i]!] as const],
  );
  return {
    stepSize: stepSize!,
    distance: sum(matchings.map((matching, i) => weighted(matching, distances[i]!))),
    ...Object.fromEntries(own),
  };
}

/** One matching's part in a step, times its λ, and its distance. */
function taught(
  gradient: TrajectoryMethod["gradient"],
  lesson: Lesson,
): Pick<Descent, "value" | "gradients"> & { readonly distance: Tensor } {
  const { matching, learned } = lesson;
  return learned.images.engine.scope(() => {
    const [trajectory, synthetic, options] = lessonOf(lesson);
    const { value, distance, gradients } =
      gradient === "unrolled"
        ? unrolledGradient(trajectory, synthetic, options)
        : trajectoryGradient(trajectory, synthetic, { ...options, throughPath: gradient === "exact" });
    const all = { ...takenBack(lesson, gradients), stepSize: gradients.stepSize };
    return {
      value: weighted(matching, value),
      distance,
      gradients: Object.fromEntries(
        Object.entries(all).map(([name, one]) => [name, weighted(matching, one)]),
      ),
    };
  });
}

/** Gradients in what the student sees, taken back to what is learned: images, and what labels are made of. */
function takenBack(
  lesson: Lesson,
  { images, labels }: TrajectoryGradient["gradients"],
): Readonly<Record<string, Tensor>> {
  const { stepSize, ...learned } = lesson.learned;
  const names = Object.keys(learned);
  const { gradients } = images.engine.gradients(
    (...tensors) => {
      const at = Object.fromEntries(names.map((name, k) => [name, tensors[k]!])) as Learned;
      const shown = seen(lesson, { ...at, stepSize: stepSize! });
      const along = shown.images.mul(images).sum();
      return labels ? along.add((shown.labels as Tensor).mul(labels).sum()) : along;
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
