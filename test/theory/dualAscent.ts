import type { SignedExamples } from "../../src/theory/maxMargin.ts";

/**
 * The weights of the largest margin by coordinate ascent on the dual, max Σα − ½‖Σ α_μ y_μ x_μ‖² over α ≥ 0: another road to
 * what `maxMargin` finds exactly. Ends where the dual's gap is a share `tolerance` of the length.
 */
export function dualAscent({ values, dimensions: N }: SignedExamples, tolerance: number): Float64Array {
  const count = values.length / N;
  const weights = new Float64Array(N);
  const alpha = new Float64Array(count);
  const at = (i: number): Float64Array => values.subarray(i * N, (i + 1) * N);
  const product = (x: Float64Array, y: Float64Array): number =>
    x.reduce((sum, one, d) => sum + one * y[d]!, 0);
  for (let epoch = 0; epoch < 200_000; epoch++) {
    let least = Infinity;
    for (let i = 0; i < count; i++) {
      const x = at(i);
      const margin = product(weights, x);
      least = Math.min(least, margin);
      const next = Math.max(0, alpha[i]! + (1 - margin) / product(x, x));
      const change = next - alpha[i]!;
      if (change === 0) continue;
      alpha[i] = next;
      for (let d = 0; d < N; d++) weights[d]! += change * x[d]!;
    }
    const length = product(weights, weights);
    const gap = Math.abs(alpha.reduce((sum, one) => sum + one, 0) - length) / length;
    if (least > 1 - tolerance && gap < tolerance) return weights;
  }
  throw new Error("dual ascent does not end");
}
