/** How many of the sorted images are clipped at either end: counts, not values of difficulty. */
export interface Thresholds {
  /** b: the easiest so many have the difficulty of the next. */
  readonly bottom: number;
  /** t: the hardest so many have the difficulty of the one before. */
  readonly top: number;
}

/** Least value before and after: the logarithm of 0 is none, and nothing is to become 0. */
const FLOOR = 1e-4;

/**
 * The log transform of difficulty scores (DGS, eqs. 7–8, as its code has them), which clips outliers to the thresholds and
 * stretches what is crowded at the easy end:
 *
 *     g(s) = max( ln(c/lo) / ln(hi/lo), ε ),   c = min(max(s, lo), hi),   lo = max(s₍b₎, ε),   hi = s₍M−1−t₎,   ε = 10⁻⁴
 *
 * with s₍₀₎ ≤ … ≤ s₍M−1₎ the sorted scores. The paper's eq. 7, read literally, sets clipped values to 0.
 *
 * @param sorted scores in ascending order, in [0, 1].
 * @returns g, which never falls, into [ε, 1]; undefined where hi ≤ lo, so that there is nothing to stretch.
 */
export function logTransform(
  sorted: Float64Array,
  { bottom, top }: Thresholds,
): ((score: number) => number) | undefined {
  const last = sorted.length - 1;
  if (bottom > last || top > last) return undefined;
  const low = Math.max(sorted[bottom]!, FLOOR);
  const high = sorted[last - top]!;
  if (!(high > low)) return undefined;
  const span = Math.log(high / low);
  return (score) => {
    const clipped = Math.min(Math.max(score, low), high);
    return Math.max(Math.log(clipped / low) / span, FLOOR);
  };
}
