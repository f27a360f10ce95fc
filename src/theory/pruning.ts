import { check, shown } from "../core/errors.ts";
import { normalTailInverse } from "./normalLaw.ts";

/** Which examples are kept: those of the smallest margins under the probe, or of the largest. */
export type Kept = "hard" | "easy";

/** Part of a training set that is kept, and the probe that it is chosen by. */
export interface Pruning {
  /** α_tot, training examples for each dimension of the inputs, before any is left out; above 0. */
  readonly examples: number;
  /** f, the fraction that is kept, above 0 and up to 1; 1 prunes nothing. */
  readonly fraction: number;
  /** Which part that is. */
  readonly keep: Kept;
  /** θ, the angle between the probe and the teacher in degrees, 0 to 90; by default 0, where the probe is the teacher. */
  readonly angle?: number;
}

/**
 * Checks a pruning, and returns it with its angle in radians.
 *
 * @throws InputError for a number outside of its range.
 */
export function checkedPruning(
  where: string,
  given: Pruning,
): Required<Pruning> & { readonly theta: number } {
  const { examples, fraction, keep, angle = 0 } = given;
  check(
    Number.isFinite(examples) && examples > 0,
    () => `${where}.examples: expected a number > 0 of examples for each dimension, got ${shown(examples)}`,
  );
  check(
    fraction > 0 && fraction <= 1,
    () =>
      `${where}.fraction: expected the fraction that is kept, above 0 and up to 1, got ${shown(fraction)}`,
  );
  check(keep === "hard" || keep === "easy", () => `${where}.keep: expected hard or easy, got ${shown(keep)}`);
  check(
    angle >= 0 && angle <= 90,
    () =>
      `${where}.angle: expected degrees, 0 to 90, got ${shown(angle)}; a probe beyond 90 is one turned around`,
  );
  return { examples, fraction, keep, angle, theta: (angle * Math.PI) / 180 };
}

/** Margins from `low` to `high`. */
export interface MarginWindow {
  readonly low: number;
  /** Infinite where no margin is too large. */
  readonly high: number;
}

/**
 * The margins |J_p·x| under the probe that are kept, where the margins of all examples are those of a standard normal
 * number: [0, H⁻¹((1 − f)/2)] of the hard, [H⁻¹(f/2), ∞) of the easy.
 */
export function keptMargins({ fraction, keep }: Pick<Pruning, "fraction" | "keep">): MarginWindow {
  if (fraction === 1) return { low: 0, high: Infinity };
  return keep === "hard"
    ? { low: 0, high: normalTailInverse((1 - fraction) / 2) }
    : { low: normalTailInverse(fraction / 2), high: Infinity };
}
