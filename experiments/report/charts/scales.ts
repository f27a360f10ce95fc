import type { Axis } from "./frame.ts";

/** A logarithmic scale where positive values span more than this factor. */
const LOG_RATIO = 20;

/** Whether a curve of these values is drawn on a logarithmic scale. */
export function spansDecades(values: readonly number[]): boolean {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return low > 0 && high / low > LOG_RATIO;
}

/** Two values are spread geometrically from this ratio on. */
const PAIR_RATIO = 4;

/** Whether values lie more evenly on a logarithmic axis than on a linear one: 0.25, 0.5, 1, 2, not 0.5, 0.6, 0.7. */
export function spreadGeometrically(values: readonly number[]): boolean {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  if (sorted.length < 2 || !(sorted[0]! > 0)) return false;
  if (sorted.length === 2) return sorted[1]! / sorted[0]! >= PAIR_RATIO;
  return unevenness(sorted.map(Math.log)) < unevenness(sorted);
}

/** The largest step between neighbors over the smallest. */
function unevenness(sorted: readonly number[]): number {
  const steps = sorted.slice(1).map((value, i) => value - sorted[i]!);
  return Math.max(...steps) / Math.min(...steps);
}

/** Where a logarithmic axis is labeled: powers of ten, and their double and fivefold where these alone are few. */
export function logTicks(values: readonly number[]): number[] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponents = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  const inside = (digits: readonly number[]): number[] =>
    exponents
      .flatMap((exponent) => digits.map((digit) => Number(`${digit}e${exponent}`)))
      .filter((value) => value >= low && value <= high);
  const powers = inside([1]);
  return powers.length > 2 ? powers : inside([1, 2, 5]);
}

/** Values along an axis, with a label at each: logarithmic where they are spread so, beside a 0 or without. */
export function valuesAxis(title: string, values: readonly number[]): Axis {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const [first, ...positive] = distinct;
  const log = spreadGeometrically(distinct)
    ? { scale: "log" as const }
    : first === 0 && spreadGeometrically(positive) && { scale: { smallest: positive[0]! } };
  return { title, values: distinct, ...log };
}
