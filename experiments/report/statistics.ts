import { mean, sampleStandardDeviation } from "../../src/evaluation/statistics.ts";

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
  return regularizedBeta(nu / (nu + t * t), nu / 2, 0.5);
}

/**
 * Regularized incomplete beta function Iₓ(a, b), for x in [0, 1] and a, b > 0, by its continued fraction (DLMF 8.17.22):
 *
 *     Iₓ(a, b) = xᵃ(1 − x)ᵇ / (a B(a, b)) · 1/(1 + d₁/(1 + d₂/(1 + …)))
 *
 * At x = ν/(ν + t²), a = ν/2, b = ½ it is the probability that |T| > |t| under Student's law.
 */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast below (a + 1)/(a + b + 2) only; above, Iₓ(a, b) = 1 − I₁₋ₓ(b, a).
  if (x > (a + 1) / (a + b + 2)) return 1 - regularizedBeta(1 - x, b, a);
  let fraction = 1;
  for (let m = TERMS; m >= 1; m--) {
    const odd = (-(a + m - 1) * (a + b + m - 1) * x) / ((a + 2 * m - 2) * (a + 2 * m - 1));
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    fraction = 1 + odd / (1 + even / fraction);
  }
  const logBeta = logGamma(a) + logGamma(b) - logGamma(a + b);
  return Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta) / (a * fraction);
}

/** Pairs of terms of the continued fraction; enough for 1e-12 up to a = 10⁴, far beyond any number of networks. */
const TERMS = 300;

/** Logarithm of the gamma function for x > 0, by Stirling's series from x = 10 on and Γ(x) = Γ(x + 1)/x below. */
function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - 1 / (1680 * x ** 7);
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}
