import { check } from "../../src/core/errors.ts";

/**
 * The p-quantile of a sample, linear between its order statistics (R-7 of Hyndman & Fan 1996).
 *
 * @param p from 0 to 1.
 * @throws InputError for no values.
 */
export function quantile(values: readonly number[], p: number): number {
  check(values.length > 0, () => "quantile: expected at least one value, got none");
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}

/** The middle value, or the mean of the two middle ones. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** First and third quartile. */
export const quartiles = (values: readonly number[]): readonly [number, number] => [
  quantile(values, 0.25),
  quantile(values, 0.75),
];
