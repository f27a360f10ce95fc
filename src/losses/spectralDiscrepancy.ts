import { check } from "../core/errors.ts";
import { bind } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import {
  type Characteristic,
  squaredAmplitude,
  squaredDifference,
  unbiasedSquaredAmplitude,
} from "./characteristic.ts";
import { type ClassCounts, column } from "./segments.ts";

/** Where |Φ| is as small as this its derivative, a direction, is smoothed to 0; without it Φ = 0 would give NaN. */
const EPSILON = 1e-6;

/** How a spectral discrepancy weighs its two parts. */
export interface SpectralWeights {
  /** α of each class, from 0 to 1: weight of the amplitude part; the phase part has 1 − α. */
  readonly amplitude: readonly number[];
  /** Amplitudes to match instead of |Φ_real|, such as `unbiasedAmplitude`, [k, f]. */
  readonly target?: Tensor;
  /** Amplitudes are √(|Φ|² + ε²). Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * Class-aware spectral distance, summed over classes (CSDM, arXiv 2603.01698; its formulas, by this derivation):
 *
 *     L = Σ_c 1/f Σ_ω [ α_c (|P| − |Q|)² + (1 − α_c) · 2|P||Q|(1 − cos(arg P − arg Q)) ]
 *       = Σ_c 1/f Σ_ω [ (2α_c − 1)(|P| − |Q|)² + (1 − α_c)|P − Q|² ],   P = Φ_real,c(ω), Q = Φ_synthetic,c(ω)
 *
 * The second line is computed: no angle is taken, and both of its parts vanish where P and Q meet. At α = ½ it is half the squared
 * distance |P − Q|². For 0 < α < 1 it is zero iff that is, and within min(α, 1 − α) and max(α, 1 − α) times it. At α = 1
 * shifting all synthetic features by one vector changes nothing; at α = 0 any sample with Q = 0 has loss 0.
 *
 * With a target amplitude A, |P| becomes A in the amplitude part alone.
 *
 * @returns scalar; ≥ 0 without a target, but for rounding.
 * @throws InputError if classes or frequencies differ in number, or an α is outside [0, 1].
 */
export function spectralDiscrepancy(
  real: Characteristic,
  synthetic: Characteristic,
  weights: SpectralWeights,
): Tensor {
  const alpha = checkedWeights("spectralDiscrepancy", real, synthetic, weights);
  const epsilon = weights.epsilon ?? EPSILON;
  const p = amplitude(real, epsilon);
  const q = amplitude(synthetic, epsilon);
  const whole = squaredDifference(real, synthetic);
  const betweenAmplitudes = p.sub(q).square();
  const weigh = (each: (a: number) => number): Tensor => column(whole, alpha.map(each));
  const terms = weights.target
    ? whole
        .sub(betweenAmplitudes)
        .mul(weigh((a) => 1 - a))
        .add(
          weights.target
            .sub(q)
            .square()
            .mul(weigh((a) => a)),
        )
    : betweenAmplitudes.mul(weigh((a) => 2 * a - 1)).add(whole.mul(weigh((a) => 1 - a)));
  return terms.mean(1).sum();
}

/**
 * Unbiased estimate of Σ_c E_ω |Φ_real − Φ_synthetic|² of the laws behind both samples: each |Φ|² is freed of its
 * sampling noise. Not weighted by part.
 *
 * @param counts samples behind each class's Φ, ≥ 2.
 * @returns scalar, which can be negative.
 */
export function unbiasedSpectralDiscrepancy(
  real: Characteristic,
  synthetic: Characteristic,
  counts: ClassCounts,
): Tensor {
  const all = [...counts.real, ...counts.synthetic];
  check(
    all.every((n) => n > 1),
    () => `unbiasedSpectralDiscrepancy: expected at least 2 samples of each class, got ${Math.min(...all)}`,
  );
  const common = real.re.mul(synthetic.re).add(real.im.mul(synthetic.im)); // Re P conj Q
  return unbiasedSquaredAmplitude(real, counts.real)
    .add(unbiasedSquaredAmplitude(synthetic, counts.synthetic))
    .sub(common.mul(2))
    .mean(1)
    .sum();
}

function amplitude(phi: Characteristic, epsilon: number): Tensor {
  return squaredAmplitude(phi)
    .add(epsilon ** 2)
    .sqrt();
}

/** The α of each class, checked. */
export function checkedWeights(
  where: string,
  real: Characteristic,
  synthetic: Characteristic,
  weights: SpectralWeights,
): readonly number[] {
  const { amplitude, target } = weights;
  bind(
    where,
    [real.re, "classes f"],
    [synthetic.re, "classes f"],
    [{ shape: [amplitude.length] }, "classes"],
    [target ?? real.re, "classes f"],
  );
  for (const alpha of amplitude) {
    check(alpha >= 0 && alpha <= 1, () => `${where}.amplitude: expected 0 to 1, got ${alpha}`);
  }
  return amplitude;
}
