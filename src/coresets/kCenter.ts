import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Coreset } from "./coreset.ts";
import { featureCoreset, featureOptions } from "./features.ts";
import { countOfRows, lowest, meanOfRows, products, rowOf, type Rows, squaredNorms } from "./rows.ts";

/** How to cover. */
export interface KCenterOptions {
  /** Images to choose, ≥ 1. */
  readonly count: number;
  /** Position of the first. Default: the row nearest to `mean`. */
  readonly first?: number | undefined;
  /** Default: the mean of the rows. */
  readonly mean?: ArrayLike<number>;
}

/** Points chosen one after another, and how far any point was from the nearest of them. */
export interface KCenter {
  /** Positions of rows. */
  readonly order: readonly number[];
  /** max_x min_s ‖φ(x) − φ(s)‖ before each pick but the first: it never grows. */
  readonly radii: readonly number[];
}

/**
 * K-center, greedily (Gonzalez 1985; as a coreset in Sener & Savarese, ICLR 2018): from a first point on, the one that is
 * farthest from all that are chosen,
 *
 *     x_m = argmax_x min_{s chosen} ‖φ(x) − φ(s)‖
 *
 * Its radius is at most twice the best that as many points can have. Of equal ones, the first. All depends on where it starts.
 *
 * @throws InputError for a first position that is none.
 */
export function kCenter(rows: Rows, { count, first, mean = meanOfRows(rows) }: KCenterOptions): KCenter {
  const n = countOfRows(rows);
  const norms = squaredNorms(rows);
  /** ‖φ(x) − p‖² of each row, by ‖x‖² − 2⟨x, p⟩ + ‖p‖². */
  const distancesTo = (point: ArrayLike<number>): Float64Array => {
    const own = squaredNorms({ values: Float64Array.from(point), width: rows.width })[0]!;
    return products(rows, point).map((product, i) => Math.max(0, norms[i]! - 2 * product + own));
  };
  check(
    first === undefined || (Number.isInteger(first) && first >= 0 && first < n),
    () => `kCenter.first: expected a position from 0 to ${n - 1}, got ${first}`,
  );
  const start = first ?? lowest(distancesTo(mean), () => true);
  const order = [start];
  const radii: number[] = [];
  const chosen = new Set(order);
  let nearest = distancesTo(rowOf(rows, start));
  while (order.length < Math.min(count, n)) {
    const next = lowest(
      nearest.map((distance) => -distance),
      (i) => !chosen.has(i),
    );
    radii.push(Math.sqrt(nearest[next]!));
    order.push(next);
    chosen.add(next);
    const others = distancesTo(rowOf(rows, next));
    nearest = nearest.map((distance, i) => Math.min(distance, others[i]!));
  }
  return { order, radii };
}

/** Options of k-center. */
export const kCenterOptions = z.strictObject({
  start: z
    .enum(["mean", "random"])
    .default("mean")
    .describe(
      "First image of a class: the one nearest to its mean, always the same, or one by the run's seed",
    ),
  ...featureOptions.shape,
});

/** Greedy k-center of each class in the feature space of networks that are trained on the real images. */
export function kCenterCoreset({ start, ...options }: z.infer<typeof kCenterOptions>): Coreset {
  return featureCoreset(options, (rows, { count, mean, rng }) => {
    const first = start === "random" ? rng.permutation(countOfRows(rows))[0] : undefined;
    return kCenter(rows, { count, mean, first }).order;
  });
}
