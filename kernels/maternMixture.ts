import { gaussLegendre } from "./quadrature.ts";

/** A kernel of the distance s as a sum of Gaussians, Σⱼ weights[j]·exp(−precisions[j]·s²). */
export interface GaussianMixture {
  /** Positive, of sum 1. */
  readonly weights: Float64Array;
  /** Positive. */
  readonly precisions: Float64Array;
}

/** Range of ν over which the mixture's accuracy is tested. Below, the number of terms grows as 1/ν. */
export const SMOOTHNESS = { least: 0.25, most: 100 };

/** Mass of the Gamma law that the nodes leave out on the left, where it decays slowest. */
const LEFT_MASS = 1e-8;

/**
 * Matérn kernel of any smoothness ν as a mixture of Gaussians. It is one over Gamma-distributed inverse precisions,
 * written over t = ln g:
 *
 *     2^(1−ν)/Γ(ν) · s^ν K_ν(s) = 1/Γ(ν) ∫ exp(νt − eᵗ) exp(−s² e^(−t)/4) dt
 *
 * The integrand is analytic and decays exponentially on both sides, so the trapezoidal rule converges geometrically; the
 * nodes do not depend on s. The result is within 1e-6 of the kernel at every s, and, as a sum of Gaussians with positive
 * weights of sum 1, a positive-definite kernel with k(x, x) = 1 itself.
 */
export function gaussianMixture(nu: number): GaussianMixture {
  const step = stepOf(nu);
  const left = (Math.log(LEFT_MASS) + logGamma(nu + 1)) / nu; // P(g < eᵗ) <= e^(νt)/Γ(ν + 1)
  const right = rightEnd(nu);
  const terms = Math.ceil((right - left) / step) + 1;
  const nodes = Float64Array.from({ length: terms }, (_, j) => left + j * step);
  const density = nodes.map((t) => Math.exp(nu * t - Math.exp(t) - logGamma(nu)));
  const total = density.reduce((sum, value) => sum + value, 0);
  return { weights: density.map((value) => value / total), precisions: nodes.map((t) => Math.exp(-t) / 4) };
}

/**
 * The same of the kernel whose draws are clipped, χ²(2ν) ≥ 2ν/C², that is, eᵗ ≥ ν/C²: the part of the integral from there
 * on, divided by its mass. Gauss's rule, as the trapezoidal one is no longer exact at an end that is cut off.
 *
 * @param clip C ≥ 1, so that at least a third of the mass is left.
 */
export function clippedMixture(nu: number, clip: number): GaussianMixture {
  const left = Math.log(nu / clip ** 2);
  const right = rightEnd(nu);
  const nodes = Math.ceil((5 * (right - left)) / stepOf(nu)) + 32;
  const { nodes: t, weights } = gaussLegendre(nodes, left, right);
  const density = weights.map((w, j) => w * Math.exp(nu * t[j]! - Math.exp(t[j]!) - logGamma(nu)));
  const total = density.reduce((sum, value) => sum + value, 0);
  return { weights: density.map((value) => value / total), precisions: t.map((at) => Math.exp(-at) / 4) };
}

/** Width of the integrand's bell where ν is large; a fixed step where exp(−eᵗ) sets the scale instead. */
const stepOf = (nu: number): number => 0.4 / Math.max(1, Math.sqrt(nu / 2));

/** Beyond, less than 1e-16 of the mass. */
const rightEnd = (nu: number): number => Math.log(nu + 12 * Math.sqrt(nu) + 40);

/** ln Γ(x) for x > 0: Stirling's series, after raising x to where six terms reach double precision. */
export function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const terms = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360];
  const series = terms.reduceRight((sum, term) => sum / x ** 2 + term, 0) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
}
