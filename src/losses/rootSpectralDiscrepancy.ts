import { bind } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { type Characteristic, squaredAmplitude, squaredDifference } from "./characteristic.ts";

/** Weights of the two parts under the root. */
export interface RootWeights {
  /** α ≥ 0, of the amplitude part. */
  readonly amplitude: number;
  /** β ≥ 0, of the phase part. */
  readonly phase: number;
}

/** Least phase part, as in the paper's code: the root stays differentiable where the functions meet. */
const PHASE_FLOOR = 1e-12;

/**
 * Neural characteristic function discrepancy, summed over classes (NCFM, Wang et al., CVPR 2025, with the floor of its
 * code):
 *
 *     L = Σ_c 1/f Σ_ω √( α (|P| − |Q|)² + β max(2|P||Q| − 2 Re P Q̄, 1e-12) ),   P = Φ_real,c(ω), Q = Φ_synthetic,c(ω)
 *
 * The phase part is computed as |P − Q|² − (|P| − |Q|)². The gradient does not fade as P and Q meet, unlike that of a
 * squared distance.
 *
 * @returns scalar ≥ 0.
 */
export function rootSpectralDiscrepancy(
  real: Characteristic,
  synthetic: Characteristic,
  { amplitude, phase }: RootWeights,
): Tensor {
  bind("rootSpectralDiscrepancy", [real.re, "classes f"], [synthetic.re, "classes f"]);
  const p = squaredAmplitude(real).add(PHASE_FLOOR).sqrt();
  const q = squaredAmplitude(synthetic).add(PHASE_FLOOR).sqrt();
  const amplitudePart = p.sub(q).square();
  const phasePart = squaredDifference(real, synthetic).sub(amplitudePart).maximum(PHASE_FLOOR);
  return amplitudePart.mul(amplitude).add(phasePart.mul(phase)).sqrt().mean(1).sum();
}
