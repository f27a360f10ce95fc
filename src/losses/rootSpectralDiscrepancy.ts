import type { Tensor } from "../engines/index.ts";
import { type Characteristic, squaredAmplitude, squaredDifference } from "./characteristic.ts";
import { column } from "./segments.ts";
import { checkedWeights, type SpectralWeights } from "./spectralDiscrepancy.ts";

/** Least phase part, as in the paper's code: the root stays differentiable where the functions meet. */
const PHASE_FLOOR = 1e-12;

/**
 * Neural characteristic function discrepancy, summed over classes (NCFM, Wang et al., CVPR 2025, with the floor of its
 * code):
 *
 *     L = Σ_c 1/f Σ_ω √( α_c (|P| − |Q|)² + (1 − α_c) max(2|P||Q| − 2 Re P Q̄, 1e-12) ),   P = Φ_real,c(ω), Q = Φ_synthetic,c(ω)
 *
 * The phase part is computed as |P − Q|² − (|P| − |Q|)². The gradient does not fade as P and Q meet, unlike that of a
 * squared distance. With a target amplitude A, |P| becomes A in the amplitude part alone.
 *
 * @returns scalar ≥ 0.
 */
export function rootSpectralDiscrepancy(
  real: Characteristic,
  synthetic: Characteristic,
  weights: SpectralWeights,
): Tensor {
  const alpha = checkedWeights("rootSpectralDiscrepancy", real, synthetic, weights);
  const p = squaredAmplitude(real).add(PHASE_FLOOR).sqrt();
  const q = squaredAmplitude(synthetic).add(PHASE_FLOOR).sqrt();
  const betweenAmplitudes = p.sub(q).square();
  const phasePart = squaredDifference(real, synthetic).sub(betweenAmplitudes).maximum(PHASE_FLOOR);
  const amplitudePart = weights.target ? weights.target.sub(q).square() : betweenAmplitudes;
  const weigh = (each: (a: number) => number): Tensor => column(p, alpha.map(each));
  return amplitudePart
    .mul(weigh((a) => a))
    .add(phasePart.mul(weigh((a) => 1 - a)))
    .maximum(PHASE_FLOOR ** 2) // at α = 1 the phase part's floor is out
    .sqrt()
    .mean(1)
    .sum();
}
