import { check, positive, wholeNumber } from "../core/errors.ts";
import { numpyPermutation } from "../core/numpyRandom.ts";
import { seeded } from "../core/rng.ts";
import { classIndices, type Dataset, subset } from "./dataset.ts";

/** Which images of a balanced set a long-tailed one keeps. */
export interface LongTailOptions {
  /** IF: images of the first class over images of the last, ≥ 1. */
  readonly imbalance: number;
  /** n_max: images of the first class. */
  readonly largest: number;
  /** Seed of the subset; not the run's, so that all runs see the same images. */
  readonly seed: number;
  /** Whose images; by default those of this project's own generator. */
  readonly subset?: LongTailSubset | undefined;
}

/**
 * Whose images a long-tailed set holds: `lad`, with seed 42, those of LAD's released code (github.com/ichbill/LTDD), which
 * draws by NumPy's legacy generator, seeded anew for every class. So all classes of a size keep the same places.
 */
export const longTailSubsets = ["lad"] as const;
/** Name of code whose subsets can be drawn. */
export type LongTailSubset = (typeof longTailSubsets)[number];

/** Keeps a power that should be whole, as 5000·100^(−1) = 50, from being floored to one less. */
const ROUNDING = 1e-9;

/**
 * Images per class under exponential imbalance (Cui et al. 2019, as in LAD's long-tailed protocol):
 *
 *     n_c = ⌊n_max · IF^(−c/(C−1))⌋,   c = 0, …, C − 1
 *
 * @param classes C ≥ 1; a single class keeps n_max.
 * @param largest n_max ≥ 1.
 * @param imbalance IF, from 1 (balanced) to n_max.
 * @returns non-increasing counts ≥ 1, in label order.
 * @throws InputError outside these ranges; beyond n_max the last class would be empty.
 */
export function longTailCounts(classes: number, largest: number, imbalance: number): number[] {
  wholeNumber("longTail: classes", classes, 1);
  wholeNumber("longTail.largest", largest, 1);
  check(
    positive("longTail.imbalance", imbalance) >= 1,
    () => `longTail.imbalance: expected at least 1 (first class over last), got ${imbalance}`,
  );
  check(
    imbalance <= largest,
    () =>
      `longTail.imbalance: expected at most ${largest}, the images of the first class, got ${imbalance}; ` +
      "the last class would be empty",
  );
  const last = Math.max(1, classes - 1);
  return Array.from({ length: classes }, (_, c) => Math.floor(largest * imbalance ** (-c / last) + ROUNDING));
}

/**
 * Random subset with exponentially decreasing class sizes. A class's images are the first n_c of one random order of its
 * own, so the subsets of two imbalance factors are nested where one asks for fewer.
 *
 * @returns the subset in data set order, and the positions of its images in `dataset`.
 * @throws InputError where a class has fewer images than asked for, and for a seed that the generator does not take.
 */
export function longTail(
  dataset: Dataset,
  options: LongTailOptions,
): { subset: Dataset; indices: Int32Array } {
  const { imbalance, largest, seed, subset: whose } = options;
  const counts = longTailCounts(dataset.classNames.length, largest, imbalance);
  const taken = classIndices(dataset).flatMap((members, c) => {
    const count = counts[c]!;
    check(
      count <= members.length,
      () =>
        `longTail.largest: class ${c} (${dataset.classNames[c]}): expected at least ${count} images, ` +
        `got ${members.length}; lower largest, now ${largest}`,
    );
    const order =
      whose === "lad"
        ? numpyPermutation(seed, members.length)
        : seeded(seed).stream(`longTail/${c}`).permutation(members.length);
    return Array.from(order.subarray(0, count), (i) => members[i]!);
  });
  const indices = Int32Array.from(taken).sort();
  return { subset: subset(dataset, indices), indices };
}
