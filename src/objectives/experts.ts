import { z } from "zod";
import { check, wholeNumber } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { parseStrategy, type Strategy, usualAugmentation } from "../datasets/augment.ts";
import type { Dataset } from "../datasets/dataset.ts";
import { disposeExcept, type Tensor, type Tree } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import type { Network, Parameters } from "../networks/index.ts";
import { freshModel, type Model } from "../training/model.ts";
import { type EpochReport, train, type TrainingOptions, type TrainingState } from "../training/train.ts";
import { datasetData } from "../training/trainingData.ts";
import type { PartReport, Preparation, Source } from "./objective.ts";
import { bytesOf, namedArrays, namedTensors, preparedPart } from "./preparedParts.ts";
import { strategyOption } from "./strategyOption.ts";

/** Options of expert trajectories; the defaults are those of MTT's code (Cazenavette et al., CVPR 2022). */
export const expertOptions = z.strictObject({
  count: z
    .int()
    .min(1)
    .default(100)
    .describe("Experts: networks trained on the real images, each from a start of its own"),
  epochs: z
    .int()
    .min(1)
    .default(50)
    .describe("Passes over the real images; fewer where the run reads no snapshot after them"),
  snapshots: z
    .enum(["needed", "all"])
    .default("needed")
    .describe(
      "Parameters that are kept: needed, after the epochs that the run reads; all, after every epoch, so that runs of " +
        "other start epochs share the experts",
    ),
  batchSize: z.int().min(1).default(256).describe("Images per mini-batch"),
  learningRate: z.number().positive().default(0.01).describe("Of SGD"),
  momentum: z.number().min(0).lt(1).default(0).describe("Of SGD"),
  weightDecay: z.number().min(0).default(0).describe("Times the parameter, added to its gradient"),
  augmentation: strategyOption
    .optional()
    .describe(
      "One operation of color_crop_flip for each mini-batch, with parameters of its own for each image; by default one of " +
        "all that suit the data set",
    ),
});

/** Options of expert trajectories. */
export type ExpertOptions = z.infer<typeof expertOptions>;

/** Parameters of each expert that a run reads. Epoch e stands for the parameters after e epochs, 0 for the start. */
export interface Snapshots {
  /** The first epoch. */
  readonly first: number;
  /** The last one; those between are read too. */
  readonly last: number;
  /** Whether the parameters after the last epoch of training are read as well. */
  readonly final: boolean;
}

/**
 * Expert trajectories (MTT, Cazenavette et al., CVPR 2022): networks trained on the real images by SGD at a constant rate,
 * with their parameters after each epoch. Each part is one expert, with
 *
 *     epoch-E/NAME     its parameters after E epochs, 0 for the random start
 *     loss             [epochs], mean cross-entropy over each epoch's images, each before the step it took part in
 *
 * An expert is trained no longer than what is kept of it needs. Networks with batch norm normalize by the mini-batch.
 *
 * @throws InputError if the run reads parameters after more epochs than there are.
 */
export function experts(options: ExpertOptions, needed: Snapshots): Preparation {
  const { count, augmentation, ...others } = options;
  const kept = keptEpochs("experts", options, needed);
  return {
    name: "experts",
    options: identity(options, needed),
    parts: count,
    bytes: ({ network }) => kept.length * bytesOf(network.parameters),
    *part(source, _index, rng, state) {
      const { network, engine, real } = source;
      const how: TrainingOptions = {
        ...others,
        epochs: kept.at(-1)!,
        drops: { afterEpochs: [], factor: 1 },
        augmentation: strategyFor(augmentation, real),
      };
      const start = freshModel(network, engine, rng.stream("network"));
      return yield* trajectory({ start, source, how, kept, rng: rng.stream("training") }, state);
    },
  };
}

/** One operation at a time of all that suit the classes, where none is stated. */
function strategyFor(augmentation: string | undefined, { classNames }: Dataset): Strategy {
  return augmentation === undefined ? usualAugmentation(classNames) : parseStrategy(augmentation);
}

/** The epochs after which parameters are kept, in order. */
function keptEpochs(
  where: string,
  { epochs, snapshots }: Pick<ExpertOptions, "epochs" | "snapshots">,
  { first, last, final }: Snapshots,
): number[] {
  wholeNumber(`${where}: first epoch`, first);
  wholeNumber(`${where}: last epoch`, last, first);
  check(
    last <= epochs,
    () =>
      `objective.${where}.epochs: expected at least ${last}, the last epoch whose parameters the run reads, got ${epochs}; ` +
      "train longer, or match earlier epochs",
  );
  return Array.from({ length: epochs + 1 }, (_, epoch) => epoch).filter(
    (epoch) => snapshots === "all" || (epoch >= first && epoch <= last) || (final && epoch === epochs),
  );
}

/** What the result depends on: of epochs that nobody reads, and of what a run reads where all is kept, it does not. */
function identity(
  { epochs, ...options }: ExpertOptions,
  { first, last, final }: Snapshots,
): Readonly<Record<string, unknown>> {
  if (options.snapshots === "all") return { ...options, epochs };
  return { ...options, first, last, ...(final && { epochs }) };
}

/** A training whose parameters are kept after some of its epochs. */
interface Training {
  /** The training's to free. */
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

function* trajectory(
  { start, source: { engine, real }, how, kept, rng }: Training,
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

/** One expert of a preparation. */
export interface Expert {
  /** Its functions. */
  readonly network: Network;
  /**
   * Its parameters after so many epochs, as tensors of the engine's scope.
   *
   * @throws InputError if they are not kept, or not those of the architecture.
   */
  snapshot(epoch: number): Parameters;
  /** Its parameters after the last epoch of training. @throws InputError if they are not kept. */
  final(): Parameters;
}

/** One expert of `experts`. What its tensors are made from stays in memory from step to step, as far as it fits. */
export function expertOf(source: Source, preparation: Preparation, index: number): Expert {
  const { network, arrays } = preparedPart(source, preparation, index);
  const snapshot = (epoch: number): Parameters =>
    namedTensors(source.engine, { where: "expert", arrays }, `epoch-${epoch}`, network.parameters);
  return {
    network,
    snapshot,
    final() {
      const { epochs } = preparation.options as Partial<ExpertOptions>;
      check(
        epochs !== undefined,
        () =>
          "expert: expected one whose parameters after the last epoch are kept, got others; keep them by `final`",
      );
      return snapshot(epochs);
    },
  };
}
