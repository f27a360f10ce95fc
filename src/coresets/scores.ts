import { z } from "zod";
import { imageDifficulty } from "../evaluation/difficulty.ts";
import { difficultyScores } from "../evaluation/difficultyScores.ts";
import type { Preparation, Source } from "../objectives/objective.ts";
import { pretrainedModel, pretraining, pretrainingOptions } from "../objectives/pretraining.ts";
import { disposeModel, type Model } from "../training/model.ts";
import { type Coreset, eachClassIn } from "./coreset.ts";

/** Which end of the scores is chosen. */
export type ScoreMode = "hard" | "easy";

/**
 * A class's images by their scores, highest first where hard ones are asked for, else lowest first. Equal ones go by the
 * next scores, from hard to easy in the same sense, and then as they come.
 *
 * @param scores of all images of the set, one list after another in order of weight.
 */
export function byScore(members: Int32Array, scores: readonly Float64Array[], mode: ScoreMode): Int32Array {
  const sign = mode === "hard" ? -1 : 1;
  return members.toSorted((a, b) => {
    for (const list of scores) {
      // Differences of infinities are no numbers.
      if (list[a] !== list[b]) return list[a]! < list[b]! ? -sign : sign;
    }
    return a - b;
  });
}

const scoreOptions = (epochs: number, what: string) =>
  z.strictObject({
    mode: z
      .enum(["hard", "easy"])
      .default("hard")
      .describe("Which images are taken: those of the highest scores (published) or of the lowest"),
    networks: pretrainingOptions
      .extend({
        models: z.int().min(1).default(10).describe("Networks to score under, each from a start of its own"),
        epochs: z.int().min(0).default(epochs).describe(what),
      })
      .prefault({})
      .describe("Trained on the real images. Runs share them, and their scores"),
  });

/** Options of EL2N. */
export const el2nOptions = scoreOptions(10, "Passes over the real training images: 10 to 20 as published");
/** Options of GraNd. */
export const grandOptions = scoreOptions(0, "Passes over the real training images: none or few as published");

type ScoreOptions = z.infer<typeof el2nOptions>;

/**
 * EL2N (Paul et al., NeurIPS 2021): the images of each class with the largest E_θ ‖softmax f_θ(x) − y‖₂, over networks after
 * their first epochs.
 */
export const el2n = (options: ScoreOptions): Coreset => scored("el2n", options);

/**
 * GraNd (Paul et al., NeurIPS 2021): the images of each class with the largest E_θ ‖∇_θ ℓ(f_θ(x), y)‖₂, over networks at
 * their start or soon after.
 */
export const grand = (options: ScoreOptions): Coreset => scored("gradn", options);

function scored(measure: "el2n" | "gradn", { mode, networks }: ScoreOptions): Coreset {
  const ensemble = pretraining(networks);
  const ofReal = difficultyScores(networks);
  return {
    preparations: ofReal.preparations,
    choose(source, asked) {
      const { pool } = source;
      const difficulty = pool
        ? imageDifficulty(modelsOf(source, ensemble), { dataset: pool })
        : ofReal.difficulty(source);
      const scores = difficulty[measure];
      const positions = eachClassIn(source, asked, (members) => byScore(members, [scores], mode));
      const ofChosen = Array.from(positions, (at) => scores[at]!);
      return { positions, record: { scores: ofChosen, networkAccuracies: ofReal.accuracies(source) } };
    },
  };
}

/** The networks of a `pretraining`, one after another; each is freed when the next is asked for. */
function* modelsOf(source: Source, ensemble: Preparation): Generator<Model> {
  for (let index = 0; index < ensemble.parts; index++) {
    const model = source.engine.scope(() => {
      const { network, trained, statistics } = pretrainedModel(source, ensemble, index);
      return { network, parameters: trained, statistics };
    });
    yield model;
    disposeModel(model);
  }
}
