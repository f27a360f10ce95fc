import { mean, sampleStandardDeviation } from "../../src/evaluation/statistics.ts";
import { studentTail } from "../../src/evaluation/studentLaw.ts";

/** Mean and spread of a sample. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation (divisor n − 1); NaN for fewer than two values. */
  readonly std: number;
  readonly count: number;
}

/** Mean and spread; NaN where there are too few values. */
export function spreadOf(values: readonly number[]): Spread {
  const count = values.length;
  return {
    mean: count > 0 ? mean(values) : NaN,
    std: count > 1 ? sampleStandardDeviation(values) : NaN,
    count,
  };
}

/**
 * Two-sided p-value of Welch's t-test: how often samples of one mean differ by this much (Welch 1947, with the degrees
 * of freedom of Satterthwaite 1946):
 *
 *     t = (x̄ − ȳ) / √(s²ₓ/n + s²ᵧ/m),   ν = (s²ₓ/n + s²ᵧ/m)² / ( (s²ₓ/n)²/(n − 1) + (s²ᵧ/m)²/(m − 1) )
 *
 * @returns a number in [0, 1]; 1 where a sample has fewer than two values, since nothing can be concluded then.
 */
export function welch(x: Spread, y: Spread): number {
  if (x.count < 2 || y.count < 2) return 1;
  const vx = x.std ** 2 / x.count;
  const vy = y.std ** 2 / y.count;
  if (vx + vy === 0) return x.mean === y.mean ? 1 : 0;
  const t = (x.mean - y.mean) / Math.sqrt(vx + vy);
  const nu = (vx + vy) ** 2 / (vx ** 2 / (x.count - 1) + vy ** 2 / (y.count - 1));
  return studentTail(t, nu);
}
