import { check } from "../core/errors.ts";
import { studentQuantile, studentTail } from "./studentLaw.ts";

/** Arithmetic mean. @throws InputError for no values. */
export function mean(values: readonly number[]): number {
  check(values.length > 0, () => "mean: expected at least one value, got none");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** √(Σ (x − mean)² / (n − 1)), the estimate for the law the values come from. @throws InputError below two values. */
export function sampleStandardDeviation(values: readonly number[]): number {
  check(values.length > 1, () => `sampleStandardDeviation: expected at least 2 values, got ${values.length}`);
  return Math.sqrt(squaredDeviations(values) / (values.length - 1));
}

/** √(Σ (x − mean)² / n), as most distillation papers report it. @throws InputError for no values. */
export function populationStandardDeviation(values: readonly number[]): number {
  return Math.sqrt(squaredDeviations(values) / values.length);
}

function squaredDeviations(values: readonly number[]): number {
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0);
}

/** What pairs of measurements say of the difference between two things that were measured. */
export interface PairedDifference {
  /** dᵢ = aᵢ − bᵢ of each pair, in the order given. */
  readonly differences: readonly number[];
  /** Mean of the differences. */
  readonly mean: number;
  /** Their sample standard deviation; none of a single pair. */
  readonly std: number | undefined;
  /** In which the true difference lies with 95 % confidence; none of a single pair. */
  readonly interval: readonly [low: number, high: number] | undefined;
  /** Two-sided p-value of the paired t-test for no difference; none of a single pair. Below 0.05 where the interval excludes 0. */
  readonly p: number | undefined;
  /** How many differences are above 0, below it, and 0. */
  readonly signs: { readonly positive: number; readonly negative: number; readonly zero: number };
}

/** Confidence of the interval of a paired difference. */
const CONFIDENCE = 0.95;

/**
 * The mean difference of paired measurements with its 95 % confidence interval by Student's law (Student 1908):
 *
 *     d̄ ± t s/√n,   dᵢ = aᵢ − bᵢ,   s² = Σ (dᵢ − d̄)²/(n − 1)
 *
 * with t the two-sided quantile at n − 1 degrees of freedom: 12.7 for 2 pairs, 4.3 for 3, 2.8 for 5. What the two sides of a
 * pair share, such as a seed, is no part of s; two means with their deviations say less. The interval is exact where
 * the differences are independent and normal. Differences that are all the same have an interval of no width.
 *
 * @param a measurements, such as the accuracy of each seed with a plugin, in any unit.
 * @param b those that they are paired with, such as that of the same seed without it, in the same unit and order.
 * @throws InputError for no pair, lists of different lengths, or a value that is not finite.
 */
export function pairedDifference(a: readonly number[], b: readonly number[]): PairedDifference {
  check(
    a.length === b.length && a.length > 0,
    () =>
      `pairedDifference: expected as many values on both sides, and some, got ${a.length} and ${b.length}`,
  );
  const differences = a.map((value, i) => value - b[i]!);
  const unknown = differences.findIndex((difference) => !Number.isFinite(difference));
  check(
    unknown < 0,
    () =>
      `pairedDifference: expected finite values, got ${a[unknown]} and ${b[unknown]} in pair ${unknown}; leave it out`,
  );
  const center = mean(differences);
  const count = (is: (difference: number) => boolean): number => differences.filter(is).length;
  const signs = {
    positive: count((difference) => difference > 0),
    negative: count((difference) => difference < 0),
    zero: count((difference) => difference === 0),
  };
  const spread = spreadOfPairs(differences, center);
  return { differences, mean: center, ...spread, signs };
}

function spreadOfPairs(
  differences: readonly number[],
  center: number,
): Pick<PairedDifference, "std" | "interval" | "p"> {
  const pairs = differences.length;
  if (pairs < 2) return { std: undefined, interval: undefined, p: undefined };
  const std = sampleStandardDeviation(differences);
  const standardError = std / Math.sqrt(pairs);
  const half = studentQuantile(CONFIDENCE, pairs - 1) * standardError;
  const p = std > 0 ? studentTail(center / standardError, pairs - 1) : Number(center === 0);
  return { std, interval: [center - half, center + half], p };
}

/** Mean accuracy of the most, the middling and the least frequent classes. */
export interface Thirds {
  /** Of the most frequent classes. */
  readonly head: number;
  /** Of those between. */
  readonly medium: number;
  /** Of the least frequent classes. */
  readonly tail: number;
}

/**
 * Mean per-class accuracy over thirds of the classes, by their number of training images: of k classes in descending
 * order, the head ends at round(k/3) and the medium at round(2k/3); of 10, they are 3, 4 and 3. Classes of equal size
 * keep label order, so that for a balanced set the thirds mean nothing.
 *
 * @param perClass accuracies in label order. @param trainingCounts training images of each class, in label order.
 * @throws InputError for fewer than 3 classes, or lists of different lengths.
 */
export function thirds(perClass: readonly number[], trainingCounts: readonly number[]): Thirds {
  const classes = perClass.length;
  check(classes >= 3, () => `thirds: expected at least 3 classes, got ${classes}`);
  check(
    trainingCounts.length === classes,
    () => `thirds: expected ${classes} training counts, one for each class, got ${trainingCounts.length}`,
  );
  const descending = perClass
    .map((_, label) => label)
    .sort((a, b) => trainingCounts[b]! - trainingCounts[a]!);
  const ranked = descending.map((label) => perClass[label]!);
  const [first, second] = [Math.round(classes / 3), Math.round((2 * classes) / 3)];
  return {
    head: mean(ranked.slice(0, first)),
    medium: mean(ranked.slice(first, second)),
    tail: mean(ranked.slice(second)),
  };
}
