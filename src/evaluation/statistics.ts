import { check } from "../core/errors.ts";

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
