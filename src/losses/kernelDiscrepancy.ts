import { check } from "../core/errors.ts";
import { bind } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";

/** k(xᵢ, yⱼ) of two samples, [n, d] and [m, d] → [n, m]: a kernel's `gram`. */
export type Gram = (x: Tensor, y: Tensor) => Tensor;

/** What a discrepancy leaves out. */
export interface KernelDiscrepancyOptions {
  /**
   * Whether to include the real-real block. It is constant in the synthetic features and for n ≫ m most of the work;
   * without it the gradient is the same and the value lower by mean k(x, x'). Default true.
   */
  readonly realBlock?: boolean;
}

/**
 * Squared maximum mean discrepancy of two samples, diagonals included (the V-statistic; Gretton et al., A kernel
 * two-sample test, JMLR 13, 2012):
 *
 *     L = 1/n² Σ k(xᵢ, xⱼ) + 1/m² Σ k(yᵢ, yⱼ) − 2/nm Σ k(xᵢ, yⱼ)
 *
 * For a kernel with frequencies ω it equals E_ω |Φ_real(ω) − Φ_synthetic(ω)|². Under the linear one it is `meanDiscrepancy`.
 *
 * @param real embeddings, [n, d]. @param synthetic embeddings, [m, d].
 * @returns scalar ≥ 0 (with the real block).
 */
export function kernelDiscrepancy(
  real: Tensor,
  synthetic: Tensor,
  gram: Gram,
  { realBlock = true }: KernelDiscrepancyOptions = {},
): Tensor {
  bind("kernelDiscrepancy", [real, "n d"], [synthetic, "m d"]);
  const within = gram(synthetic, synthetic).mean();
  const loss = within.sub(gram(real, synthetic).mean().mul(2));
  return realBlock ? loss.add(gram(real, real).mean()) : loss;
}

/**
 * Unbiased estimate of the squared maximum mean discrepancy of the laws behind two samples, diagonals left out (the
 * U-statistic of the same paper):
 *
 *     L = 1/n(n−1) Σ_{i≠j} k(xᵢ, xⱼ) + 1/m(m−1) Σ_{i≠j} k(yᵢ, yⱼ) − 2/nm Σ k(xᵢ, yⱼ)
 *
 * @param real embeddings, [n, d]. @param synthetic embeddings, [m, d].
 * @returns scalar, which can be negative.
 * @throws InputError for a sample of one.
 */
export function unbiasedKernelDiscrepancy(
  real: Tensor,
  synthetic: Tensor,
  gram: Gram,
  { realBlock = true }: KernelDiscrepancyOptions = {},
): Tensor {
  bind("unbiasedKernelDiscrepancy", [real, "n d"], [synthetic, "m d"]);
  const within = meanOfPairs(gram(synthetic, synthetic));
  const loss = within.sub(gram(real, synthetic).mean().mul(2));
  return realBlock ? loss.add(meanOfPairs(gram(real, real))) : loss;
}

/** Mean of a square matrix off its diagonal. */
function meanOfPairs(matrix: Tensor): Tensor {
  const size = matrix.shape[0]!;
  check(size > 1, () => `unbiasedKernelDiscrepancy: expected samples of at least 2, got ${size}`);
  const offDiagonal = new Float64Array(size * size).fill(1);
  for (let i = 0; i < size; i++) offDiagonal[i * size + i] = 0;
  const mask = matrix.engine.tensor([size, size], offDiagonal);
  return matrix
    .mul(mask)
    .sum()
    .div(size * (size - 1));
}
