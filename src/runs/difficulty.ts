import { z } from "zod";
import { check } from "../core/errors.ts";
import { choice } from "../core/options.ts";
import { seeded } from "../core/rng.ts";
import { classIndices, countOf, type Dataset, subset } from "../datasets/dataset.ts";
import type { NamedArrays } from "../formats/array.ts";
import {
  type ImageDifficulty,
  meanDifficulty,
  type ScoredImages,
  scoring,
} from "../evaluation/difficulty.ts";
import { networks } from "../networks/index.ts";
import type { PartReport, Preparation, Source } from "../objectives/objective.ts";
import { pretrainedModel, pretraining, pretrainingOptions } from "../objectives/pretraining.ts";

/** Options of the networks that images are scored under; by default 20 of ResNet-18, as published. */
export const scoringNetworks = pretrainingOptions.extend({
  models: z.int().min(1).default(20).describe("Networks to train, each from a start of its own"),
  network: choice(networks, { name: "resNet18", norm: "batch" }).describe("Their architecture"),
});

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

/** Scores images under an ensemble, one network after another, each a part that processes can share and that is kept. */
export function difficultyScores(
  options: z.infer<typeof scoringNetworks>,
  { key, ...images }: NamedImages,
): DifficultyScores {
  const ensemble = pretraining(options);
  const scores: Preparation = {
    name: "difficulty",
    options: { ...ensemble.options, images: key },
    network: options.network,
    parts: options.models,
    needs: [ensemble],
    part: (source, index) => scored(source, { ensemble, index }, images),
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

/** Some images of each class of a data set, and their positions in it. */
export interface RandomImages {
  /** In label order, and in a class in the order of the data set. */
  readonly dataset: Dataset;
  readonly positions: Int32Array;
}

/**
 * Random images of each class, drawn without replacement: all where a class has no more.
 *
 * @param perClass at least 1. @param seed of the draw.
 */
export function randomImages(dataset: Dataset, perClass: number, seed: number): RandomImages {
  check(perClass >= 1, () => `randomImages.perClass: expected 1 or more, got ${perClass}`);
  const rng = seeded(seed).stream("difficulty/images");
  const positions = Int32Array.from(
    classIndices(dataset).flatMap((members, label) => {
      const order = rng.stream(String(label)).permutation(members.length).subarray(0, perClass);
      return Array.from(order, (at) => members[at]!).sort((a, b) => a - b);
    }),
  );
  return { dataset: subset(dataset, positions), positions };
}
