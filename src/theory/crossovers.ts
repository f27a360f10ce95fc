import { root } from "./root.ts";

/** Where one of two curves goes below the other. */
export interface Crossover {
  /** α. */
  readonly at: number;
  /** Which of the two is lower beyond it. */
  readonly lowerBeyond: "first" | "second";
}

/** Curves nearer to each other than this, relative to their height, are taken as one. */
const ALIKE = 1e-6;
/** Relative error of α. */
const PRECISION = 1e-7;

/**
 * All crossings of two positive curves that the sign of their difference shows on a grid, each found by `root` in ln α between
 * the points on either side of it. Curves that only meet do not cross.
 *
 * @param grid α at which to look, ascending and above 0.
 */
export function crossovers(
  first: (alpha: number) => number,
  second: (alpha: number) => number,
  grid: readonly number[],
): Crossover[] {
  const difference = (at: number): number => Math.log(first(at) / second(at));
  const apart = grid
    .map((at) => ({ at, value: difference(at) }))
    .filter(({ value }) => Math.abs(value) > ALIKE);
  return apart.slice(1).flatMap((right, i): Crossover[] => {
    const left = apart[i]!;
    if (left.value > 0 === right.value > 0) return [];
    const bracket = { from: Math.log(left.at), to: Math.log(right.at), tolerance: PRECISION };
    const at = Math.exp(root((log) => difference(Math.exp(log)), bracket));
    return [{ at, lowerBeyond: right.value < 0 ? "first" : "second" }];
  });
}
