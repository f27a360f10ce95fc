import { type Rng, seeded } from "../core/rng.ts";
import { random } from "../coresets/random.ts";
import { parseStrategy } from "../datasets/augment.ts";
import { classIndices, type Dataset, normalized, subset } from "../datasets/dataset.ts";
import type { Tensor } from "../engines/index.ts";
import { accuracy } from "../evaluation/accuracy.ts";
import {
  isLook,
  type NetworkAccuracies,
  rankedNetwork,
  type RankingTests,
} from "../evaluation/rankedNetwork.ts";
import { rankingAugmentation, type RankingProtocol } from "../evaluation/rankingProtocols.ts";
import type { HostArray, NamedArrays } from "../formats/array.ts";
import { imagesAtOnce, type NetworkChoice, networkOf } from "../networks/index.ts";
import type { PartReport, Preparation, Source } from "../objectives/objective.ts";
import { pretrainedModel, pretraining } from "../objectives/pretraining.ts";
import { disposeModel, type Model } from "../training/model.ts";
import type { TrainingOptions } from "../training/train.ts";
import { tensorData } from "../training/trainingData.ts";

/** What all networks of a ranking share. */
export interface RankingSetting {
  readonly protocol: RankingProtocol;
  /** Architecture of all networks, a teacher's among them. */
  readonly network: NetworkChoice;
  /** In label order. */
  readonly classNames: readonly string[];
  /** Plain data that tells the space of the images from others: constants of normalization, the hash of a whitening. */
  readonly space: Readonly<Record<string, unknown>>;
  /** Evaluation seeds 0, 1, …: networks of each kind. */
  readonly networks: number;
  /** Whether networks take looks at the test images as they are trained. */
  readonly looks: boolean;
  /** Images to test on, in that space, made when they are first asked for. */
  tests(): RankingTests;
}

/** Which random real images a network is trained on, and how. */
export interface RandomTraining {
  /** Images of each class. */
  readonly counts: readonly number[];
  /** Hard, or by the network that the same evaluation seed trains on all real images. */
  readonly labels: "hard" | "soft";
  readonly augmented: boolean;
  readonly learningRate: number;
}

/** How a network is trained on synthetic or random images. */
export function rankingTraining(
  { protocol, classNames }: Pick<RankingSetting, "protocol" | "classNames">,
  { augmented, learningRate }: Pick<RandomTraining, "augmented" | "learningRate">,
): TrainingOptions {
  const strategy = augmented ? rankingAugmentation(protocol, classNames) : "none";
  return { ...protocol.training, learningRate, augmentation: parseStrategy(strategy) };
}

/** Epochs between looks of a network that learns such labels; undefined where none are taken. */
export function looksOf(
  { protocol, looks }: Pick<RankingSetting, "protocol" | "looks">,
  labels: RandomTraining["labels"],
): number | undefined {
  return looks ? protocol.looks[labels] : undefined;
}

/**
 * Networks on all real images with hard labels, one for each evaluation seed: what any set of a data set, space and
 * architecture is held against, and the teachers of random images. Each part is one of `pretraining`, with
 *
 *     testAccuracy      on the test images after the last epoch, 0 to 1
 *     bestTestAccuracy  the highest of its looks at them
 */
export function realHard(setting: RankingSetting): Preparation {
  const { protocol, network, classNames, space, networks } = setting;
  const { drops, ...real } = protocol.real;
  const trained = pretraining({
    ...real,
    models: networks,
    network,
    drops: { ...drops, afterEpochs: [...drops.afterEpochs] },
    augmentation: rankingAugmentation(protocol, classNames),
    cutMix: { probability: 0, alpha: 1 },
  });
  return {
    ...trained,
    name: "realHard",
    options: { ...trained.options, looks: protocol.looks.hard, space },
    part: (source, index, rng, state) => testedReal({ trained, source, index, rng }, setting, state),
  };
}

interface RealPart {
  readonly trained: Preparation;
  readonly source: Source;
  readonly index: number;
  readonly rng: Rng;
}

function* testedReal(
  { trained, source, index, rng }: RealPart,
  setting: RankingSetting,
  state: PartReport["state"] = {},
): ReturnType<Preparation["part"]> {
  const { best: before = 0, ...training } = state as { readonly best?: number };
  const run = trained.part(source, index, rng, training as PartReport["state"]);
  const task = { imageShape: source.real.imageShape, classes: source.real.classNames.length };
  const network = networkOf(trained.network as NetworkChoice, task);
  let best = before;
  try {
    let next = run.next();
    for (; !next.done; next = run.next()) {
      const { share, state: reached } = next.value;
      const { epochs, ...tensors } = reached as Omit<Model, "network"> & { readonly epochs: number };
      if (isLook(epochs, setting.protocol.looks.hard))
        best = Math.max(best, accuracy({ ...tensors, network }, setting.tests().test).accuracy);
      yield { share, state: { ...tensors, epochs, best } };
    }
    const arrays = next.value;
    const reader = { ...source, prepared: () => arrays };
    const model = source.engine.scope(() => modelOf(reader, trained, index));
    const last = accuracy(model, setting.tests().test).accuracy;
    disposeModel(model);
    return { ...arrays, testAccuracy: scalar(last), bestTestAccuracy: scalar(Math.max(best, last)) };
  } finally {
    run.return(undefined as never);
  }
}

