import { z } from "zod";
import { check } from "../core/errors.ts";
import { choice } from "../core/options.ts";
import type { Rng } from "../core/rng.ts";
import { parseStrategy } from "../datasets/augment.ts";
import { disposeExcept, type Engine, type Tensor, type Tree } from "../engines/index.ts";
import type { HostArray, NamedArrays } from "../formats/array.ts";
import {
  imagesAtOnce,
  type Network,
  networkOf,
  networks,
  type Parameters,
  type ParameterSpec,
  type Statistics,
} from "../networks/index.ts";
import { freshModel, type Model } from "../training/model.ts";
import { train, type TrainingOptions, type TrainingState } from "../training/train.ts";
import { datasetData, type TrainingData } from "../training/trainingData.ts";
import type { PartReport, Preparation, Source } from "./objective.ts";

/** Options of networks trained on real images; the defaults are those of the code of IID (Deng et al., CVPR 2024). */
export const pretrainingOptions = z.strictObject({
  models: z.int().min(1).default(5).describe("Networks to train, each from a start of its own"),
  network: choice(networks).optional().describe("Their architecture; by default that of the matching"),
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
  augmentation: z
    .string()
    .refine(isStrategy, "expected operations joined by _ or +, as in color_crop_flip, or none")
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

function isStrategy(text: string): boolean {
  try {
    parseStrategy(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Networks trained on the real images, before the first step of any run that wants them: runs with equal options share them,
 * whatever their method. Each part is one network, with
 *
 *     initial/NAME     its parameters at the random start
 *     trained/NAME     the same after the last epoch
 *     statistics/NAME  its running statistics, of networks with batch norm
 *     accuracy         on the real training images after the last epoch, 0 to 1
 */
export function pretraining({ network, ...options }: PretrainingOptions): Preparation {
  return {
    name: "pretrained",
    options,
    ...(network && { network }),
    parts: options.models,
    part: (source, _index, rng, state) =>
      pretrained({ network: networkIn(source, network), options, source, rng }, state),
  };
}

function networkIn({ network, real, classes }: Source, choice: PretrainingOptions["network"]): Network {
  return choice ? networkOf(choice, { imageShape: real.imageShape, classes: classes.length }) : network;
}

interface Training {
  readonly network: Network;
  readonly options: Omit<PretrainingOptions, "network">;
  readonly source: Source;
  readonly rng: Rng;
}

function* pretrained(
  { network, options, source: { engine, real }, rng }: Training,
  state: Tree = {},
): Generator<PartReport, NamedArrays> {
  const { augmentation, cutMix, ...others } = options;
  const data = datasetData(real, engine);
  const start = freshModel(network, engine, rng.stream("network"));
  const from = { ...start, ...(state as Partial<TrainingState>) };
  const how: TrainingOptions = {
    ...others,
    augmentation: parseStrategy(augmentation),
    ...(cutMix.probability > 0 && { cutMix }),
  };
  const run = train(from, data, how, rng.stream("training"));
  let model: Model | undefined;
  try {
    let next = run.next();
    for (; !next.done; next = run.next()) yield reportOf(next.value.model, options.epochs);
    model = next.value;
    return {
      ...named("initial", network.parameters, start.parameters),
      ...named("trained", network.parameters, model.parameters),
      ...named("statistics", network.statistics, model.statistics),
      accuracy: { shape: [1], data: Float64Array.of(accuracyOn(data, model)) },
    };
  } finally {
    run.return(start); // where it is given up, it frees its own
    disposeExcept([{ ...start }, state, { ...model }], null);
  }
}

function reportOf({ epochs, parameters, statistics, states }: TrainingState, all: number): PartReport {
  return { share: epochs / all, state: { epochs, parameters, statistics, states } };
}

function named(kind: Kind, specs: readonly ParameterSpec[], tensors: readonly Tensor[]): NamedArrays {
  const entries = specs.map(({ name, shape }, i) => [
    `${kind}/${name}`,
    { shape, data: tensors[i]!.values() },
  ]);
  return Object.fromEntries(entries) as NamedArrays;
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
  const kept = keptIn(source, preparation);
  const { network } = kept;
  const arrays = partOf(kept, index, () => source.prepared!(preparation, index));
  const tensors = (kind: Kind, specs: readonly ParameterSpec[]): Tensor[] =>
    specs.map(({ name, shape }) => tensorOf(engine, arrays, `${kind}/${name}`, shape));
  const once = <T>(make: () => T): (() => T) => {
    let made: T | undefined;
    return () => (made ??= make());
  };
  const initial = once(() => tensors("initial", network.parameters));
  const trained = once(() => tensors("trained", network.parameters));
  const statistics = once(() => tensors("statistics", network.statistics));
  return {
    network,
    accuracy: Number(arrayOf(arrays, "accuracy").data[0]),
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

function tensorOf(engine: Engine, arrays: NamedArrays, name: string, shape: readonly number[]): Tensor {
  const found = arrayOf(arrays, name);
  check(
    found.shape.join() === shape.join(),
    () => `pretrained network: expected ${name} of shape ${shape.join("×")}, got ${found.shape.join("×")}`,
  );
  return engine.tensor(shape, found.data as Float32Array | Float64Array);
}

function arrayOf(arrays: NamedArrays, name: string): HostArray {
  const found = arrays[name];
  check(
    found !== undefined,
    () => `pretrained network: expected an array ${name}, got ${Object.keys(arrays).join(", ")}`,
  );
  return found!;
}

/** What is kept of a preparation from step to step of a run. */
interface Kept {
  readonly network: Network;
  /** Arrays of its parts, the one that was asked for last at the end. */
  readonly parts: Map<number, NamedArrays>;
}

const kept = new WeakMap<Source, Map<Preparation, Kept>>();

/** Kept arrays of a preparation may take so much memory, in bytes; a thousand ResNets do not fit. */
const mostKept = 2 ** 31;

function keptIn(source: Source, preparation: Preparation): Kept {
  const ofSource = kept.get(source) ?? new Map<Preparation, Kept>();
  kept.set(source, ofSource);
  const found = ofSource.get(preparation) ?? {
    network: networkIn(source, preparation.network as PretrainingOptions["network"]),
    parts: new Map<number, NamedArrays>(),
  };
  ofSource.set(preparation, found);
  return found;
}

function partOf({ parts }: Kept, index: number, read: () => NamedArrays): NamedArrays {
  const arrays = parts.get(index) ?? read();
  parts.delete(index);
  parts.set(index, arrays);
  const bytes = (one: NamedArrays): number =>
    Object.values(one).reduce((sum, { data }) => sum + data.byteLength, 0);
  let total = [...parts.values()].reduce((sum, one) => sum + bytes(one), 0);
  for (const [oldest, one] of parts) {
    if (total <= mostKept || parts.size === 1) break;
    parts.delete(oldest);
    total -= bytes(one);
  }
  return arrays;
}
