import type { Chosen, OptionTable } from "../src/core/options.ts";
import { cauchy, cauchyOptions } from "./cauchy.ts";
import { cauchyProduct, cauchyProductOptions } from "./cauchyProduct.ts";
import { gaussian, gaussianOptions } from "./gaussian.ts";
import { inverseMultiquadric, inverseMultiquadricOptions } from "./inverseMultiquadric.ts";
import type { Kernel, StationaryKernel } from "./kernel.ts";
import { laplacian, laplacianOptions } from "./laplacian.ts";
import { linear, linearOptions } from "./linear.ts";
import {
  matern,
  matern12,
  matern12Options,
  matern32,
  matern32Options,
  matern52,
  matern52Options,
  maternOptions,
} from "./matern.ts";
import { polynomial, polynomialOptions } from "./polynomial.ts";
import { rationalQuadratic, rationalQuadraticOptions } from "./rationalQuadratic.ts";

export { product, type Share, sum } from "./combine.ts";
export { absoluteDistances, distances, squaredDistances } from "./distances.ts";
export { isStationary, type Kernel, type StationaryKernel } from "./kernel.ts";
export {
  cauchy,
  cauchyProduct,
  gaussian,
  inverseMultiquadric,
  laplacian,
  linear,
  matern,
  matern12,
  matern32,
  matern52,
  polynomial,
  rationalQuadratic,
};

/** Kernels with a law of frequencies, by name. */
export const stationaryKernels = {
  gaussian: { options: gaussianOptions, build: gaussian },
  laplacian: { options: laplacianOptions, build: laplacian },
  matern: { options: maternOptions, build: matern },
  matern12: { options: matern12Options, build: matern12 },
  matern32: { options: matern32Options, build: matern32 },
  matern52: { options: matern52Options, build: matern52 },
  rationalQuadratic: { options: rationalQuadraticOptions, build: rationalQuadratic },
  cauchy: { options: cauchyOptions, build: cauchy },
  cauchyProduct: { options: cauchyProductOptions, build: cauchyProduct },
  inverseMultiquadric: { options: inverseMultiquadricOptions, build: inverseMultiquadric },
} as const satisfies OptionTable & Record<string, { build(options: never): StationaryKernel }>;

/** All kernels by name. */
export const kernels = {
  ...stationaryKernels,
  linear: { options: linearOptions, build: linear },
  polynomial: { options: polynomialOptions, build: polynomial },
} as const satisfies OptionTable & Record<string, { build(options: never): Kernel }>;

/** A kernel's name and options, as a config states them. */
export type KernelChoice = Chosen<typeof kernels>;
/** The same of a kernel with a law of frequencies. */
export type StationaryKernelChoice = Chosen<typeof stationaryKernels>;

/** The kernel of a choice. */
export function kernelOf(choice: StationaryKernelChoice): StationaryKernel;
export function kernelOf(choice: KernelChoice): Kernel;
export function kernelOf({ name, ...options }: KernelChoice): Kernel {
  // The choice pairs each name with its own options; the compiler cannot follow that through the table.
  const build = kernels[name].build as (given: typeof options) => Kernel;
  return build(options);
}
