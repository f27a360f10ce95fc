import { bind } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { classCentered } from "./segments.ts";

/** What of a feature's squared distance d from its class's center counts. */
export interface Centralization {
  /** d itself, or max(0, e^(a·d) − β). */
  readonly form: "quadratic" | "hingeExp";
  /** a > 0 of hingeExp, per squared feature unit. */
  readonly a: number;
  /** β ≥ 0 of hingeExp: squared distances up to ln(β)/a count nothing. */
  readonly beta: number;
  /** Whether gradients flow through the center, too. */
  readonly center: "moving" | "fixed";
}

/** Keeps e^(a·d) finite in single precision. Features beyond it, of distances that no trained network gives, stay as they are. */
const largestExponent = 30;

/**
 * How far the features of each class lie apart (IID, Deng et al., CVPR 2024), with gᵢ the features and ḡ_c the mean over
 * class c's:
 *
 *     L = Σ_c Σᵢ dᵢ   or   Σ_c Σᵢ max(0, e^(a·dᵢ) − β),   dᵢ = ‖gᵢ − ḡ_c‖²
 *
 * The first is that of the code, whose comments say that it gives the paper's results; the second is put together from those
 * comments. Through a moving center the gradient of the first is 2(gᵢ − ḡ_c), as through a fixed one; that of the second
 * differs.
 *
 * @param features class after class, [Σ counts, d]. @param counts rows of each class, ≥ 1.
 * @returns scalar ≥ 0: a sum over components, images and classes; 0 for classes of one image where β ≥ 1.
 * @throws InputError if counts and rows disagree.
 */
export function classCentralization(
  features: Tensor,
  counts: readonly number[],
  { form, a, beta, center }: Centralization,
): Tensor {
  bind("classCentralization", [features, "n d"]);
  const distances = classCentered(features, counts, center).square().sum(1); // [n]
  if (form === "quadratic") return distances.sum();
  return distances.mul(a).minimum(largestExponent).exp().sub(beta).relu().sum();
}
