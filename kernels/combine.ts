import { check, positive, wholeNumber } from "../src/core/errors.ts";
import type { Tensor } from "../src/engines/index.ts";
import { isStationary, type Kernel, type StationaryKernel } from "./kernel.ts";

/** A kernel and its share of a sum. */
export interface Share<K extends Kernel = Kernel> {
  /** aᵢ > 0; the weights of a sum need not sum to 1. */
  readonly weight: number;
  /** The kernel that is weighted. */
  readonly kernel: K;
}

/**
 * Weighted sum, with the weights divided by their sum. Of stationary kernels it is stationary, its frequencies the mixture:
 *
 *     k = Σᵢ aᵢ kᵢ / Σᵢ aᵢ,   ω ~ pᵢ with probability aᵢ / Σ aᵢ
 *
 * Draws are stratified: kernel i gets its share of the count up to one, at random so that the expectation is exact.
 */
export function sum(shares: readonly Share<StationaryKernel>[]): StationaryKernel;
export function sum(shares: readonly Share[]): Kernel;
export function sum(shares: readonly Share[]): Kernel {
  check(shares.length > 0, () => "sum: expected at least one kernel, got none");
  const total = shares.reduce((all, { weight }) => all + positive("sum.weight", weight), 0);
  const parts = shares.map(({ weight, kernel }) => ({ weight: weight / total, kernel }));
  const name = `sum(${parts.map(({ weight, kernel }) => `${weight} ${kernel.name}`).join(", ")})`;
  const gram = (x: Tensor, y: Tensor): Tensor =>
    parts.map(({ weight, kernel }) => kernel.gram(x, y).mul(weight)).reduce((all, part) => all.add(part));
  const stationary = parts.filter((part): part is Share<StationaryKernel> => isStationary(part.kernel));
  if (stationary.length < parts.length) return { name, gram };
  const mixture: StationaryKernel = {
    name,
    gram,
    radial: stationary.every(({ kernel }) => kernel.radial),
    frequencies(count, width, rng, directions) {
      wholeNumber("frequencies.count", count, 1);
      const offset = rng.uniform();
      // Systematic sampling: ends of consecutive shares on a grid of `count` points with one random offset.
      let reached = 0;
      const ends = stationary.map(({ weight }) => Math.ceil((reached += weight) * count - offset));
      ends[ends.length - 1] = count;
      const rows = ends.map((end, i) => end - (ends[i - 1] ?? 0));
      const omega = new Float32Array(count * width);
      stationary.forEach(({ kernel }, i) => {
        if (rows[i]! > 0)
          omega.set(kernel.frequencies(rows[i]!, width, rng, directions), (ends[i - 1] ?? 0) * width);
      });
      return omega;
    },
    meanSquaredFrequency: (width) =>
      stationary.reduce((all, { weight, kernel }) => all + weight * kernel.meanSquaredFrequency(width), 0),
  };
  return mixture;
}

/**
 * Product. Of stationary kernels it is stationary, and its frequencies are sums of theirs:
 *
 *     k = Πᵢ kᵢ,   ω = Σᵢ ωᵢ,   E‖ω‖² = Σᵢ E‖ωᵢ‖²
 */
export function product(factors: readonly StationaryKernel[]): StationaryKernel;
export function product(factors: readonly Kernel[]): Kernel;
export function product(factors: readonly Kernel[]): Kernel {
  check(factors.length > 0, () => "product: expected at least one kernel, got none");
  const name = `product(${factors.map((kernel) => kernel.name).join(", ")})`;
  const gram = (x: Tensor, y: Tensor): Tensor =>
    factors.map((kernel) => kernel.gram(x, y)).reduce((all, part) => all.mul(part));
  const stationary = factors.filter(isStationary);
  if (stationary.length < factors.length) return { name, gram };
  const convolution: StationaryKernel = {
    name,
    gram,
    radial: stationary.every(({ radial }) => radial),
    frequencies: (count, width, rng, directions) =>
      stationary
        .map((kernel) => kernel.frequencies(count, width, rng, directions))
        .reduce((total, omega) => total.map((value, i) => value + omega[i]!)),
    meanSquaredFrequency: (width) =>
      stationary.reduce((all, kernel) => all + kernel.meanSquaredFrequency(width), 0),
  };
  return convolution;
}
