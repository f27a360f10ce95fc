import { z } from "zod";
import { check } from "../core/errors.ts";
import { countOf } from "../datasets/dataset.ts";
import { scoring } from "../evaluation/difficulty.ts";
import type { Preparation, Source } from "../objectives/objective.ts";
import {
  pretrainedModel,
  pretrainingOptions,
  type TrainingWatch,
  watchedPretraining,
} from "../objectives/pretraining.ts";
import { finished } from "../training/train.ts";
import { type Coreset, eachClassIn } from "./coreset.ts";
import { byScore } from "./scores.ts";

/** Counts forgetting events while samples are visited in any order. */
export interface ForgettingCounter {
  /** Events of each sample so far, [n]. */
  readonly events: Float64Array;
  /** 1 where it was correct when it was visited last, else 0, [n]. */
  readonly last: Float64Array;
  /** 1 where it was correct once, else 0, [n]. */
  readonly learned: Float64Array;
}

/** Nothing seen yet of n samples. */
export function forgettingCounter(n: number): ForgettingCounter {
  return { events: new Float64Array(n), last: new Float64Array(n), learned: new Float64Array(n) };
}

/** Counts one visit: an event is a sample that was correct at its visit before and is wrong now. */
export function visit(
  { events, last, learned }: ForgettingCounter,
  sample: number,
  isCorrect: boolean,
): void {
  if (last[sample] === 1 && !isCorrect) events[sample]!++;
  last[sample] = Number(isCorrect);
  if (isCorrect) learned[sample] = 1;
}

/** Forgetting events of each sample (Toneva et al., ICLR 2019); ∞ for one that was never correct. */
export function forgettingEvents({ events, learned }: ForgettingCounter): Float64Array {
  return events.map((count, i) => (learned[i] === 1 ? count : Infinity));
}

/** Options of forgetting. */
export const forgettingOptions = z.strictObject({
  mode: z
    .enum(["hard", "easy"])
    .default("hard")
    .describe(
      "hard: images that are forgotten most often, and those never learned (published); easy: least often",
    ),
  networks: pretrainingOptions
    .omit({ cutMix: true })
    .extend({
      models: z
        .int()
        .min(1)
        .default(1)
        .describe("Trainings to count in, each from a start of its own; their counts are averaged"),
    })
    .prefault({})
    .describe("Trained on the real images, in whose mini-batches events are counted. Runs share them"),
});

/**
 * The images of each class that networks forget most often while they are trained on all of them, or never learn (Toneva et
 * al., ICLR 2019). Of images that are forgotten equally often, those with the higher loss after training, then the first.
 * Predictions are those that training makes, on images as it augments them.
 */
export function forgetting({ mode, networks }: z.infer<typeof forgettingOptions>): Coreset {
  const options = { ...networks, cutMix: { probability: 0, alpha: 1 } };
  const counting = watchedPretraining("forgetting", options, watchOf);
  return {
    preparations: [counting],
    choose(source, asked) {
      check(
        !source.pool,
        () =>
          "initialization.forgetting: expected no pool, as events are counted for images that networks are trained on; " +
          "choose el2n or difficultyGuided, or leave the pool out",
      );
      const [events, losses] = [eventsOf(source, counting), lossesOf(source, counting)];
      const positions = eachClassIn(source, asked, (members) => byScore(members, [events, losses], mode));
      return { positions, record: { scores: Array.from(positions, (at) => kept(events[at]!)) } };
    },
  };
}

/** JSON has no ∞. */
const kept = (score: number): number | "never learned" => (score === Infinity ? "never learned" : score);

function watchOf({ real }: Source): TrainingWatch {
  const counter = forgettingCounter(countOf(real));
  return {
    found: { ...counter },
    observer(positions, logits) {
      const predicted = logits.argmax(1).values();
      positions.forEach((at, i) => {
        visit(counter, at, predicted[i] === real.labels[at]);
      });
    },
  };
}

/** Means over the trainings. */
function eventsOf(source: Source, counting: Preparation): Float64Array {
  const total = new Float64Array(countOf(source.real));
  for (let index = 0; index < counting.parts; index++) {
    const arrays = source.prepared!(counting, index);
    const [events, last, learned] = ["events", "last", "learned"].map((name) =>
      Float64Array.from(arrays[name]!.data as Float64Array),
    ) as [Float64Array, Float64Array, Float64Array];
    forgettingEvents({ events, last, learned }).forEach((count, i) => (total[i]! += count / counting.parts));
  }
  return total;
}

/** Loss of each real image after the first training. */
function lossesOf(source: Source, counting: Preparation): Float64Array {
  const { engine, real } = source;
  return engine.scope(() => {
    const { network, trained, statistics } = pretrainedModel(source, counting, 0);
    return finished(scoring({ network, parameters: trained, statistics }, { dataset: real })).loss;
  });
}
