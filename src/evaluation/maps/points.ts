import { check, shown } from "../../core/errors.ts";

/** Points of a space, such as the features of images. */
export interface Points {
  /** One point after another, [n, width]. */
  readonly values: Float64Array;
  /** Numbers of a point, at least 1. */
  readonly width: number;
}

/** How many points there are. */
export function pointCount({ values, width }: Points): number {
  return values.length / width;
}

/**
 * Checks that points are whole and finite, and returns how many there are.
 *
 * @param where names them in messages. @throws InputError where they are not, or fewer than `least`.
 */
export function checkPoints(where: string, points: Points, least = 1): number {
  const { values, width } = points;
  const n = pointCount(points);
  check(
    Number.isSafeInteger(width) && width > 0 && Number.isSafeInteger(n),
    () => `${where}: expected rows of a width above 0, got ${values.length} numbers of width ${shown(width)}`,
  );
  check(n >= least, () => `${where}: expected at least ${least} points, got ${n}`);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  check(
    bad < 0,
    () => `${where}: expected finite numbers, got ${values[bad]} in point ${Math.floor(bad / width)}`,
  );
  return n;
}

/** One point, as a view of its numbers. */
export function pointAt({ values, width }: Points, i: number): Float64Array {
  return values.subarray(i * width, (i + 1) * width);
}

/** The points at these positions, in that order. */
export function pointsAt(points: Points, positions: ArrayLike<number>): Points {
  const { width } = points;
  const values = new Float64Array(positions.length * width);
  for (let i = 0; i < positions.length; i++) values.set(pointAt(points, positions[i]!), i * width);
  return { values, width };
}

/** Whether all points are one. */
export function coincide({ values, width }: Points): boolean {
  return values.every((value, at) => value === values[at % width]);
}

/** Squared Euclidean distance of two points. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2;
  return sum;
}

/** Positions of the `count` points that are nearest to each, nearest first, itself left out; of equal ones the first. */
export function nearestPoints(points: Points, count: number): Int32Array[] {
  const n = checkPoints("nearestPoints", points);
  check(count < n, () => `nearestPoints.count: expected fewer than the ${n} points, got ${shown(count)}`);
  const distances = new Float64Array(n);
  return Array.from({ length: n }, (_, i) => {
    const own = pointAt(points, i);
    for (let j = 0; j < n; j++) distances[j] = squaredDistance(own, pointAt(points, j));
    return Int32Array.from(distances.keys())
      .filter((j) => j !== i)
      .sort((a, b) => distances[a]! - distances[b]! || a - b)
      .subarray(0, count);
  });
}

/**
 * How far neighborhoods are the same in two spaces: of the `count` nearest neighbors that a point has in the first, the share
 * that are among its `count` nearest in the second, mean over the points.
 *
 * @param points the same points in both spaces, more than `count` of them. @returns 0 to 1.
 */
export function neighborsKept(points: Points, places: Points, count: number): number {
  const n = checkPoints("neighborsKept.points", points);
  const there = checkPoints("neighborsKept.places", places);
  check(n === there, () => `neighborsKept: expected as many places as the ${n} points, got ${there}`);
  const [before, after] = [nearestPoints(points, count), nearestPoints(places, count)];
  const kept = before.map((own, i) => {
    const near = new Set(after[i]);
    return own.filter((j) => near.has(j)).length / count;
  });
  return kept.reduce((sum, share) => sum + share, 0) / n;
}
