import { BINS, histogram, histogramOfMonotone } from "./histogram.ts";
import { logTransform, type Thresholds } from "./logTransform.ts";

/** λ: how much closeness to the pool's own histogram counts; closeness to the uniform one has the rest. */
const TRADE_OFF = 0.5;

/** Added to each bin of a normalized histogram, which is then normalized anew: no divergence is infinite. */
const SMOOTHING = 1e-6;

/** KL divergence of two normalized histograms, in bits. */
function divergence(p: readonly number[], q: readonly number[]): number {
  return p.reduce((sum, share, i) => (share === 0 ? sum : sum + share * Math.log2(share / q[i]!)), 0);
}

const uniform = new Array<number>(BINS).fill(1 / BINS);

/** How far a transformed histogram is from one that it is to be like; both normalized. */
type Distance = (wanted: readonly number[], transformed: readonly number[]) => number;

/**
 * How thresholds are judged, by name: by the divergence of h from the pool's histogram P and from the uniform one U, each with
 * half the weight.
 */
export const thresholdSearches = {
  /** D(P‖h) and D(U‖h), as the published code: infinite wherever a bin of h is empty. */
  code: divergence,
  /** The same of smoothed histograms: finite everywhere. */
  codeEps: (wanted, transformed) => divergence(smoothed(wanted), smoothed(transformed)),
  /** D(h‖P) and D(h‖U), as in eq. 9 of the paper, of smoothed histograms. */
  paperEps: (wanted, transformed) => divergence(smoothed(transformed), smoothed(wanted)),
} as const satisfies Record<string, Distance>;

/** Name of a way to judge thresholds. */
export type ThresholdSearch = keyof typeof thresholdSearches;

function smoothed(shares: readonly number[]): number[] {
  const total = shares.reduce((sum, share) => sum + share + SMOOTHING, 0);
  return shares.map((share) => (share + SMOOTHING) / total);
}

function normalizedHistogram(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}

/** Thresholds and what they are worth. */
export interface ChosenThresholds extends Thresholds {
  /** Value of the objective, in bits; infinite where no thresholds have a finite one. */
  readonly objective: number;
}

/**
 * The thresholds b and t, each in {0, …, ⌊n/2⌋ − 1} or 0 alone, that minimize
 *
 *     ½ D(P, h) + ½ D(U, h)
 *
 * with P the histogram of the scores, h that of their log transform and D as the search says (DGS, eq. 9). Of equal ones the
 * first counts, with b in the outer loop.
 *
 * @param scores of a class's pool, in [0, 1], at least 1.
 * @param perClass n, images to choose of the class.
 */
export function chooseThresholds(
  scores: Float64Array,
  perClass: number,
  search: ThresholdSearch,
): ChosenThresholds {
  return objectives(scores, perClass, search)
    .flat()
    .reduce((best, one) => (one.objective < best.objective ? one : best));
}

/** The objective at every pair of thresholds: row b, column t. Infinite where there is nothing to transform. */
export function objectives(
  scores: Float64Array,
  perClass: number,
  search: ThresholdSearch,
): ChosenThresholds[][] {
  const sorted = scores.toSorted();
  const own = normalizedHistogram(histogram(sorted));
  const distance: Distance = thresholdSearches[search];
  const objective = (thresholds: Thresholds): number => {
    const transform = logTransform(sorted, thresholds);
    if (!transform) return Infinity;
    const transformed = normalizedHistogram(histogramOfMonotone(sorted, transform));
    return TRADE_OFF * distance(own, transformed) + (1 - TRADE_OFF) * distance(uniform, transformed);
  };
  const counts = Array.from({ length: Math.max(1, Math.floor(perClass / 2)) }, (_, count) => count);
  return counts.map((bottom) =>
    counts.map((top) => ({ bottom, top, objective: objective({ bottom, top }) })),
  );
}
