import { augmentationFor, parseStrategy } from "../datasets/augment.ts";
import { parseCondensationStrategy } from "../datasets/condensationAugment.ts";
import type { Network } from "../networks/network.ts";
import type { TrainingOptions } from "../training/train.ts";

/** How a synthetic set is judged. Numbers under different protocols cannot be compared. */
export interface Protocol {
  /** Names it in configs and results. */
  readonly id: string;
  /** Grows with any change that moves accuracies. */
  readonly version: number;
  /** One sentence for a reader of results. */
  readonly description: string;
  /** How each network is fitted, where no exception applies. */
  readonly training: TrainingOptions;
  /** What is fitted otherwise; of several that apply, the first counts. Default: nothing. */
  readonly exceptions?: readonly ProtocolException[];
}

/** What a protocol fits in another way. */
export interface ProtocolException {
  /** Whether it applies to a network that is trained on a synthetic set. */
  applies(judged: Judged): boolean;
  /** How that network is fitted. */
  readonly training: TrainingOptions;
}

/** What decides, beside its protocol, how a network is trained. */
export interface Judged {
  /** Name of the real data set that tests it. */
  readonly dataset: string;
  /** Its classes, in label order; all of them, where the test is on some. */
  readonly classNames: readonly string[];
  /** What is trained. */
  readonly network: Pick<Network, "name">;
  /** Instead of the protocol's, of a set that was learned with it. */
  readonly learningRate?: number | undefined;
}

/** How a protocol trains a network: its own options or those of an exception, with the augmentation that suits the classes. */
export function trainingFor({ training, exceptions = [] }: Protocol, judged: Judged): TrainingOptions {
  const usual = exceptions.find((exception) => exception.applies(judged))?.training ?? training;
  const { learningRate, augmentation } = usual;
  return {
    ...usual,
    learningRate: judged.learningRate ?? learningRate,
    // Condensation's operations have no flip.
    augmentation:
      "condensation" in augmentation ? augmentation : augmentationFor(augmentation, judged.classNames),
  };
}

/** What the published protocols share: SGD, and augmentation with every operation. */
const common = {
  batchSize: 256,
  momentum: 0.9,
  weightDecay: 5e-4,
  augmentation: parseStrategy("color_crop_cutout_flip_scale_rotate"),
};

/** Dataset condensation's where it augments: as long as dm-1000, with operations of its own. */
const condensationAugmented = (strategy: string) =>
  ({
    ...common,
    augmentation: parseCondensationStrategy(strategy),
    epochs: 1001,
    learningRate: 0.01,
    drops: { afterEpochs: [501], factor: 0.1 },
  }) as const;

/** ConvNetBN of any depth and width; the code has no exception for other activations and poolings. */
const isBatchNormConvNet = ({ network }: Judged): boolean =>
  network.name.startsWith("convNet-") && network.name.endsWith("-relu-batch-avg");

/** Evaluation protocols by id. */
export const protocols = {
  "dm-1000": {
    id: "dm-1000",
    version: 1,
    description: "Distribution matching's and DSA's own: 1001 epochs, augmented, accuracy after the last.",
    training: {
      ...common,
      // The code's loop over epochs 0 … 1000 includes both ends, and lowers the rate at the end of epoch 1000/2 + 1.
      epochs: 1001,
      learningRate: 0.01,
      drops: { afterEpochs: [501], factor: 0.1 },
    },
  },
  "dc-300": {
    id: "dc-300",
    version: 2,
    description:
      "Dataset condensation's own: 301 epochs, not augmented, accuracy after the last. Two exceptions, of 1001 epochs: on " +
      "MNIST each image is cropped, scaled or rotated, and a ConvNetBN sees each cropped or under noise.",
    training: {
      ...common,
      augmentation: [],
      // Both ends included as in dm-1000, and the rate lowered at the end of epoch 300/2 + 1.
      epochs: 301,
      learningRate: 0.01,
      drops: { afterEpochs: [151], factor: 0.1 },
    },
    exceptions: [
      // On MNIST too.
      { applies: isBatchNormConvNet, training: condensationAugmented("crop_noise") },
      {
        applies: ({ dataset }) => dataset === "mnist",
        training: condensationAugmented("crop_scale_rotate"),
      },
    ],
  },
  "mtt-1000": {
    id: "mtt-1000",
    version: 1,
    description:
      "Trajectory matching's own (MTT, FTD, TESLA): 1001 epochs, augmented, at the learning rate that was learned with the " +
      "set, accuracy after the last, where the codes report the best of their looks at the test set.",
    training: {
      ...common,
      // The rate is that of sets that were learned without one.
      epochs: 1001,
      learningRate: 0.01,
      drops: { afterEpochs: [501], factor: 0.1 },
    },
  },
  "datm-1000": {
    id: "datm-1000",
    version: 1,
    description:
      "DATM's and LAD's own: mtt-1000 in mini-batches of 128, on the soft labels that were learned.",
    training: {
      ...common,
      batchSize: 128,
      epochs: 1001,
      learningRate: 0.01,
      drops: { afterEpochs: [501], factor: 0.1 },
    },
  },
  "ncfm-2000": {
    id: "ncfm-2000",
    version: 1,
    description:
      "NCFM's own: 2000 epochs of AdamW with CutMix, accuracy after the last, where its code reports the best of its looks " +
      "at the test set.",
    training: {
      optimizer: "adamW",
      batchSize: 128,
      epochs: 2000,
      learningRate: 0.001,
      momentum: 0.9,
      weightDecay: 0.01,
      // PyTorch's MultiStepLR, at 1/5, 2/5, 3/5 and 4/5.
      drops: { afterEpochs: [399, 799, 1199, 1599], factor: 0.5, keepsMomentum: true },
      // Its code mirrors and colors always, and draws one of the others; cutout is left out beside CutMix.
      augmentation: parseStrategy("flip+color+crop_flip+color+scale_flip+color+rotate"),
      cutMix: { probability: 0.5, alpha: 1 },
    },
  },
  quick: {
    id: "quick",
    version: 1,
    description: "A tenth of dm-1000 at a higher rate, for looking while a method runs; not for publication.",
    training: {
      ...common,
      epochs: 120,
      learningRate: 0.03,
      drops: { afterEpochs: [89], factor: 0.1 },
    },
  },
} as const satisfies Record<string, Protocol>;

/** Id of a protocol that is built in. */
export type ProtocolId = keyof typeof protocols;
