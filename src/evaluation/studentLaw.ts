/**
 * Probability that |T| > |t| under Student's law:
 *
 *     P = Iₓ(ν/2, ½),   x = ν/(ν + t²)
 *
 * @param freedom degrees of freedom ν > 0, not necessarily whole.
 */
export function studentTail(t: number, freedom: number): number {
  return regularizedBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/**
 * t such that |T| ≤ t with probability `level`, T being of Student's law; by bisection of its tail.
 *
 * @param level in (0, 1). @param freedom ≥ 1; above 10⁴, where the law is the normal one to four digits, as at 10⁴.
 */
export function studentQuantile(level: number, freedom: number): number {
  const nu = Math.min(Math.max(freedom, 1), 1e4);
  let [low, high] = [0, 1];
  while (studentTail(high, nu) > 1 - level) high *= 2;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, nu) > 1 - level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Halvings after which a quantile is exact to double precision. */
const BISECTIONS = 60;

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