/** A pretrained network as a model, whose tensors belong to the engine's scope. */
function modelOf(source: Source, trained: Preparation, index: number): Model {
  const { network, trained: parameters, statistics } = pretrainedModel(source, trained, index);
  return { network, parameters, statistics };
}

/**
 * Networks on random real images, fresh ones for each evaluation seed and the same by every rate, one network for each part:
 * what all sets of as many images of each class are held against. Each part has `accuracy`, `heldOut` and, where looks are
 * taken, `best`, as `NetworkAccuracies` has them.
 */
export function randomImages(setting: RankingSetting, given: RandomTraining): Preparation {
  const { network, networks, space } = setting;
  const { counts, labels } = given;
  const training = rankingTraining(setting, given);
  const perClass = new Set(counts).size === 1 ? counts[0] : counts;
  const every = looksOf(setting, labels);
  return {
    name: "randomImages",
    options: { ...training, perClass, labels, ...(every && { looks: every }), space },
    network,
    parts: networks,
    needs: labels === "soft" ? [realHard(setting)] : [],
    *part(source, index, rng) {
      const real = chosenAtRandom(source, counts, rng.stream("images"));
      const { engine } = source;
      const everyone = real.labels.map((_, i) => i);
      const images = engine.tensor([everyone.length, ...real.imageShape], normalized(real, everyone));
      const soft = labels === "soft" ? taught(source, realHard(setting), index, images) : undefined;
      const task = { imageShape: real.imageShape, classes: real.classNames.length };
      const run = rankedNetwork(
        {
          network: networkOf(network, task),
          data: tensorData(images, soft ?? real.labels),
          training,
          tests: setting.tests(),
          every,
        },
        rng,
      );
      try {
        let next = run.next();
        for (; !next.done; next = run.next()) yield { share: next.value };
        return arraysOfAccuracies(next.value);
      } finally {
        run.return(undefined as never);
        images.dispose();
        soft?.dispose();
      }
    },
    bytes: () => 512,
  };
}

/** Probabilities of the classes by the teacher of an evaluation seed, softmax at temperature 1, [n, classes]. */
function taught(source: Source, teacher: Preparation, index: number, images: Tensor): Tensor {
  const { engine } = source;
  return engine.scope(() => {
    const { network, parameters, statistics } = modelOf(source, teacher, index);
    const [count, ...shape] = images.shape as [number, number, number, number];
    const size = imagesAtOnce(network);
    const parts = Array.from({ length: Math.ceil(count / size) }, (_, i) => {
      const batch = images.slice([i * size, 0, 0, 0], [Math.min(size, count - i * size), ...shape]);
      return engine.noGrad(() =>
        network.logits(parameters, batch, { use: "running", statistics }).logSoftmax().exp(),
      );
    });
    return engine.concat(parts, 0);
  });
}

/** Share of each class's training images that is held out, and the most of them. */
const HELD_OUT = { share: 0.1, most: 500 };

/**
 * Training images that learning rates are chosen by: a tenth of each class, at most 500 of it, always the same ones.
 *
 * @returns their positions, class after class; none of a class with a single image.
 */
export function heldOutPositions(real: Dataset): Int32Array {
  return Int32Array.from(halves(real).flatMap(({ heldOut }) => [...heldOut]));
}

/** Each class's images in one random order, cut in two. */
function halves(real: Dataset): { readonly heldOut: Int32Array; readonly others: Int32Array }[] {
  const rng = seeded(0).stream("ranking/heldOut");
  return classIndices(real).map((members, label) => {
    const n = members.length;
    const order = rng.stream(`class/${label}`).permutation(n);
    const count = n < 2 ? 0 : Math.min(HELD_OUT.most, Math.max(1, Math.floor(HELD_OUT.share * n)));
    const ordered = order.map((at) => members[at]!);
    return { heldOut: ordered.subarray(0, count), others: ordered.subarray(count) };
  });
}

/** Random real images, so many of each class, none of them held out; a class with fewer gives some again. */
function chosenAtRandom(source: Source, counts: readonly number[], rng: Rng): Dataset {
  const perClass = Math.max(...counts);
  const classes = halves(source.real).map(({ others }) => others);
  const { positions } = random().choose({ ...source, classes }, { perClass, scarcity: "duplicate" }, rng);
  const first = (count: number, label: number): number[] => [
    ...positions.subarray(label * perClass, label * perClass + count),
  ];
  return subset(source.real, counts.flatMap(first));
}

/** Accuracies as a part keeps them. */
function arraysOfAccuracies(accuracies: NetworkAccuracies): NamedArrays {
  return Object.fromEntries(
    Object.entries(accuracies).map(([name, value]) => [name, scalar(value as number)]),
  );
}

/** The accuracies that a part of `randomImages` holds. */
export function accuraciesIn(arrays: NamedArrays): NetworkAccuracies {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { data }]) => [name, Number(data[0])]),
  ) as unknown as NetworkAccuracies;
}

/** Test accuracies that a part of `realHard` holds. */
export function realAccuraciesIn(arrays: NamedArrays): Pick<NetworkAccuracies, "accuracy" | "best"> {
  const value = (name: string): number => Number(arrays[name]!.data[0]);
  return { accuracy: value("testAccuracy"), best: value("bestTestAccuracy") };
}

const scalar = (value: number): HostArray => ({ shape: [1], data: Float64Array.of(value) });
