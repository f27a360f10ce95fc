import { check } from "../src/core/errors.ts";
import { fourierTransform } from "../src/core/fourier.ts";
import type { Rng } from "../src/core/rng.ts";

/** A law of ω ≥ 0 with a constant density around each of equally spaced frequencies, [k − ½, k + ½]·step. */
export interface SpectralLaw {
  /** Step between frequencies, 2π/period, in radians per grid step. */
  readonly step: number;
  /** Mass of each bin, of sum 1; the first is half as wide, from 0 on. */
  readonly masses: Float64Array;
  /** Σ masses up to and with each bin. */
  readonly cumulative: Float64Array;
}

/** Density below zero, as a share of the largest, that is taken for the cut of the table and not for what it says. */
const TOLERANCE = 1e-3;

/**
 * Spectral density of an even function on the line that is given at 0, Δ, 2Δ, … and zero beyond, at ω_k = 2πk/(NΔ):
 *
 *     p_k = Δ/2π Σ_j κ(jΔ) e^(−iω_k jΔ),   j = −N/2 … N/2 − 1
 *
 * so that Σ p_k · 2π/(NΔ) over all N frequencies is κ(0).
 *
 * @param period N ≥ 2·(values − 1).
 * @returns p_k for k = 0 … N/2.
 */
export function spectralDensity(values: readonly number[], spacing: number, period: number): Float64Array {
  const re = new Float64Array(period);
  values.forEach((value, j) => (re[j] = re[(period - j) % period] = value));
  fourierTransform(period)(re, new Float64Array(period));
  return re.slice(0, period / 2 + 1).map((value) => (spacing / (2 * Math.PI)) * value);
}

/**
 * The law of |ω| of a tabulated kernel, in radians per grid step.
 *
 * @throws InputError if it is no kernel: its density is below zero somewhere.
 */
export function spectralLaw(values: readonly number[], period: number): SpectralLaw {
  const density = spectralDensity(values, 1, period);
  const step = (2 * Math.PI) / period;
  const largest = density.reduce((a, b) => Math.max(a, b));
  const least = density.reduce((at, p, k) => (p < density[at]! ? k : at), 0);
  check(
    density[least]! >= -TOLERANCE * largest,
    () =>
      `tabulated.values: expected a positive-definite function, got one with spectral density ${density[least]!.toPrecision(4)} ` +
      `at ω = ${(least * step).toPrecision(4)} per step of the table, where ${largest.toPrecision(4)} is its largest; ` +
      "a boxcar is none, a triangle is; a table has to reach to where the function is zero",
  );
  // Frequencies between the first and the last stand for their negatives too.
  const shares = density.map((p, k) => Math.max(0, p) * (k === 0 || k === period / 2 ? 1 : 2));
  const total = shares.reduce((sum, share) => sum + share, 0);
  const masses = shares.map((share) => share / total);
  let reached = 0;
  return { step, masses, cumulative: masses.map((mass) => (reached += mass)) };
}

/** A draw of ω ≥ 0: the inverse of the distribution function, which is linear within each bin. */
export function drawnFrequency({ step, masses, cumulative }: SpectralLaw, rng: Rng): number {
  const u = rng.uniform() * cumulative.at(-1)!;
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > u) high = middle;
    else low = middle + 1;
  }
  const within = 1 - (cumulative[low]! - u) / masses[low]!;
  return low === 0 ? (within * step) / 2 : (low - 0.5 + within) * step;
}

/** E ω². A constant density of width w adds w²/12 to the square of its middle. */
export function meanSquare({ step, masses }: SpectralLaw): number {
  return masses.reduce((sum, mass, k) => sum + mass * (k ** 2 + 1 / 12), 0) * step ** 2;
}
