/**
 * Shares of a total in proportion to weights, as whole numbers, by largest remainders: each has the whole part of its share,
 * and what is left goes one by one to those with the largest fractional parts, of equal ones to the first. In whole numbers,
 * so that what is equal stays so.
 *
 * @param weights whole numbers >= 0, not all 0.
 */
export function largestRemainders(weights: readonly number[], total: number): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const shares = weights.map((weight) => Math.floor((weight * total) / sum));
  const left = total - shares.reduce((a, b) => a + b, 0);
  const remainder = weights.map((weight) => (weight * total) % sum);
  const order = remainder.map((_, i) => i).sort((a, b) => remainder[b]! - remainder[a]! || a - b);
  for (const i of order.slice(0, left)) shares[i]!++;
  return shares;
}

/** Images to take of each bin, the easiest first, by the images per class that the paper's code has them for. */
const printed = {
  hill: {
    10: [1, 0, 1, 0, 3, 3, 1, 0, 0, 1],
    20: [1, 1, 1, 2, 5, 5, 2, 1, 1, 1],
    50: [1, 3, 5, 6, 10, 10, 6, 5, 3, 1],
  },
  ground: {
    10: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    20: [2, 2, 2, 2, 2, 2, 2, 2, 2, 2],
    50: [5, 5, 5, 5, 5, 5, 5, 5, 5, 5],
  },
  slope: {
    10: [3, 3, 1, 1, 0, 0, 1, 1, 0, 0],
    20: [5, 5, 2, 2, 1, 1, 1, 1, 1, 1],
    50: [10, 10, 6, 6, 5, 5, 3, 3, 1, 1],
  },
  cliff: {
    10: [6, 3, 0, 1, 0, 0, 0, 0, 0, 0],
    20: [9, 6, 1, 1, 1, 1, 1, 0, 0, 0],
    50: [20, 15, 3, 3, 2, 2, 2, 1, 1, 1],
  },
} as const satisfies Record<string, Readonly<Record<number, readonly number[]>>>;

/** Shapes of the distribution of difficulty that is sampled: that of the real images, or one that is given beforehand. */
export const difficultyShapes = ["scale", "hill", "ground", "slope", "cliff"] as const;

/** Name of a shape. */
export type DifficultyShape = (typeof difficultyShapes)[number];

/**
 * Images to take of each of the ten bins, the easiest first; they sum to `perClass`.
 *
 * @param shape `scale` for the histogram of the real images in proportion; or one of the paper's: as printed for 10, 20 and 50
 *   images per class, and otherwise the row of 50 in proportion.
 * @param real histogram of the transformed real images.
 */
export function allocation(shape: DifficultyShape, real: readonly number[], perClass: number): number[] {
  if (shape === "scale") return largestRemainders(real, perClass);
  const rows: Readonly<Record<number, readonly number[]>> = printed[shape];
  return [...(rows[perClass] ?? largestRemainders(rows[50]!, perClass))];
}
