/** Bins of difficulty, all of one width on [0, 1]. */
export const BINS = 10;

/** Lower edges i · 0.1 as products in float64, so 0.30000000000000004 and not 0.3, as in the published code; 1 ends the last. */
const edges = Array.from({ length: BINS }, (_, i) => i * 0.1);

/** The bin of a value in [0, 1]: bin i is [i · 0.1, (i + 1) · 0.1), and the last one holds 1 too. */
export function binOf(value: number): number {
  let bin = 0;
  while (bin + 1 < BINS && value >= edges[bin + 1]!) bin++;
  return bin;
}

/** How many of the values lie in each bin. */
export function histogram(values: Iterable<number>): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const value of values) counts[binOf(value)]!++;
  return counts;
}

/**
 * The histogram of f(values), from few values of f.
 *
 * @param sorted values in ascending order.
 * @param f never falls, and has values in [0, 1].
 */
export function histogramOfMonotone(sorted: Float64Array, f: (value: number) => number): number[] {
  const starts = [0, ...edges.slice(1).map((edge) => firstAtLeast(sorted, f, edge)), sorted.length];
  return Array.from({ length: BINS }, (_, bin) => starts[bin + 1]! - starts[bin]!);
}

/** Position of the first of the sorted values where f reaches `edge`; their number where none does. */
function firstAtLeast(sorted: Float64Array, f: (value: number) => number, edge: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (f(sorted[middle]!) >= edge) high = middle;
    else low = middle + 1;
  }
  return low;
}
