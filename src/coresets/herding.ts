import { z } from "zod";
import type { Coreset } from "./coreset.ts";
import { featureCoreset, featureOptions } from "./features.ts";
import { countOfRows, lowest, meanOfRows, products, rowOf, type Rows, squaredNorms } from "./rows.ts";

/** The two greedy forms of herding; they agree only where all features have one length. */
export const herdingForms = ["icarl", "welling"] as const;

/** How to herd. */
export interface HerdingOptions {
  /** Images to choose. */
  readonly count: number;
  /** μ, which the chosen ones are to have as their mean, [width]. Default: the mean of the rows. */
  readonly mean?: ArrayLike<number>;
  /** As in iCaRL (the default), or Welling's own. */
  readonly form?: (typeof herdingForms)[number];
  /** Whether an image may be chosen again. Default false. */
  readonly replacement?: boolean;
}

/**
 * Herding: a greedy order of points whose first k have nearly the mean of all, for every k.
 *
 *     iCaRL (Rebuffi et al., CVPR 2017):  x_m = argmin ‖μ − (φ(x) + Σ_{s chosen} φ(s))/m‖
 *     Welling (ICML 2009):                x_m = argmax ⟨w, φ(x)⟩,  w ← w + μ − φ(x_m),  w₀ = μ
 *
 * Of equal ones, the first.
 *
 * @returns positions of rows in the order in which they are chosen: `count`, or as many as there are.
 */
export function herdingOrder(
  rows: Rows,
  { count, mean = meanOfRows(rows), form = "icarl", replacement = false }: HerdingOptions,
): number[] {
  const norms = squaredNorms(rows);
  const sum = new Float64Array(rows.width);
  const chosen = new Set<number>();
  const order: number[] = [];
  const most = replacement ? count : Math.min(count, countOfRows(rows));
  for (let m = 1; m <= most; m++) {
    // ‖μ − (φ + Σ)/m‖² − ‖μ − Σ/m‖² = ‖φ‖²/m² − 2⟨μ − Σ/m, φ⟩/m; Welling's w is m·μ − Σ.
    const towards = sum.map((total, j) => m * mean[j]! - total);
    const along = products(rows, towards);
    const scores =
      form === "welling"
        ? along.map((product) => -product)
        : along.map((product, i) => (norms[i]! - 2 * product) / m ** 2);
    const next = lowest(scores, (i) => replacement || !chosen.has(i));
    rowOf(rows, next).forEach((value, j) => (sum[j]! += value));
    chosen.add(next);
    order.push(next);
  }
  return order;
}

/** Options of herding. */
export const herdingOptions = z.strictObject({
  form: z
    .enum(herdingForms)
    .default("icarl")
    .describe("Greedy step: iCaRL's, nearest to the mean with all chosen before, or Welling's own"),
  replacement: z.boolean().default(false).describe("Whether an image may be chosen again"),
  ...featureOptions.shape,
});

/** Herding in the feature space of networks that are trained on the real images, towards each class's mean of real images. */
export function herding({ form, replacement, ...options }: z.infer<typeof herdingOptions>): Coreset {
  return featureCoreset(options, (rows, { count, mean }) =>
    herdingOrder(rows, { count, mean, form, replacement }),
  );
}
