import { usualAugmentation } from "../../datasets/augment.ts";
import { classIndices, type Dataset, subset } from "../../datasets/dataset.ts";
import type { Tree } from "../../engines/index.ts";
import type { NamedArrays } from "../../formats/array.ts";
import type { PartReport, Preparation, Source } from "../../objectives/objective.ts";
import { architectureIn, bytesOf } from "../../objectives/preparedParts.ts";
import { pretrainedModel, pretraining, type PretrainingOptions } from "../../objectives/pretraining.ts";
import { disposeModel, type Model } from "../../training/model.ts";
import { finished } from "../../training/train.ts";
import { difficultyUnder, type NetworkScores } from "./scoring.ts";

/** Networks that are trained on some of the real images, and score some. */
export interface ScoringNetworks {
  /** Names their preparation. */
  readonly name: string;
  /** How they are trained; without an augmentation, by one operation at a time of all that suit the data set. */
  readonly options: Omit<PretrainingOptions, "models" | "augmentation"> & {
    readonly augmentation?: string | undefined;
  };
  /** How many there are. */
  readonly parts: number;
  /** Plain data on which `trained` and `scored` depend. */
  readonly key: Readonly<Record<string, unknown>>;
  /** Positions of the real images that one of them is trained on. */
  readonly trained: (real: Dataset, index: number) => Int32Array;
  /** Positions of those that it scores; each of the real images is scored by one or more. */
  readonly scored: (real: Dataset, index: number) => Int32Array;
}

/**
 * The preparation of scoring networks. Each part is one of them, with
 *
 *     trained/NAME     its parameters
 *     statistics/NAME  its running statistics, of networks with batch norm
 *     accuracy         on the images that it was trained on, 0 to 1
 *     difficulty       D of each image that it scores
 *     scoredAccuracy   on these, 0 to 1
 */
export function scoringNetworks(networks: ScoringNetworks): Preparation {
  const { name, parts, key } = networks;
  const { network, ...how } = networks.options;
  return {
    name,
    options: { ...how, ...key },
    ...(network && { network }),
    parts,
    bytes: (source) => {
      const { parameters, statistics } = architectureIn(source, network);
      return bytesOf(parameters) + bytesOf(statistics) + 8 * source.real.labels.length;
    },
    *part(source, index, rng, state): Generator<PartReport, NamedArrays> {
      const { real } = source;
      const { augmentation = usualAugmentation(real.classNames).join("_"), ...others } = networks.options;
      const single = pretraining({ ...others, augmentation, models: 1 });
      const seen = part(real, networks.trained(real, index));
      const trained = yield* single.part(
        { ...source, real: seen, classes: classIndices(seen) },
        0,
        rng,
        state as Tree,
      );
      const kept = Object.entries(trained).filter(([array]) => !array.startsWith("initial/"));
      const arrays = Object.fromEntries(kept) as NamedArrays;
      const judged = part(real, networks.scored(real, index));
      const { difficulty, accuracy } = scoresUnder({ ...source, prepared: () => arrays }, single, judged)(0);
      return {
        ...arrays,
        difficulty: { shape: [difficulty.length], data: difficulty },
        scoredAccuracy: { shape: [1], data: Float64Array.of(accuracy) },
      };
    },
  };
}

/** The images at the positions; the data set itself where these are all. */
function part(real: Dataset, positions: Int32Array): Dataset {
  return positions.length === real.labels.length ? real : subset(real, positions);
}

/** What networks of a preparation make of images, by their number. */
function scoresUnder(
  source: Source,
  preparation: Preparation,
  images: Dataset,
): (index: number) => NetworkScores {
  return (index) => {
    const found = pretrainedModel(source, preparation, index);
    const model: Model = source.engine.scope(() => ({
      network: found.network,
      parameters: found.trained,
      statistics: found.statistics,
    }));
    try {
      return finished(difficultyUnder(model, images));
    } finally {
      disposeModel(model);
    }
  };
}

const indicesOf = ({ parts }: Preparation): number[] => Array.from({ length: parts }, (_, index) => index);

/** D of each real image by the parts' own scores: their mean, where more than one have scored it. */
export function realScores(
  source: Source,
  preparation: Preparation,
  { scored }: Pick<ScoringNetworks, "scored">,
): { readonly real: Float64Array; readonly accuracies: readonly number[] } {
  const { real } = source;
  const sums = new Float64Array(real.labels.length);
  const counts = new Float64Array(real.labels.length);
  const accuracies = indicesOf(preparation).map((index) => {
    const arrays = source.prepared!(preparation, index);
    const own = arrays["difficulty"]!.data as Float64Array;
    scored(real, index).forEach((at, i) => {
      sums[at]! += own[i]!;
      counts[at]!++;
    });
    return Number(arrays["scoredAccuracy"]!.data[0]);
  });
  return { real: sums.map((sum, i) => sum / counts[i]!), accuracies };
}

/** D of each image of a pool, the mean over all networks of the preparation. */
export function poolScores(
  source: Source,
  preparation: Preparation,
  pool: Dataset,
): { readonly pool: Float64Array; readonly poolAccuracies: readonly number[] } {
  const each = indicesOf(preparation).map(scoresUnder(source, preparation, pool));
  return {
    pool: each[0]!.difficulty.map((_, i) =>
      each.reduce((sum, { difficulty }) => sum + difficulty[i]! / each.length, 0),
    ),
    poolAccuracies: each.map(({ accuracy }) => accuracy),
  };
}
