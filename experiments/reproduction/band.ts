import { check } from "../../src/core/errors.ts";
import { mean, sampleStandardDeviation } from "../../src/evaluation/statistics.ts";
import { studentQuantile } from "../../src/evaluation/studentLaw.ts";
import type { Published } from "../published.ts";
import { grouped } from "./grouped.ts";

/** Of faithful reproductions, one in twenty is allowed to fall outside. */
export const LEVEL = 0.95;

/** How a measurement stands to a published number. */
export type Verdict = "within" | "below" | "above" | "too few runs to say";

export interface Comparison {
  /** Mean over all networks of all distillations, a fraction. */
  readonly got: number;
  /** The numbers agree where they differ by no more than this, a fraction; NaN where there are too few runs. */
  readonly band: number;
  readonly verdict: Verdict;
  readonly spread: PublishedSpread;
}

/** Standard deviation that a published number is taken to have. */
export interface PublishedSpread {
  /** A fraction. */
  readonly std: number;
  /** Where it comes from, in words. */
  readonly from: string;
}

/**
 * Whether a measurement agrees with a published number. They agree where
 *
 *     |got − expected| ≤ t · √( P + O + 2r² + h²/3 )
 *
 * with variances of four origins, σ being the published standard deviation:
 *
 * - P, of the published mean: σ²/s of s distillations, s = 1 where it is not stated; σ²/n of one distillation that is
 *   known to be judged by n networks.
 * - O, of ours: the variance of the means of our distillations over their number. One distillation alone says nothing of
 *   how distillations differ: then the variance of its networks over their number, and σ² beside it.
 * - r², of each of two laboratories: what library, hardware and untold detail add, and which one distillation it was. See
 *   `laboratorySpread`.
 * - h²/3, of rounding, h being half a unit of the last printed digit.
 *
 * t is the 97.5 % point of Student's law, with the degrees of freedom of Welch and Satterthwaite for O and P; r is taken as known.
 *
 * @param runs accuracies of the networks of each distillation, fractions; at least one, none empty.
 * @param context all published numbers, for what this one does not state.
 */
export function compare(
  published: Published,
  runs: readonly (readonly number[])[],
  context: readonly Published[],
): Comparison {
  const accuracies = runs.flat();
  const got = mean(accuracies);
  const spread = publishedSpread(published, context);
  if (accuracies.length < 2) return { got, band: NaN, verdict: "too few runs to say", spread };
  const theirs = publishedVariance(published, spread.std);
  const ours = ownVariance(runs, spread.std);
  const known = ours.known + 2 * laboratorySpread(context).std ** 2 + published.rounding ** 2 / 3;
  const total = theirs.variance + ours.variance + known;
  // Welch and Satterthwaite: known variances have endless degrees of freedom and drop out.
  const freedom = total ** 2 / (theirs.variance ** 2 / theirs.freedom + ours.variance ** 2 / ours.freedom);
  const band = studentQuantile(LEVEL, freedom) * Math.sqrt(total);
  const difference = got - published.mean;
  const verdict = Math.abs(difference) <= band ? "within" : difference < 0 ? "below" : "above";
  return { got, band, verdict, spread };
}

interface Variance {
  readonly variance: number;
  /** Degrees of freedom of its estimate. */
  readonly freedom: number;
}

function publishedVariance({ distillations, networks }: Published, std: number): Variance {
  const alone = distillations === 1 && networks !== undefined;
  const freedom = Math.max(1, (distillations ?? 1) * (networks ?? UNSTATED_NETWORKS) - 1);
  return { variance: std ** 2 / (alone ? networks : (distillations ?? 1)), freedom };
}

/** Networks that a published deviation is over where their number is not stated: the fewest that papers state often. */
const UNSTATED_NETWORKS = 5;

function ownVariance(
  runs: readonly (readonly number[])[],
  publishedStd: number,
): Variance & { readonly known: number } {
  const [first, ...others] = runs;
  if (others.length > 0) {
    const means = runs.map((accuracies) => mean(accuracies));
    return {
      variance: sampleStandardDeviation(means) ** 2 / means.length,
      freedom: means.length - 1,
      known: 0,
    };
  }
  return {
    variance: sampleStandardDeviation(first!) ** 2 / first!.length,
    freedom: first!.length - 1,
    known: publishedStd ** 2,
  };
}

/** The published deviation, or the median one of the most similar numbers that have one. */
export function publishedSpread(published: Published, context: readonly Published[]): PublishedSpread {
  if (published.std !== undefined) return { std: published.std, from: "published" };
  const { dataset, imbalance, imagesPerClass } = published;
  const withStd = context.filter(({ metric, std }) => metric === "accuracy" && std !== undefined);
  const sameSize = withStd.filter((one) => one.imagesPerClass === imagesPerClass);
  const sameData = sameSize.filter((one) => one.dataset === dataset && one.imbalance === imbalance);
  const [similar, of] =
    sameData.length >= ENOUGH
      ? [sameData, "of the same data and images per class"]
      : sameSize.length >= ENOUGH
        ? [sameSize, "of as many images per class"]
        : [withStd, "of all data"];
  check(
    similar.length > 0,
    () => `${published.cell}: expected a published deviation of some number, found none to judge it by`,
  );
  const std = median(similar.map((one) => one.std!));
  return { std, from: `not published: the median of ${similar.length} published ones ${of}` };
}

/** Numbers that a median is taken of, at least. */
const ENOUGH = 5;

/**
 * r, the standard deviation of one laboratory's result about the common truth: how far two sources lie apart that measured the
 * same cell by the same stated protocol, |Δ|, as
 *
 *     r = median |Δ| / (0.6745 √2)
 *
 * since 0.6745 is the median of |z| of a standard normal z, and Δ has twice the variance of one result. Equal numbers are left
 * out, as one may quote the other.
 *
 * @returns r, a fraction, and the number of pairs.
 */
export function laboratorySpread(context: readonly Published[]): {
  readonly std: number;
  readonly pairs: number;
} {
  const measured = context.filter(
    ({ metric, protocol, evidence }) =>
      metric === "accuracy" && protocol !== "" && MEASURED.includes(evidence),
  );
  const differences = grouped(measured, ({ cell, protocol }) => `${cell} ${protocol}`)
    .flatMap((same) =>
      same.flatMap((one, i) => same.slice(i + 1).map((other) => Math.abs(other.mean - one.mean))),
    )
    .filter((difference) => difference > 0);
  const std = differences.length === 0 ? 0 : median(differences) / (0.6745 * Math.SQRT2);
  return { std, pairs: differences.length };
}

/** Evidence of numbers that authors printed of runs of their own. */
const MEASURED: readonly string[] = ["paper", "readme", "fig"];

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
