import type { Rng } from "../../core/rng.ts";
import { allocation, type DifficultyShape } from "./allocation.ts";
import { drawBins } from "./drawBins.ts";
import { histogram } from "./histogram.ts";
import { logTransform } from "./logTransform.ts";
import { chooseThresholds, type ThresholdSearch } from "./thresholds.ts";

/** Difficulty scores of one class, each in [0, 1]. */
export interface ClassScores {
  /** Of the images to choose from; one or more. */
  readonly pool: Float64Array;
  /** Of all real images of the class; one or more. */
  readonly real: Float64Array;
}

/** How a class's images are chosen. */
export interface GuidedOptions {
  /** Images to choose. */
  readonly perClass: number;
  /** How many of them are to be how hard. */
  readonly shape: DifficultyShape;
  /** How thresholds of the log transform are judged. */
  readonly search: ThresholdSearch;
}

/** Ten bins of difficulty, of scores as they are and of transformed ones. */
export interface DifficultyHistograms {
  /** Of D itself. */
  readonly raw: readonly number[];
  /** Of D after the log transform. */
  readonly transformed: readonly number[];
}

/** What came of one class, as plain data. */
export interface ClassRecord {
  /** b of the log transform: how many of the easiest images are clipped. */
  readonly bottom: number;
  /** t of the log transform: how many of the hardest images are clipped. */
  readonly top: number;
  /** Value of the objective at these thresholds, in bits; null where it is infinite. */
  readonly objective: number | null;
  /** Of the images to choose from. */
  readonly pool: DifficultyHistograms;
  /** Of the real images. */
  readonly real: DifficultyHistograms;
  /** Of the images chosen. */
  readonly chosen: DifficultyHistograms;
  /** Images to take of each bin of the transformed pool. */
  readonly demanded: readonly number[];
  /** How many each bin had for them. */
  readonly taken: readonly number[];
  /** How many were taken at random of all that was left instead. */
  readonly filled: number;
  /** How many were taken again, where the pool has fewer than are asked for. */
  readonly repeated: number;
  /** D of each image chosen, in the order of the choice. */
  readonly difficulty: readonly number[];
}

/** The images chosen of a class. */
export interface ClassChoice {
  /** Positions among the scores of the pool, none twice: as many as are asked for, or all. */
  readonly positions: readonly number[];
  /** How they were chosen. */
  readonly record: ClassRecord;
}

/**
 * Chooses images of one class by difficulty-guided sampling: log transform of the pool's scores by the thresholds that the
 * search finds, the same counts applied to the real images' scores, their histogram as the distribution to sample, and as
 * many images from each bin of the pool.
 *
 * A pool with fewer images than are asked for is taken whole; the record counts it as gone through again in the order of the
 * draw. Scores that leave nothing to stretch are taken as they are.
 */
export function guidedChoice({ pool, real }: ClassScores, options: GuidedOptions, rng: Rng): ClassChoice {
  const { perClass, shape, search } = options;
  const thresholds = chooseThresholds(pool, perClass, search);
  const transformed = (scores: Float64Array): Float64Array => {
    const transform = logTransform(scores.toSorted(), thresholds);
    return transform ? scores.map(transform) : scores;
  };
  const [stretched, ofReal] = [transformed(pool), histograms(real, transformed(real))];
  const demanded = allocation(shape, ofReal.transformed, perClass);
  const { positions, taken, filled } = drawBins(stretched, demanded, rng);
  const at = (values: Float64Array): Float64Array =>
    Float64Array.from({ length: perClass }, (_, i) => values[positions[i % positions.length]!]!);
  const { bottom, top, objective } = thresholds;
  return {
    positions,
    record: {
      ...{ bottom, top, objective: Number.isFinite(objective) ? objective : null },
      pool: histograms(pool, stretched),
      real: ofReal,
      chosen: histograms(at(pool), at(stretched)),
      ...{ demanded, taken, filled, repeated: perClass - positions.length },
      difficulty: Array.from(at(pool)),
    },
  };
}

function histograms(raw: Float64Array, transformed: Float64Array): DifficultyHistograms {
  return { raw: histogram(raw), transformed: histogram(transformed) };
}
