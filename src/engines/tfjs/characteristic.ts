import { characteristicCounts } from "../operations.ts";
import { concat } from "./layout.ts";
import type { TfjsTensor } from "./tensor.ts";

/** See `Tensor.characteristic`; holds all angles. */
export function characteristic(
  features: TfjsTensor,
  frequencies: TfjsTensor,
  counts: readonly number[],
): { re: TfjsTensor; im: TfjsTensor } {
  const groups = characteristicCounts(features, frequencies, counts);
  const angles = features.matMul(frequencies.transpose()); // [n, f]
  return { re: groupMeans(angles.cos(), groups), im: groupMeans(angles.sin(), groups) };
}

/** Means over groups of consecutive rows, [n, f] → [groups, f]. */
function groupMeans(rows: TfjsTensor, counts: readonly number[]): TfjsTensor {
  const f = rows.shape[1]!;
  if (counts.every((count) => count === counts[0])) {
    return rows.reshape([counts.length, counts[0]!, f]).mean(1);
  }
  let first = 0;
  const means = counts.map((count) => {
    first += count;
    return rows.slice([first - count, 0], [count, f]).mean(0, true); // [1, f]
  });
  return concat(rows.engine, means, 0);
}
