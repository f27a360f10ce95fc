import { z } from "zod";
import type { Rng } from "../core/rng.ts";
import { parseStrategy } from "../datasets/augment.ts";
import { disposeExcept, type Engine, type Tensor, type Tree } from "../engines/index.ts";
import type { NamedArrays } from "../formats/array.ts";
import {
  imagesAtOnce,
  type Network,
  networkOption,
  type Parameters,
  type ParameterSpec,
  type Statistics,
} from "../networks/index.ts";
import { freshModel, type Model } from "../training/model.ts";
import { train, type TrainingObserver, type TrainingOptions, type TrainingState } from "../training/train.ts";
import { datasetData, type TrainingData } from "../training/trainingData.ts";
import type { PartReport, Preparation, Source } from "./objective.ts";
import {
  architectureIn,
  arrayNamed,
  bytesOf,
  namedArrays,
  namedTensors,
  preparedPart,
} from "./preparedParts.ts";
import { strategyOption } from "./strategyOption.ts";

/** Options of networks trained on real images; the defaults are those of the code of IID (Deng et al., CVPR 2024). */
export const pretrainingOptions = z.strictObject({
  models: z.int().min(1).default(5).describe("Networks to train, each from a start of its own"),
  network: networkOption.optional().describe("Their architecture; by default that of the matching"),
  epochs: z.int().min(1).default(40).describe("Passes over the real training images"),
  batchSize: z.int().min(1).default(256).describe("Images per mini-batch"),
  learningRate: z.number().positive().default(0.01).describe("Of SGD"),
  momentum: z.number().min(0).lt(1).default(0.9).describe("Of SGD"),
  weightDecay: z.number().min(0).default(5e-4).describe("Times the parameter, added to its gradient"),
  drops: z
    .strictObject({
      afterEpochs: z
        .array(z.int().min(0))
        .default([])
        .describe("After each of these, counted from 0, the rate is multiplied"),
      factor: z.number().positive().default(0.1).describe("That the rate is multiplied by"),
      keepsMomentum: z.boolean().default(false).describe("Whether SGD goes on with its momentum then"),
    })
    .prefault({})
    .describe("Of the learning rate"),
  augmentation: strategyOption
    .default("none")
    .describe(
      "One operation of color_crop_flip for each mini-batch, all of color+crop; with parameters of its own for each image",
    ),
  cutMix: z
    .strictObject({
      probability: z.number().min(0).max(1).default(0).describe("Share of the mini-batches that are mixed"),
      alpha: z
        .number()
        .positive()
        .default(1)
        .describe("α of the Beta(α, α) law of the share that an image keeps"),
    })
    .prefault({})
    .describe("Mixing of images"),
});

export type PretrainingOptions = z.infer<typeof pretrainingOptions>;

/**
 * Networks trained on the real images, before the first step of any run that wants them: runs with equal options share them,
 * whatever their method. Each part is one network, with
 *
 *     initial/NAME     its parameters at the random start
 *     trained/NAME     the same after the last epoch
 *     statistics/NAME  its running statistics, of networks with batch norm
 *     accuracy         on the real training images after the last epoch, 0 to 1
 */
export function pretraining({ network, models, ...options }: PretrainingOptions): Preparation {
  return {
    name: "pretrained",
    options,
    ...(network && { network }),
    parts: models,
    bytes: (source) => {
      const { parameters, statistics } = architectureIn(source, network);
      return 2 * bytesOf(parameters) + bytesOf(statistics);
    },
    part: (source, _index, rng, state) =>
      pretrained({ network: architectureIn(source, network), options, source, rng }, state),
  };
}

/** Follows a training along, and goes on with it where it was cut off. */
export interface TrainingWatch {
  /** Sees every mini-batch. */
  readonly observer: TrainingObserver;
  /** All it has found so far, whole numbers up to 2²⁴ by name: the arrays themselves, which the observer writes to. */
  readonly found: Readonly<Record<string, Float64Array>>;
}

/**
 * A preparation whose parts are networks trained as those of `pretraining`, each with what a watch has found beside its
 * parameters, under the names it has there.
 *
 * @param watch makes the watch of one training.
 */
export function watchedPretraining(
  name: string,
  options: PretrainingOptions,
  watch: (source: Source) => TrainingWatch,
): Preparation {
  return {
    ...pretraining(options),
    name,
    part: (source, _index, rng, state) => {
      const setting = { network: architectureIn(source, options.network), options, source, rng };
      return pretrained({ ...setting, watch: watch(source) }, state);
    },
  };
}

interface Training {
  readonly network: Network;
  readonly options: Omit<PretrainingOptions, "network" | "models">;
  readonly source: Source;
  readonly rng: Rng;
  readonly watch?: TrainingWatch;
}

