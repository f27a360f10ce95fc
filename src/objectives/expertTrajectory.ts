import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { disposeExcept, type Tensor, type Tree } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import type { Network, Parameters } from "../networks/index.ts";
import type { Model } from "../training/model.ts";
import { type EpochReport, train, type TrainingOptions, type TrainingState } from "../training/train.ts";
import { datasetData } from "../training/trainingData.ts";
import type { PartReport, Source } from "./objective.ts";
import { namedArrays } from "./preparedParts.ts";

/** A training whose parameters are kept after some of its epochs. */
export interface RecordedTraining {
  /** Its tensors are the training's to free. */
  readonly start: Model;
  readonly source: Source;
  readonly how: TrainingOptions;
  /** Epochs, in order; the last one is that of the training. */
  readonly kept: readonly number[];
  readonly rng: Rng;
}

/** What is kept of a training so far. */
type Recorded = {
  /** Parameters by their epochs. */
  readonly snapshots: Readonly<Record<string, Parameters>>;
  /** Mean cross-entropy of each epoch. */
  readonly losses: readonly number[];
};

/** What a training that is cut off goes on from. */
type TrajectoryState = Omit<TrainingState, "network"> & Recorded;

/**
 * Trains, and keeps parameters on the way: arrays epoch-E/NAME of those after E epochs, and `loss`, [epochs], the mean
 * cross-entropy over each epoch's images, each before the step it took part in. Goes on from a report's state to the same
 * bits.
 *
 * @throws InputError as soon as the loss of an epoch is not finite.
 */
export function* expertTrajectory(
  { start, source: { engine, real }, how, kept, rng }: RecordedTraining,
  state: Tree = {},
): Generator<PartReport, NamedArrays> {
  const { snapshots, losses, ...begun } = state as Partial<TrajectoryState>;
  const run = train({ ...start, ...begun }, datasetData(real, engine), how, rng);
  let recorded: Recorded = {
    snapshots: snapshots ?? (kept.includes(0) ? { 0: copies(start.parameters) } : {}),
    losses: losses ?? [],
  };
  let model: Model | undefined;
  try {
    let next = run.next();
    for (; !next.done; next = run.next()) {
      recorded = withEpoch(recorded, next.value, kept);
      const { epochs, parameters, statistics, states } = next.value.model;
      yield { share: epochs / how.epochs, state: { epochs, parameters, statistics, states, ...recorded } };
    }
    model = next.value;
    return arraysOf(start.network, recorded);
  } finally {
    run.return(start); // where it is given up, it frees its own
    disposeExcept([{ ...start }, state, { ...model }, recorded], null);
  }
}

function withEpoch(
  { snapshots, losses }: Recorded,
  { model, loss }: EpochReport,
  kept: readonly number[],
): Recorded {
  const { epochs, parameters } = model;
  const mean = loss.item();
  check(
    Number.isFinite(mean),
    () =>
      `experts: expected a finite loss, got ${mean} in epoch ${epochs}; lower the learning rate of the experts`,
  );
  return {
    snapshots: kept.includes(epochs) ? { ...snapshots, [epochs]: copies(parameters) } : snapshots,
    losses: [...losses, mean],
  };
}

/** The same values as tensors of their own: those of a training are freed as it goes on. */
function copies(parameters: Parameters): Tensor[] {
  return parameters.map((parameter) => parameter.detach());
}

function arraysOf({ parameters: specs }: Network, { snapshots, losses }: Recorded): NamedArrays {
  const arrays = Object.entries(snapshots).map(([epoch, parameters]) =>
    namedArrays(`epoch-${epoch}`, specs, parameters),
  );
  const loss = { shape: [losses.length], data: Float64Array.from(losses) };
  return Object.assign({ loss }, ...arrays) as NamedArrays;
}
