import { bind, checkCounts } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";

/** Rows of each class in class-major features of two sides. */
export interface ClassCounts {
  /** Of the real images. */
  readonly real: readonly number[];
  /** Of the synthetic images. */
  readonly synthetic: readonly number[];
}

/**
 * Mean of each class's rows, of features stacked class-major: the first counts[0] rows are class 0's, and so on.
 *
 * @param features [Σ counts, d].
 * @param counts rows of each class, ≥ 1.
 * @returns [counts.length, d].
 * @throws InputError if a count is under 1 or the counts do not sum to the rows.
 */
export function classMeans(features: Tensor, counts: readonly number[]): Tensor {
  const { n, d } = bind("classMeans", [features, "n d"]);
  checkCounts("classMeans", counts, n!);
  const k = counts.length;
  if (counts.every((count) => count === counts[0])) return features.reshape([k, n! / k, d!]).mean(1); // [k, d]
  // Sums, divided afterwards: a GPU may round the factors of a product, and 1 it keeps.
  const members = new Float64Array(k * n!);
  let row = 0;
  counts.forEach((count, label) => {
    members.fill(1, label * n! + row, label * n! + row + count);
    row += count;
  });
  return features.engine.tensor([k, n!], members).matMul(features).div(column(features, counts));
}

/**
 * Features with the mean of their class taken off, as `classMeans` has it.
 *
 * @param center of a fixed one, gradients do not flow through the means. @returns [Σ counts, d].
 */
export function classCentered(
  features: Tensor,
  counts: readonly number[],
  center: "moving" | "fixed" = "moving",
): Tensor {
  const means = classMeans(features, counts);
  const labels = counts.flatMap((count, label) => Array<number>(count).fill(label));
  const centers = means.gather(features.engine.indices(labels)); // [n, d]
  return features.sub(center === "fixed" ? centers.detach() : centers);
}

/** One number for each class as a column, [k, 1], to scale rows of classes with. */
export function column(like: Tensor, values: readonly number[]): Tensor {
  return like.engine.tensor([values.length, 1], values);
}
