import type { Rng } from "../core/rng.ts";
import { drawAugmentation } from "../datasets/augment.ts";
import type { Tensor, Tree } from "../engines/index.ts";
import type { Network } from "../networks/network.ts";
import { seenPerClass } from "./classBatches.ts";
import { type Expert, expertOf } from "./experts.ts";
import type { Draw, Learned, Preparation, Source } from "./objective.ts";
import { drawnStartEpoch, type StartEpochs } from "./startEpochs.ts";
import type { Trajectory } from "./trajectory.ts";

/** Students that shall go as some experts go. */
export interface Matching {
  /** Names its distance in the log, beside those of others. */
  readonly name?: string;
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
  readonly compared?: (network: Network) => number;
  /** What the student trains on in place of hard labels, [n, classes], differentiable in what is learned. */
  labels?(learned: Learned, segment: Segment, source: Source): Tensor;
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
  readonly carried: Carried;
}

/** What a method carries from step to step, by names of its own. */
export type Carried = Readonly<Record<string, Tree>>;

/** State of a run of the family. */
export type TrajectoryState = { readonly orders: TrajectoryDraw["orders"]; readonly carried: Carried };

/** The segments of a step, and the order of the experts. */
export function drawnSegments(
  method: { readonly matchings: readonly Matching[]; readonly batchSize?: number | undefined },
  source: Source,
  rng: Rng,
  { step, state }: { readonly step: number; readonly state: Tree },
): TrajectoryDraw {
  const { orders, carried } = state as unknown as TrajectoryState;
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
  const { classes, augmentation, real } = at.source;
  const epoch = drawnStartEpoch(startEpochs, at.step, at.rng.stream("epoch"));
  const count = classes.length * seenPerClass(at.source);
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

/**
 * The synthetic images of each step of a student, by MTT's code: a random order of all images is cut into chunks, which are
 * used from the last one on, so that a shorter one comes first; when none is left there is another order.
 *
 * @param count images. @param size of a chunk; `count` or more for all in each step.
 */
export function studentChunks(
  { count, size, steps }: { readonly count: number; readonly size: number; readonly steps: number },
  permutation: () => Int32Array,
): Int32Array[] {
  let left: Int32Array[] = [];
  return Array.from({ length: steps }, () => {
    if (left.length === 0) {
      const order = permutation();
      const chunks = Math.ceil(count / size);
      left = Array.from({ length: chunks }, (_, i) => order.subarray(i * size, (i + 1) * size));
    }
    return left.pop()!;
  });
}
