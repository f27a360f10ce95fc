import { augmentationFor, parseStrategy } from "../datasets/augment.ts";
import type { TrainingOptions } from "../training/train.ts";

/** How the networks behind ranking scores are trained. Scores under different protocols cannot be compared. */
export interface RankingProtocol {
  /** Names it in results. */
  readonly id: string;
  /** Grows with any change that moves scores. */
  readonly version: number;
  /** One sentence for a reader of results. */
  readonly description: string;
  /** On synthetic and on random real images. */
  readonly training: Omit<TrainingOptions, "learningRate" | "augmentation">;
  /** Learning rates, of which the best is taken wherever a set was learned without one of its own. */
  readonly rates: readonly number[];
  /** On all real images, by the one rate. */
  readonly real: RealTraining;
  /** Siamese augmentation wherever networks are trained with any, as text. */
  readonly augmentation: string;
  /** Epochs between looks at the test images, where the best of them is asked for. */
  readonly looks: RankingLooks;
  /** Evaluation seeds: networks of each kind. */
  readonly networks: number;
}

/** How networks are trained on all real images. */
export interface RealTraining {
  /** Passes over the images. */
  readonly epochs: number;
  /** Images per mini-batch. */
  readonly batchSize: number;
  /** Of SGD. */
  readonly learningRate: number;
  /** Of SGD. */
  readonly momentum: number;
  /** Times the parameter, added to its gradient. */
  readonly weightDecay: number;
  /** When the learning rate falls. */
  readonly drops: Required<TrainingOptions["drops"]>;
}

/** Epochs between looks at the test images. */
export interface RankingLooks {
  /** While a network learns hard labels. */
  readonly hard: number;
  /** While it learns soft ones. */
  readonly soft: number;
}

/** A tenth of the rate after every so many epochs, as PyTorch's StepLR has it: momentum goes on. */
const stepping = (afterEpochs: readonly number[]) => ({ afterEpochs, factor: 0.1, keepsMomentum: true });

/** What the protocols share: SGD, and augmentation with every operation. */
const common = { momentum: 0.9, weightDecay: 5e-4 };
const augmentation = "color_crop_cutout_flip_scale_rotate";

/** Protocols of ranking scores by id. */
export const rankingProtocols = {
  ddranking: {
    id: "ddranking",
    version: 1,
    description:
      "DD-Ranking's sizes for CIFAR: 1000 epochs in mini-batches of 128 on synthetic and random images, five learning rates, " +
      "200 epochs in mini-batches of 512 on real ones, five networks.",
    training: { ...common, batchSize: 128, epochs: 1000, drops: stepping([499]) },
    rates: [0.001, 0.005, 0.01, 0.05, 0.1],
    real: { ...common, batchSize: 512, epochs: 200, learningRate: 0.01, drops: stepping([99]) },
    augmentation,
    looks: { hard: 10, soft: 20 },
    networks: 5,
  },
  "ddranking-quick": {
    id: "ddranking-quick",
    version: 1,
    description:
      "A tenth of ddranking's epochs on synthetic and random images, three learning rates, 5 epochs on real ones, three " +
      "networks: for a CPU, not for publication.",
    training: { ...common, batchSize: 128, epochs: 100, drops: stepping([74]) },
    rates: [0.01, 0.03, 0.1],
    real: { ...common, batchSize: 128, epochs: 5, learningRate: 0.03, drops: stepping([3]) },
    augmentation,
    looks: { hard: 10, soft: 20 },
    networks: 3,
  },
} as const satisfies Record<string, RankingProtocol>;

/** Id of a ranking protocol that is built in. */
export type RankingProtocolId = keyof typeof rankingProtocols;

/** The protocol's augmentation for a set of classes, as text: without flip where they are digits. */
export function rankingAugmentation(
  { augmentation }: RankingProtocol,
  classNames: readonly string[],
): string {
  const suiting = augmentationFor(parseStrategy(augmentation), classNames);
  return suiting.map((ops) => [ops].flat().join("+")).join("_") || "none";
}
