import { seeded } from "../../src/core/rng.ts";
import { mean, sampleStandardDeviation } from "../../src/evaluation/statistics.ts";
import type { Kept, Pruning } from "../../src/theory/pruning.ts";
import type { SaddlePoint } from "../../src/theory/saddlePoint.ts";
import { saddlePoint } from "../../src/theory/scalingLaw.ts";
import { simulatedStudent } from "../../src/theory/simulation.ts";
import type { TheoryOptions } from "./options.ts";

/** What is held while fractions are compared: examples for each dimension before pruning, or after it. */
export const views = ["total", "kept"] as const;
export type View = (typeof views)[number];

/** Students that one curve joins. */
export interface Family {
  readonly view: View;
  /** θ in degrees. */
  readonly angle: number;
  /** None where all examples are kept. */
  readonly keep: Kept | "none";
  readonly fraction: number;
}

/** One student's place: a family, and α. */
export interface Place extends Family {
  /** On the view's axis. */
  readonly alpha: number;
}

/** Students of a view, first those of all examples: the probe has no say in them, and they stand once, at the angle 0. */
export function familiesOf(view: View, { angles, fractions }: TheoryOptions): Family[] {
  const pruned = angles.flatMap((angle) =>
    (["easy", "hard"] as const).flatMap((keep) =>
      fractions.map((fraction) => ({ view, angle, keep, fraction })),
    ),
  );
  return [{ view, angle: 0, keep: "none", fraction: 1 }, ...pruned];
}

/** α_tot of a student. */
export function totalOf({ view, alpha, fraction }: Place): number {
  return view === "total" ? alpha : alpha / fraction;
}

export function pruningOf(place: Place): Pruning {
  const { keep, fraction, angle } = place;
  return { examples: totalOf(place), fraction, keep: keep === "none" ? "hard" : keep, angle };
}

/** `saddlePoint` that solves nothing twice. */
export function theory(): (place: Place) => SaddlePoint {
  const solved = new Map<string, SaddlePoint>();
  return (place) => {
    const key = keyOf(place);
    const before = solved.get(key);
    if (before) return before;
    const found = saddlePoint(pruningOf(place));
    solved.set(key, found);
    return found;
  };
}

/** The same for the same student, whichever view it is seen in. */
export function keyOf(place: Place): string {
  return `${place.angle}/${place.keep}/${place.fraction}/${totalOf(place)}`;
}

/** What some trials of a student came to. */
export interface Simulated {
  readonly trials: number;
  /** Means over the trials. */
  readonly error: number;
  readonly margin: number;
  /** Of the mean error. */
  readonly standardError: number;
  readonly marginStandardError: number;
}

/** Trains a student as often as the options say. Its examples depend on the seed and on the student alone. */
export function simulated(
  place: Place,
  { dimensions, trials, seed }: TheoryOptions["simulation"],
): Simulated {
  const rng = seeded(seed).stream("theory").stream(keyOf(place));
  const students = Array.from({ length: trials }, (_, i) =>
    simulatedStudent(pruningOf(place), dimensions, rng.stream(`trial/${i}`)),
  );
  const [errors, margins] = [students.map(({ error }) => error), students.map(({ margin }) => margin)];
  const standardError = (values: readonly number[]): number =>
    sampleStandardDeviation(values) / Math.sqrt(trials);
  return {
    trials,
    error: mean(errors),
    margin: mean(margins),
    standardError: standardError(errors),
    marginStandardError: standardError(margins),
  };
}
