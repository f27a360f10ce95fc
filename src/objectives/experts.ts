import { z } from "zod";
import { check, wholeNumber } from "../core/errors.ts";
import { preferring } from "../core/options.ts";
import { parseStrategy, usualAugmentation } from "../datasets/augment.ts";
import { type Dataset, wholeClassNames } from "../datasets/dataset.ts";
import { disposeExcept } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import { backboneSize, frozenBackbone } from "../networks/frozenBackbone.ts";
import { initialTensors, type Network, type Parameters } from "../networks/index.ts";
import { balancedOrder } from "../training/balancedOrder.ts";
import { freshModel } from "../training/model.ts";
import { sharpnessOptions } from "../training/sharpness.ts";
import type { TrainingOptions } from "../training/train.ts";
import { expertTrajectory } from "./expertTrajectory.ts";
import type { Preparation, Source } from "./objective.ts";
import { bytesOf, namedTensors, preparedPart } from "./preparedParts.ts";
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
  sharpness: sharpnessOptions
    .optional()
    .describe("Training towards flat minima, by adaptive GSAM (FTD, DATM, LAD); plain SGD without"),
});

/** Options of expert trajectories. */
export type ExpertOptions = z.infer<typeof expertOptions>;

/** Options of classifiers trained on frozen experts; the defaults are those of LAD's code (Zhao et al., CVPR 2025). */
export const classifierExpertOptions = expertOptions.omit({ count: true }).extend({
  epochs: preferring(expertOptions.shape.epochs, 10),
  sharpness: sharpnessOptions
    .prefault({})
    .describe("Training towards flat minima, by adaptive GSAM with norms over the classifier's parameters"),
  consecutive: z
    .int()
    .min(1)
    .default(4)
    .describe("Classes take turns in random order; images that each gives at its turn"),
});

/** Options of classifiers trained on frozen experts. */
export type ClassifierExpertOptions = z.infer<typeof classifierExpertOptions>;

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
  const kept = keptEpochs("experts", options, needed);
  // An expert is the same among few or many: more of them are made beside those that are there.
  const { count, ...each } = options;
  return {
    name: "experts",
    options: identity(each, needed),
    parts: count,
    bytes: ({ network }) => kept.length * bytesOf(network.parameters),
    *part(source, _index, rng, state) {
      const start = freshModel(source.network, source.engine, rng.stream("network"));
      const how = trainingBy(options, kept, source.real);
      return yield* expertTrajectory({ start, source, how, kept, rng: rng.stream("training") }, state);
    },
  };
}

/**
 * Experts whose linear classifier is trained on alone, from where an expert ended and on classes in balance, while all
 * before it stays as it is (LAD's second stage, Zhao et al., CVPR 2025; from its code). Part i goes on with expert i. Its
 * arrays are those of an expert, of the classifier's parameters only. An epoch has as many images as if all classes were as
 * large as the largest.
 *
 * @param of experts whose final parameters are kept.
 * @throws InputError if they are not, or if the run reads parameters after more epochs than there are.
 *
 * As in that code, whose optimizer is shown no gradients of the frozen parameters, the norms of GSAM are those of the
 * classifier's.
 */
export function classifierExperts(
  options: ClassifierExpertOptions,
  of: Preparation,
  needed: Snapshots,
): Preparation {
  const kept = keptEpochs("classifierExperts", options, needed);
  const epochs = finalEpoch(of);
  return {
    name: "classifierExperts",
    options: identity(options, needed),
    needs: [of],
    parts: of.parts,
    bytes: ({ network }) => kept.length * bytesOf(split(network, network.parameters)[1]),
    *part(source, index, rng, state) {
      const { engine, network, real, classes } = source;
      const arrays = source.prepared!(of, index);
      const trained = tensorsAfter(source, arrays, epochs, network.parameters);
      const [backbone, parameters] = split(network, trained);
      const start = {
        network: frozenBackbone(network, backbone),
        parameters,
        statistics: initialTensors(network.statistics, engine, rng.stream("network")),
      };
      const order = balancedOrder(classes, options.consecutive);
      const how = { ...trainingBy(options, kept, real), order };
      try {
        return yield* expertTrajectory({ start, source, how, kept, rng: rng.stream("training") }, state);
      } finally {
        disposeExcept(backbone, null);
      }
    },
  };
}

/** Training up to the last epoch that is kept. */
function trainingBy(
  { batchSize, learningRate, momentum, weightDecay, sharpness, augmentation }: Omit<ExpertOptions, "count">,
  kept: readonly number[],
  real: Dataset,
): TrainingOptions {
  return {
    epochs: kept.at(-1)!,
    batchSize,
    learningRate,
    momentum,
    weightDecay,
    drops: { afterEpochs: [], factor: 1 },
    augmentation:
      augmentation === undefined ? usualAugmentation(wholeClassNames(real)) : parseStrategy(augmentation),
    ...(sharpness && { sharpness }),
  };
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
function identity<O extends Pick<ExpertOptions, "epochs" | "snapshots">>(
  { epochs, ...options }: O,
  { first, last, final }: Snapshots,
): Readonly<Record<string, unknown>> {
  if (options.snapshots === "all") return { ...options, epochs };
  return { ...options, first, last, ...(final && { epochs }) };
}

/** Epochs of the training, of experts whose final parameters are kept. */
function finalEpoch({ options }: Preparation): number {
  const { epochs } = options as Partial<ExpertOptions>;
  check(
    epochs !== undefined,
    () =>
      "experts: expected some whose parameters after the last epoch are kept, got others; keep them by `final`",
  );
  return epochs;
}

/** What belongs to the backbone, and what to the classifier. */
function split<T>(
  network: Network,
  parameters: readonly T[],
): readonly [backbone: readonly T[], classifier: readonly T[]] {
  const size = backboneSize(network);
  return [parameters.slice(0, size), parameters.slice(size)];
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

/**
 * One expert of `experts`; or of `classifierExperts`, as a network on a frozen backbone, whose tensors then belong to the
 * engine's scope too. What tensors are made from stays in memory from step to step, as far as it fits.
 */
export function expertOf(source: Source, preparation: Preparation, index: number): Expert {
  const { network: whole, arrays } = preparedPart(source, preparation, index);
  const [of] = preparation.needs ?? [];
  const network = of ? frozenBackbone(whole, split(whole, expertOf(source, of, index).final())[0]) : whole;
  const snapshot = (epoch: number): Parameters => tensorsAfter(source, arrays, epoch, network.parameters);
  return { network, snapshot, final: () => snapshot(finalEpoch(preparation)) };
}

function tensorsAfter(
  { engine }: Source,
  arrays: NamedArrays,
  epoch: number,
  specs: Network["parameters"],
): Parameters {
  return namedTensors(engine, { where: "expert", arrays }, `epoch-${epoch}`, specs);
}
