import type { Spread } from "./statistics.ts";

/** Percent from a fraction; a dash where there is no number. */
export function percent(fraction: number, decimals = 1): string {
  return Number.isFinite(fraction) ? (100 * fraction).toFixed(decimals) : "–";
}

/** "62.3 ± 0.4" in percent; the mean alone where there is one value only. */
export function percentSpread({ mean, std }: Spread): string {
  return Number.isFinite(std) ? `${percent(mean)} ± ${percent(std)}` : percent(mean);
}
