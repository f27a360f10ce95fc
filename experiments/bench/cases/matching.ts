import { kernelOf } from "../../../kernels/index.ts";
import type { Rng } from "../../../src/core/rng.ts";
import { classIndices } from "../../../src/datasets/dataset.ts";
import type { Tensor } from "../../../src/engines/index.ts";
import type { NamedArrays } from "../../../src/formats/array.ts";
import type { Network, Parameters } from "../../../src/networks/index.ts";
import { csdm, csdmOptions } from "../../../src/objectives/csdm.ts";
import { dm, dmOptions } from "../../../src/objectives/dm.ts";
import { descent, type Objective, type Source } from "../../../src/objectives/objective.ts";
import type { BenchCase, Given, Program } from "../benchCase.ts";
import {
  byteImages,
  datasetFrom,
  floatImages,
  labelsFrom,
  networkFor,
  type NetworkSetting,
  networkSettings,
  norm,
  parametersFrom,
  tensorFrom,
  weights,
} from "../inputs.ts";

/** A step that compares batches of every class. */
export type MatchingSetting = NetworkSetting & {
  /** Real images of each class in a step, and in all, so that every step has the same. */
  readonly realBatch: number;
  /** Synthetic images of each class. */
  readonly perClass: number;
};

export const matchingSettings = {
  full: { ...networkSettings.full, realBatch: 256, perClass: 10 },
  small: { ...networkSettings.small, realBatch: 24, perClass: 2 },
} as const satisfies Record<string, MatchingSetting>;

export function matchingInputs(setting: MatchingSetting, rng: Rng): NamedArrays {
  return {
    ...byteImages(setting, setting.realBatch, rng.stream("real")),
    ...floatImages(setting, setting.perClass, rng.stream("synthetic")),
    ...weights(setting, rng.stream("network")),
  };
}

function matchingSource({ engine, setting, arrays }: Given<MatchingSetting>, network: Network): Source {
  const real = datasetFrom(arrays, setting);
  return {
    engine,
    real,
    classes: classIndices(real),
    network,
    labels: labelsFrom(arrays, "synthetic_labels"),
    imagesPerClass: setting.perClass,
    augmentation: [],
  };
}

/** A step of an objective without state: its dice, its loss, and the gradient in the images. */
function matchingProgram(objective: Objective, given: Given<MatchingSetting>): Program<Step> {
  const { engine, arrays, setting, rng } = given;
  const network = withParameters(networkFor(setting), parametersFrom(arrays, setting, engine));
  const source = matchingSource(given, network);
  const images = tensorFrom(arrays, "images", engine);
  return {
    run: () =>
      engine.scope(() => {
        const draw = objective.draw(source, rng.stream("step"), { step: 0, state: null });
        const { value, gradients } = descent(objective, { images }, draw);
        return { loss: value.item(), gradient: gradients.images!, facts: draw.metrics ?? {} };
      }),
    outcome: ({ loss, gradient, facts = {} }) => ({ loss, norms: { images: norm(gradient) }, facts }),
  };
}

/** What a step of matching gives. */
export type Step = {
  readonly loss: number;
  readonly gradient: Tensor;
  readonly facts?: Readonly<Record<string, number>>;
};

/** The network at given parameters: a step draws its own, which takes its time, and goes on with those of the case. */
function withParameters(network: Network, given: Parameters): Network {
  return {
    ...network,
    featureMap: (_, images, mode) => network.featureMap(given, images, mode),
    embed: (_, images, mode) => network.embed(given, images, mode),
    classify: (_, embeddings) => network.classify(given, embeddings),
    logits: (_, images, mode) => network.logits(given, images, mode),
  };
}

const dmProgram = (given: Given<MatchingSetting>): Program => {
  const { realBatch } = given.setting;
  return matchingProgram(dm(dmOptions.parse({ realBatch })), given);
};

export const dmCase: BenchCase<MatchingSetting> = {
  about: "a step of DM: network and batches drawn, loss, gradient in the images",
  peer: true,
  settings: { full: { "": matchingSettings.full }, small: { "": matchingSettings.small } },
  inputs: matchingInputs,
  program: dmProgram,
};

type SpectralMatchingSetting = MatchingSetting & {
  readonly frequencies: number;
  /** Real features that the bandwidth is the median distance of. */
  readonly points: number;
};

export const csdmCase: BenchCase<SpectralMatchingSetting> = {
  about: "a step of CSDM: as dm, with bandwidth and frequencies drawn",
  peer: true,
  settings: {
    full: { "": { ...matchingSettings.full, frequencies: 1024, points: 256 } },
    small: { "": { ...matchingSettings.small, frequencies: 64, points: 32 } },
  },
  inputs(setting, rng) {
    const { frequencies: count } = setting;
    const { width } = networkFor(setting);
    // Those that the objective draws, for a kernel of length 1: it follows this stream.
    const frequencies = csdmKernel.frequencies(count, width, rng.stream("step/term/0/frequencies"));
    return {
      ...matchingInputs(setting, rng),
      frequencies: { shape: [count, width], data: Float32Array.from(frequencies) },
    };
  },
  program(given) {
    const { realBatch, frequencies, points } = given.setting;
    return matchingProgram(csdm(csdmOptions.parse({ realBatch, frequencies, bandwidth: { points } })), given);
  },
};

const csdmKernel = kernelOf(csdmOptions.parse({}).kernel);

/** A size that shows growth with the classes, small enough to be measured at 100 of them. */
const manyClasses = {
  full: { ...networkSettings.full, realBatch: 64, perClass: 10 },
  small: { ...matchingSettings.small },
} as const satisfies Record<string, MatchingSetting>;

export const memoryCase: BenchCase<MatchingSetting> = {
  about: "memory of a step of DM at 10 and at 100 classes",
  peer: false,
  settings: {
    full: { "10": { ...manyClasses.full, classes: 10 }, "100": { ...manyClasses.full, classes: 100 } },
    small: { "10": { ...manyClasses.small, classes: 10 }, "100": { ...manyClasses.small, classes: 100 } },
  },
  inputs: matchingInputs,
  program: dmProgram,
};
