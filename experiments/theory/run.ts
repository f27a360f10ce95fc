import { type Crossover, crossovers } from "../../src/theory/crossovers.ts";
import type { SaddlePoint } from "../../src/theory/saddlePoint.ts";
import { progressLine } from "../progress.ts";
import type { TheoryOptions } from "./options.ts";
import {
  familiesOf,
  type Family,
  keyOf,
  type Place,
  type Simulated,
  simulated,
  theory,
  type View,
  views,
} from "./students.ts";

/** A place on a curve of the theory. */
export interface CurvePlace extends Place {
  readonly student: SaddlePoint;
}

/** Simulated students beside what the theory says of them. */
export interface SimulatedPlace extends Place {
  readonly found: Simulated;
  readonly student: SaddlePoint;
}

/** Ways to keep examples that are compared, the first with the second. */
export const comparisons = [
  ["hard", "easy"],
  ["hard", "none"],
  ["easy", "none"],
] as const;

/** Where one way to keep a fraction gets better than another. */
export interface Comparison {
  readonly view: View;
  readonly angle: number;
  readonly fraction: number;
  readonly first: (typeof comparisons)[number][0];
  readonly second: (typeof comparisons)[number][1];
  /** Ascending; where the curves do not cross, none. */
  readonly crossings: readonly Crossover[];
  /** Which of the two is lower at the least examples. */
  readonly lowerAtFirst: "first" | "second";
}

/** All that the experiment finds. */
export interface TheoryResult {
  readonly options: TheoryOptions;
  readonly curves: readonly CurvePlace[];
  readonly points: readonly SimulatedPlace[];
  readonly comparisons: readonly Comparison[];
}

/** Solves the curves, finds where they cross, and simulates the points. */
export function runTheory(options: TheoryOptions): TheoryResult {
  const solve = theory();
  const families = views.flatMap((view) => familiesOf(view, options));
  const curves = curvesOf(families, options, solve);
  return {
    options,
    curves,
    comparisons: compared(options, solve),
    points: pointsOf(families, options, solve),
  };
}

/** α along the curves. */
function gridOf({ curves: { from, to, points } }: TheoryOptions): number[] {
  // In this form both ends are met exactly.
  return Array.from({ length: points }, (_, i) => from ** (1 - i / (points - 1)) * to ** (i / (points - 1)));
}

type Solve = (place: Place) => SaddlePoint;

function curvesOf(families: readonly Family[], options: TheoryOptions, solve: Solve): CurvePlace[] {
  const places = families.flatMap((family) => gridOf(options).map((alpha) => ({ ...family, alpha })));
  const line = progressLine("theory", places.length, { unit: "student" });
  const curves = places.map((place, i) => {
    const student = solve(place);
    line.at(i + 1);
    return { ...place, student };
  });
  line.end(`${places.length} students`);
  return curves;
}

function compared(options: TheoryOptions, solve: Solve): Comparison[] {
  const grid = gridOf(options);
  const line = progressLine("crossings", undefined, { unit: "pair" });
  let done = 0;
  const found = views.flatMap((view) =>
    options.angles.flatMap((angle) =>
      options.fractions.flatMap((fraction) =>
        comparisons.map(([first, second]): Comparison => {
          const curve =
            (keep: Family["keep"]) =>
            (alpha: number): number =>
              solve(
                keep === "none"
                  ? { view, angle: 0, keep, fraction: 1, alpha }
                  : { view, angle, keep, fraction, alpha },
              ).error;
          const [one, other] = [curve(first), curve(second)];
          const crossings = crossovers(one, other, grid);
          line.at(++done);
          const lowerAtFirst = one(grid[0]!) < other(grid[0]!) ? "first" : "second";
          return { view, angle, fraction, first, second, crossings, lowerAtFirst };
        }),
      ),
    ),
  );
  line.end(`${found.length} pairs of curves`);
  return found;
}

function pointsOf(families: readonly Family[], options: TheoryOptions, solve: Solve): SimulatedPlace[] {
  const { simulation } = options;
  const places = families.flatMap((family) => simulation.examples.map((alpha) => ({ ...family, alpha })));
  if (places.length === 0) return [];
  const line = progressLine("simulation", places.length, { unit: "point" });
  const known = new Map<string, Simulated>();
  const points = places.map((place, i) => {
    const key = keyOf(place);
    const found = known.get(key) ?? simulated(place, simulation);
    known.set(key, found);
    line.at(i + 1, `α ${place.alpha}, ${place.keep} ${place.fraction}, ${place.angle}°`);
    return { ...place, found, student: solve(place) };
  });
  line.end(`${known.size} students, ${simulation.trials} trials each`);
  return points;
}

/** How far simulated errors are from the theory, in standard errors. */
export interface Agreement {
  /** Different students. */
  readonly points: number;
  /** Shares of them within 1, 2 and 3 standard errors. */
  readonly within: readonly [number, number, number];
  /** Mean of the differences, simulated less theory, in standard errors: 0 without bias. */
  readonly mean: number;
}

/** The agreement of all points, each student once; undefined where nothing was simulated. */
export function agreementOf(points: readonly SimulatedPlace[]): Agreement | undefined {
  const different = [...new Map(points.map((point) => [keyOf(point), point])).values()];
  if (different.length === 0) return undefined;
  const deviations = different.map(deviation);
  const within = (limit: number): number =>
    deviations.filter((one) => Math.abs(one) <= limit).length / deviations.length;
  return {
    points: deviations.length,
    within: [within(1), within(2), within(3)],
    mean: deviations.reduce((sum, one) => sum + one, 0) / deviations.length,
  };
}

/** Simulated less theory, in standard errors. */
export function deviation({ found, student }: SimulatedPlace): number {
  return (found.error - student.error) / found.standardError;
}
