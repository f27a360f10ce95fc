import { check, wholeNumber } from "../core/errors.ts";
import { numpyPermutation } from "../core/numpyRandom.ts";

/** How the classes of a data set come one group after another. */
export interface ClassStepsOptions {
  /** Groups of classes; they divide the classes into groups of one size, two or more. */
  readonly steps: number;
  /** Of the order of the classes, for NumPy's legacy generator. */
  readonly seed: number;
}

/**
 * The classes of each step of class-incremental learning (the protocol of DM's code, Zhao and Bilen, WACV 2023): the order
 * that `np.random.seed(seed); np.random.permutation(classes)` gives, cut into steps of K = classes/steps classes,
 *
 *     step s has order[s·K], …, order[(s + 1)·K − 1].
 *
 * @param classes C, those of the data set.
 * @returns labels of each step, in the order in which they come.
 * @throws InputError where the steps do not divide the classes, so that some would be left over, or a step has one alone,
 *   in which there is nothing to tell apart.
 */
export function classSteps(classes: number, { steps, seed }: ClassStepsOptions): number[][] {
  wholeNumber("classSteps.steps", steps, 1);
  const size = classes / steps;
  const possible = Array.from({ length: Math.floor(classes / 2) }, (_, i) => i + 1).filter(
    (count) => classes % count === 0,
  );
  check(
    Number.isInteger(size) && size >= 2,
    () =>
      `steps: expected a number that cuts ${classes} classes into steps of one size, two classes or more: ` +
      `${possible.join(", ")}; got ${steps}`,
  );
  const order = Array.from(numpyPermutation(seed, classes));
  return Array.from({ length: steps }, (_, s) => order.slice(s * size, (s + 1) * size));
}
