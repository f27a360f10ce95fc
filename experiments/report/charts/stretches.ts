import type { CurvePoint } from "./curves.ts";

/** Most points of a drawn curve: one for about two pixels. */
const POINTS = 150;

/** Values by step, of one run. */
export type Course = readonly (readonly [step: number, value: number])[];

export interface Stretched {
  readonly points: readonly CurvePoint[];
  /** Steps of one stretch. */
  readonly length: number;
  /** Values left out. */
  readonly missing: number;
}

/**
 * Courses of several runs as one curve: the mean over all runs and steps of a stretch, in a band from the smallest to
 * the largest value in it, so that no spike is lost. Short courses have a stretch for each step. Values that are not
 * finite are left out.
 */
export function stretched(courses: readonly Course[]): Stretched {
  const steps = courses.flatMap((course) => course.map(([step]) => step));
  const [first, last] = [lowest(steps), highest(steps)];
  const length = Math.max(1, Math.ceil((last - first + 1) / POINTS));
  const stretches = new Map<number, [number, number][]>();
  for (const [step, value] of courses.flat()) {
    if (!Number.isFinite(value)) continue;
    const place = Math.floor((step - first) / length);
    const stretch = stretches.get(place);
    if (stretch) stretch.push([step, value]);
    else stretches.set(place, [[step, value]]);
  }
  const points = [...stretches]
    .sort(([a], [b]) => a - b)
    .map(([, inside]) => {
      const values = inside.map(([, value]) => value);
      const mean = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
      return {
        x: mean(inside.map(([step]) => step)),
        y: mean(values),
        low: lowest(values),
        high: highest(values),
      };
    });
  const missing = courses.flat().filter(([, value]) => !Number.isFinite(value)).length;
  return { points, length, missing };
}

const lowest = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
const highest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

/** Three significant digits. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}
