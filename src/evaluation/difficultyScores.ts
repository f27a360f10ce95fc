import { countOf } from "../datasets/dataset.ts";
import type { NamedArrays } from "../formats/array.ts";
import type { PartReport, Preparation, Source } from "../objectives/objective.ts";
import { pretrainedModel, pretraining, type PretrainingOptions } from "../objectives/pretraining.ts";
import { type ImageDifficulty, meanDifficulty, type ScoredImages, scoring } from "./difficulty.ts";

/** Images to score, and what names them among others. */
export interface NamedImages extends ScoredImages {
  /** Plain data on which the images depend beside the data set's options. */
  readonly key: Readonly<Record<string, unknown>>;
}

/** The difficulty of images under networks that are trained on real images. */
export interface DifficultyScores {
  /** A score for each of the networks, which it needs; what others have made is used again. */
  readonly preparations: readonly [scores: Preparation];
  /** Means over the networks. @param source reads scores and networks. */
  difficulty(source: Source): ImageDifficulty;
  /** Accuracy of each network on the training images, 0 to 1. */
  accuracies(source: Source): number[];
}

const measures = ["gradn", "misclassified", "loss", "el2n"] as const;

/**
 * Scores images under an ensemble, one network after another, each a part that processes can share and that is kept.
 *
 * @param given by default all real training images of the source.
 */
export function difficultyScores(options: PretrainingOptions, given?: NamedImages): DifficultyScores {
  const ensemble = pretraining(options);
  const { key, ...images } = given ?? { key: { split: "train" } };
  const scores: Preparation = {
    name: "difficulty",
    options: { ...ensemble.options, images: key },
    ...(options.network && { network: options.network }),
    parts: options.models,
    needs: [ensemble],
    part: (source, index) =>
      scored(source, { ensemble, index }, "dataset" in images ? images : { dataset: source.real }),
  };
  const parts = Array.from({ length: options.models }, (_, index) => index);
  return {
    preparations: [scores],
    difficulty: (source) =>
      meanDifficulty(parts.map((index) => difficultyOf(source.prepared!(scores, index)))),
    accuracies: (source) =>
      parts.map((index) => Number(source.prepared!(ensemble, index)["accuracy"]!.data[0])),
  };
}

function* scored(
  source: Source,
  { ensemble, index }: { readonly ensemble: Preparation; readonly index: number },
  images: ScoredImages,
): Generator<PartReport, NamedArrays> {
  const { engine } = source;
  const found = pretrainedModel(source, ensemble, index);
  const model = engine.scope(() => ({
    network: found.network,
    parameters: found.trained,
    statistics: found.statistics,
  }));
  try {
    const run = scoring(model, images);
    const all = countOf(images.dataset);
    let next = run.next();
    for (; !next.done; next = run.next()) yield { share: next.value / all };
    const difficulty = next.value;
    return Object.fromEntries(measures.map((name) => [name, { shape: [all], data: difficulty[name] }]));
  } finally {
    for (const tensor of [...model.parameters, ...model.statistics]) tensor.dispose();
  }
}

function difficultyOf(arrays: NamedArrays): ImageDifficulty {
  const entries = measures.map((name) => [name, Float64Array.from(arrays[name]!.data as Float64Array)]);
  return Object.fromEntries(entries) as unknown as ImageDifficulty;
}
