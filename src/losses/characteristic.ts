import { bind } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";

/** Empirical characteristic functions Φ of k classes at f frequencies, by parts. */
export interface Characteristic {
  /** Re Φ, [k, f]. */
  readonly re: Tensor;
  /** Im Φ, [k, f]. */
  readonly im: Tensor;
}

/**
 * Empirical characteristic function of each class:
 *
 *     Φ_c(ω) = 1/n_c Σᵢ exp(i⟨ω, xᵢ⟩), over the rows i of class c
 *
 * @param features stacked class-major, [Σ counts, d].
 * @param frequencies ω, [f, d], in radians per feature unit.
 * @param counts rows of each class; by default all are of one class.
 * @returns parts of Φ, [classes, f].
 *
 * In float32 an angle is known to about 6e-8·|θ|, and to 5e-4·|θ| where a GPU multiplies in TF32. Heavy-tailed laws give
 * large angles, whose cosine is then off by as much; what is lost is lost in the product ⟨ω, x⟩.
 */
export function characteristicFunction(
  features: Tensor,
  frequencies: Tensor,
  counts: readonly number[] = [features.shape[0]!],
): Characteristic {
  return features.characteristic(frequencies, counts);
}

/** |Φ|², [k, f]. */
export function squaredAmplitude({ re, im }: Characteristic): Tensor {
  return re.square().add(im.square());
}

/** |Φ − Ψ|², [k, f]. */
export function squaredDifference(a: Characteristic, b: Characteristic): Tensor {
  return a.re.sub(b.re).square().add(a.im.sub(b.im).square());
}

/**
 * |Φ|² freed of the sampling noise that a small sample adds to it, E|Φ̂|² = |Φ|² + (1 − |Φ|²)/n:
 *
 *     |Φ|² ↦ (n|Φ|² − 1)/(n − 1)
 *
 * @param counts samples behind each class's Φ, ≥ 1. Of one sample nothing is known, and the estimate is 0.
 * @returns unbiased, so it can be negative, [k, f].
 */
export function unbiasedSquaredAmplitude(phi: Characteristic, counts: readonly number[]): Tensor {
  const { re } = phi;
  bind("unbiasedSquaredAmplitude", [re, "classes _"], [{ shape: [counts.length] }, "classes"]);
  const perPair = counts.map((n) => (n > 1 ? 1 / (n - 1) : 0));
  const n = re.engine.tensor([counts.length, 1], counts);
  return squaredAmplitude(phi)
    .mul(n)
    .sub(1)
    .mul(re.engine.tensor([counts.length, 1], perPair));
}

/** √max(0, unbiased |Φ|²): an amplitude to match that is not raised by the noise of a small class, [k, f]. */
export function unbiasedAmplitude(phi: Characteristic, counts: readonly number[]): Tensor {
  const squared = unbiasedSquaredAmplitude(phi, counts).relu();
  const none = squared.equal(0); // there the root has no slope, and moving by 1 gives it that of 0
  return squared.add(none).sqrt().sub(none);
}
