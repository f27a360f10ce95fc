import { z } from "zod";
import { check, positive } from "../src/core/errors.ts";
import { sizeOf } from "../src/core/shape.ts";
import type { Tensor } from "../src/engines/index.ts";
import { distances, squaredDistances } from "./distances.ts";
import { radialFrequencies } from "./frequencies.ts";
import type { StationaryKernel } from "./kernel.ts";
import { chiSquared } from "./laws.ts";
import { clippedMixture, gaussianMixture, type GaussianMixture, SMOOTHNESS } from "./maternMixture.ts";
import {
  type ClippedOptions,
  clippedOptions,
  clipOption,
  scaleOption,
  scaleOptions,
  type ScaleOptions,
} from "./options.ts";

export const maternOptions = z.strictObject({
  scale: scaleOption,
  smoothness: z
    .number()
    .min(SMOOTHNESS.least)
    .max(SMOOTHNESS.most)
    .default(1.5)
    .describe("ν: the kernel has derivatives of order below 2ν at zero; 0.25 to 100"),
  clip: clipOption,
});

/** Half-integer smoothness up to p + ½ with this p has a polynomial form that is cheaper than the mixture. */
const LARGEST_DEGREE = 10;

/**
 * Matérn kernel, with the multivariate t law of frequencies of 2ν degrees of freedom:
 *
 *     k(x, y) = 2^(1−ν)/Γ(ν) · s^ν K_ν(s),   s = √(2ν) r/ℓ,   r = ‖x − y‖₂
 *     ω = √(2ν/χ²)/ℓ · z,   χ² ~ χ²(2ν),   E‖ω‖² = ν/(ν − 1) · d/ℓ², infinite for ν ≤ 1
 *
 * Where ν = p + ½ the Bessel function is e^(−s) times a polynomial of degree p; otherwise see `gaussianMixture`.
 *
 * With the option clip, χ² is drawn again below 2ν/C², so that ω = c·z/ℓ has c ≤ C. That is a kernel of its own: a mixture
 * of fewer Gaussians, smooth at zero and of finite E‖ω‖² for any ν; `gram` and E‖ω‖² are those of it.
 *
 * @throws InputError unless ν is from 0.25 to 100, and C at least 1.
 */
export function matern(options: z.infer<typeof maternOptions>): StationaryKernel {
  const scale = positive("matern.scale", options.scale);
  const nu = options.smoothness;
  const { least, most } = SMOOTHNESS;
  check(nu >= least && nu <= most, () => `matern.smoothness: expected ${least} to ${most}, got ${nu}`);
  if (options.clip !== undefined) return clippedMatern(scale, nu, options.clip);
  const degree = nu - 0.5;
  const closed = Number.isInteger(degree) && degree <= LARGEST_DEGREE;
  const profile = closed ? halfIntegerProfile(degree) : mixtureProfile(gaussianMixture(nu));
  const factor = Math.sqrt(2 * nu) / scale;
  return {
    name: `matern(${nu}, ${scale})`,
    radial: true,
    gram: (x, y) => profile(x.mul(factor), y.mul(factor)),
    frequencies: (count, width, rng, directions) =>
      radialFrequencies({ count, width, rng, directions }, () =>
        maternStretch(chiSquared(2 * nu, rng), nu, scale),
      ),
    meanSquaredFrequency: (width) => (nu > 1 ? (nu / (nu - 1)) * (width / scale ** 2) : Infinity),
  };
}

function clippedMatern(scale: number, nu: number, clip: number): StationaryKernel {
  check(clip >= 1, () => `matern.clip: expected a number >= 1, got ${clip}`);
  const mixture = clippedMixture(nu, clip);
  const factor = Math.sqrt(2 * nu) / scale;
  const profile = mixtureProfile(mixture);
  const least = (2 * nu) / clip ** 2;
  // A Gaussian of precision a in s, exp(−a s²), has E‖ω‖² = 2a·2νd/ℓ².
  const { weights, precisions } = mixture;
  const squared = weights.reduce((sum, weight, j) => sum + weight * 4 * nu * precisions[j]!, 0);
  return {
    name: `matern(${nu}, ${scale}, clip ${clip})`,
    radial: true,
    gram: (x, y) => profile(x.mul(factor), y.mul(factor)),
    frequencies: (count, width, rng, directions) =>
      radialFrequencies({ count, width, rng, directions }, () => {
        let chi2 = chiSquared(2 * nu, rng);
        while (chi2 < least) chi2 = chiSquared(2 * nu, rng);
        return maternStretch(chi2, nu, scale);
      }),
    meanSquaredFrequency: (width) => (squared * width) / scale ** 2,
  };
}

export const matern12Options = clippedOptions;
export const matern32Options = scaleOptions;
export const matern52Options = scaleOptions;

/** Matérn kernel of smoothness ½, exp(−r/ℓ); its frequencies are multivariate Cauchy, with E‖ω‖² = ∞. */
export const matern12 = ({ scale, clip }: ClippedOptions): StationaryKernel =>
  matern({ scale, smoothness: 0.5, clip });

/** Matérn kernel of smoothness 3/2, (1 + s)e^(−s) with s = √3 r/ℓ; E‖ω‖² = 3d/ℓ². */
export const matern32 = ({ scale }: ScaleOptions): StationaryKernel => matern({ scale, smoothness: 1.5 });

/** Matérn kernel of smoothness 5/2, (1 + s + s²/3)e^(−s) with s = √5 r/ℓ; E‖ω‖² = 5d/3ℓ². */
export const matern52 = ({ scale }: ScaleOptions): StationaryKernel => matern({ scale, smoothness: 2.5 });

/** √(2ν/χ²)/ℓ: the factor on z for a draw of χ²(2ν). */
export function maternStretch(chi2: number, smoothness: number, scale: number): number {
  return Math.sqrt((2 * smoothness) / chi2) / scale;
}

/** Kernel of features in units in which s is their distance, [n, d] and [m, d] → [n, m]. */
type Profile = (x: Tensor, y: Tensor) => Tensor;

/**
 * Smoothness p + ½ (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, eq. 4.16):
 *
 *     k = e^(−s) Σᵢ aᵢ sⁱ,   aᵢ = p!/(2p)! · (2p − i)!/(i! (p − i)!) · 2ⁱ,   i = 0 … p
 */
function halfIntegerProfile(p: number): Profile {
  // aᵢ₊₁/aᵢ = 2(p − i)/((2p − i)(i + 1)), from a₀ = 1
  const coefficients = [1];
  for (let i = 0; i < p; i++) coefficients.push((coefficients[i]! * 2 * (p - i)) / ((2 * p - i) * (i + 1)));
  return (x, y) => {
    const s = distances(x, y);
    const decay = s.neg().exp();
    if (p === 0) return decay;
    const top = s.mul(coefficients[p]!).add(coefficients[p - 1]!);
    return coefficients
      .slice(0, p - 1)
      .reduceRight((sum, a) => sum.mul(s).add(a), top)
      .mul(decay);
  };
}

/** k = Σⱼ wⱼ exp(−aⱼ s²). Holds n·m·(terms) numbers. */
function mixtureProfile({ weights, precisions }: GaussianMixture): Profile {
  return (x, y) => {
    const squares = squaredDistances(x, y);
    const terms = weights.length;
    const a = x.engine.tensor([1, terms], precisions);
    const w = x.engine.tensor([terms, 1], weights);
    return squares
      .reshape([sizeOf(squares.shape), 1])
      .mul(a)
      .neg()
      .exp()
      .matMul(w)
      .reshape(squares.shape);
  };
}
