import { check } from "../core/errors.ts";
import { mean } from "./statistics.ts";

/**
 * Pearson's correlation of pairs (xᵢ, yᵢ), Σ (xᵢ − x̄)(yᵢ − ȳ) / √(Σ (xᵢ − x̄)² Σ (yᵢ − ȳ)²), −1 to 1; NaN where one of the
 * two does not vary.
 *
 * @throws InputError for lists of different lengths, or fewer than 2 pairs.
 */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  check(
    x.length === y.length && x.length > 1,
    () => `correlation: expected 2 or more pairs, got ${x.length} and ${y.length} values`,
  );
  const [dx, dy] = [x, y].map((values) => {
    const list = Array.from(values);
    const center = mean(list);
    return list.map((value) => value - center);
  }) as [number[], number[]];
  const product = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const spread = Math.sqrt(product(dx, dx) * product(dy, dy));
  return spread > 0 ? Math.max(-1, Math.min(1, product(dx, dy) / spread)) : NaN;
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, where equal values share the mean of their ranks; NaN where one of the
 * two does not vary.
 *
 * @throws InputError for lists of different lengths, or fewer than 2 pairs.
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return pearson(ranks(x), ranks(y));
}

/** 1 for the smallest; equal values have the mean of the ranks that they take. */
function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Float64Array(values.length);
  for (let begin = 0, end = 0; begin < order.length; begin = end) {
    while (end < order.length && values[order[end]!] === values[order[begin]!]) end++;
    for (const i of order.slice(begin, end)) result[i] = (begin + 1 + end) / 2;
  }
  return result;
}