function* pretrained(
  { network, options, source: { engine, real }, rng, watch }: Training,
  state: Tree = {},
): Generator<PartReport, NamedArrays> {
  const { augmentation, cutMix, ...others } = options;
  const data = datasetData(real, engine);
  const start = freshModel(network, engine, rng.stream("network"));
  const { found = {}, ...trained } = state as PartState;
  const from = { ...start, ...trained };
  for (const [name, tensor] of Object.entries(found)) watch?.found[name]!.set(tensor.values());
  const how: TrainingOptions = {
    ...others,
    augmentation: parseStrategy(augmentation),
    ...(cutMix.probability > 0 && { cutMix }),
    ...(watch && { observer: watch.observer }),
  };
  const run = train(from, data, how, rng.stream("training"));
  let model: Model | undefined;
  try {
    let next = run.next();
    for (; !next.done; next = run.next()) {
      const seen = tensorsOf(engine, watch);
      try {
        yield reportOf({ ...next.value.model, found: seen }, options.epochs);
      } finally {
        disposeExcept(seen, null);
      }
    }
    model = next.value;
    return {
      ...namedArrays("initial", network.parameters, start.parameters),
      ...namedArrays("trained", network.parameters, model.parameters),
      ...namedArrays("statistics", network.statistics, model.statistics),
      ...arraysOf(watch),
      accuracy: { shape: [1], data: Float64Array.of(accuracyOn(data, model)) },
    };
  } finally {
    run.return(start); // where it is given up, it frees its own
    disposeExcept([{ ...start }, state, { ...model }], null);
  }
}

/** What a training goes on from, and what was found until then. */
type PartState = Partial<TrainingState> & { readonly found?: Readonly<Record<string, Tensor>> };

function reportOf(
  { epochs, parameters, statistics, states, found }: TrainingState & Required<PartState>,
  all: number,
): PartReport {
  return { share: epochs / all, state: { epochs, parameters, statistics, states, found } };
}

function tensorsOf(engine: Engine, watch: TrainingWatch | undefined): Record<string, Tensor> {
  const entries = Object.entries(watch?.found ?? {});
  return Object.fromEntries(entries.map(([name, values]) => [name, engine.tensor([values.length], values)]));
}

function arraysOf(watch: TrainingWatch | undefined): NamedArrays {
  const entries = Object.entries(watch?.found ?? {});
  return Object.fromEntries(entries.map(([name, data]) => [name, { shape: [data.length], data }]));
}

type Kind = "initial" | "trained" | "statistics";

/** Fraction of the images, as they are, whose largest logit is that of their label. */
function accuracyOn(data: TrainingData, { network, parameters, statistics }: Model): number {
  const { engine, count } = data;
  const size = imagesAtOnce(network);
  let correct = 0;
  for (let begin = 0; begin < count; begin += size) {
    const positions = Int32Array.from({ length: Math.min(size, count - begin) }, (_, i) => begin + i);
    engine.scope(() => {
      const { images, labels } = data.batch(positions);
      const logits = engine.noGrad(() => network.logits(parameters, images, { use: "running", statistics }));
      const predicted = logits.argmax(1).values();
      correct += predicted.filter((label, i) => label === (labels as Int32Array)[i]).length;
    });
  }
  return correct / count;
}

/** A network that was trained on the real images. */
export interface PretrainedModel {
  readonly network: Network;
  /** Its parameters at the random start. */
  readonly initial: Parameters;
  /** The same after training. */
  readonly trained: Parameters;
  /** Running statistics of batch norm after training; empty without. */
  readonly statistics: Statistics;
  /** On the real training images, 0 to 1. */
  readonly accuracy: number;
}

/**
 * One network of a `pretraining`. Its tensors are made when they are first asked for, and belong to the engine's scope at
 * that time; what they are made from stays in memory from step to step.
 *
 * @throws InputError if its arrays are not those of the architecture.
 */
export function pretrainedModel(source: Source, preparation: Preparation, index: number): PretrainedModel {
  const { engine } = source;
  const { network, arrays } = preparedPart(source, preparation, index);
  const part = { where: "pretrained network", arrays };
  const tensors = (kind: Kind, specs: readonly ParameterSpec[]): Tensor[] =>
    namedTensors(engine, part, kind, specs);
  const once = <T>(make: () => T): (() => T) => {
    let made: T | undefined;
    return () => (made ??= make());
  };
  const initial = once(() => tensors("initial", network.parameters));
  const trained = once(() => tensors("trained", network.parameters));
  const statistics = once(() => tensors("statistics", network.statistics));
  return {
    network,
    accuracy: Number(arrayNamed(part, "accuracy").data[0]),
    get initial() {
      return initial();
    },
    get trained() {
      return trained();
    },
    get statistics() {
      return statistics();
    },
  };
}
