import type { Rng } from "../src/core/rng.ts";
import type { Tensor } from "../src/engines/index.ts";
import type { Directions } from "./directions.ts";

/** A distance that kernels measure in: ‖x − y‖₂ or ‖x − y‖₁. */
export type Unit = "l2" | "l1";

/** The length that a scale of 1 stands for, of kernels of either distance; in feature units. */
export type Lengths = Readonly<Record<Unit, number>>;

/** A kernel at the origin. */
export interface Origin {
  /** k(0, 0); 1 of a stationary kernel. */
  readonly value: number;
  /**
   * Σₖ ∂²k/∂xₖ∂yₖ at 0: E‖ω‖² of a stationary kernel, and d/ℓ² in Euclidean length of one with a kink, where that
   * is infinite.
   */
  readonly curvature: number;
}

/** A positive-definite function k(x, y) on feature vectors. */
export interface Kernel {
  /** Kernel with its parameters, as in "gaussian(1.5)". */
  readonly name: string;
  /**
   * k(xᵢ, yⱼ). Differentiable twice where xᵢ ≠ yⱼ. Where they are equal, a stationary kernel's gradient is zero: that of
   * every smooth one, and by symmetry the middle of the subgradients of one with a kink.
   *
   * @param x [n, d]. @param y [m, d], of the same engine.
   * @returns [n, m].
   * @throws InputError if the widths differ.
   */
  readonly gram: (x: Tensor, y: Tensor) => Tensor;
}

/**
 * A kernel of x − y alone with k(x, x) = 1. By Bochner's theorem it is the characteristic function of a law of
 * frequencies ω, even in ω:
 *
 *     k(x, y) = E_ω cos⟨ω, x − y⟩
 */
export interface StationaryKernel extends Kernel {
  /** Whether its draws are normal vectors, each times a number, so that these can follow a structure. */
  readonly radial: boolean;
  /**
   * Independent exact draws of ω, in radians per feature unit, rounded to float32.
   *
   * @param count draws. @param width d. @param rng drawn from in order; two calls on one stream differ.
   * @param directions a structure of `structures` instead of independent draws: the law of each draw is as the structure
   *   says, and draws depend on each other. Not of products over coordinates.
   * @returns row-major, [count, width].
   */
  frequencies(count: number, width: number, rng: Rng, directions?: Directions): Float32Array;
  /**
   * E‖ω‖² = −Δk(0): what the gradient of a spectral distance scales with. Infinity for kernels with a kink at zero.
   *
   * @param width d.
   */
  meanSquaredFrequency(width: number): number;
}

/** Whether a kernel has a law of frequencies. */
export function isStationary(kernel: Kernel): kernel is StationaryKernel {
  return "frequencies" in kernel;
}
