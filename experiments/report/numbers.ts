import type { Spread } from "./statistics.ts";

/** Percent from a fraction; a dash where there is no number. */
export function percent(fraction: number, decimals = 1): string {
  return Number.isFinite(fraction) ? (100 * fraction).toFixed(decimals) : "–";
}

/** "62.3 ± 0.4" in percent; the mean alone where there is one value only. */
export function percentSpread({ mean, std }: Spread): string {
  return Number.isFinite(std) ? `${percent(mean)} ± ${percent(std)}` : percent(mean);
}

/** "+0.12" in percent points, from a difference of fractions. */
export function points(difference: number, decimals = 2): string {
  const digits = (100 * Math.abs(difference)).toFixed(decimals);
  const sign = Number(digits) === 0 ? "" : difference < 0 ? "−" : "+";
  return `${sign}${digits}`;
}

/** "[−0.40, +0.64]" in percent points. */
export function pointsInterval([low, high]: readonly [number, number]): string {
  return `[${points(low)}, ${points(high)}]`;
}
