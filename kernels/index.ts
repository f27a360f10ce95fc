import type { z } from "zod";
import { choice, type Choice, type Chosen } from "../src/core/options.ts";
import { cauchy, cauchyOptions } from "./cauchy.ts";
import { cauchyProduct, cauchyProductOptions } from "./cauchyProduct.ts";
import {
  composites,
  type Kind,
  type MultiScaleChoice,
  type MultiScaleInput,
  type ProductChoice,
  type SumChoice,
  type SumInput,
} from "./composites.ts";
import { gaussian, gaussianOptions } from "./gaussian.ts";
import { inverseMultiquadric, inverseMultiquadricOptions } from "./inverseMultiquadric.ts";
import type { Kernel, Lengths, Origin, StationaryKernel, Unit } from "./kernel.ts";
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
import { polynomial, type PolynomialOptions, polynomialOptions } from "./polynomial.ts";
import { rationalQuadratic, rationalQuadraticOptions } from "./rationalQuadratic.ts";
import { tabulated, tabulatedOptions } from "./tabulated.ts";

export { product, type Share, sum } from "./combine.ts";
export { type Directions, structures } from "./directions.ts";
export { absoluteDistances, distances, squaredDistances } from "./distances.ts";
export { isStationary, type Kernel, type Lengths, type StationaryKernel, type Unit } from "./kernel.ts";
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
  tabulated,
};

/** What the table has of a kernel. */
interface Entry<K extends Kernel = Kernel> {
  readonly options: z.ZodObject;
  /** The distances that it measures in. */
  units(options: never): readonly Unit[];
  build(options: never, lengths: Lengths): K;
  origin(options: never, width: number, lengths: Lengths): Origin;
}

/** An entry of a kernel whose one length is its scale, in units of the length of `unit`. */

function measured<S extends z.ZodObject, O extends { readonly scale: number }, K extends Kernel>(
  unit: Unit,
  options: S,
  make: (options: O) => K,
) {
  const build = (given: O, lengths: Lengths): K => make({ ...given, scale: given.scale * lengths[unit] });
  return { options, units: (): readonly Unit[] => [unit], build };
}

/** The entry of a stationary one. */

function stationary<S extends z.ZodObject, O extends { readonly scale: number }>(
  unit: Unit,
  options: S,
  make: (options: O) => StationaryKernel,
) {
  const entry = measured(unit, options, make);
  const origin = (given: O, width: number, lengths: Lengths): Origin => {
    const squared = entry.build(given, lengths).meanSquaredFrequency(width);
    const curvature = squared < Infinity ? squared : width / (given.scale * lengths.l2) ** 2;
    return { value: 1, curvature };
  };
  return { ...entry, origin };
}

const stationaryLeaves = {
  gaussian: stationary("l2", gaussianOptions, gaussian),
  laplacian: stationary("l1", laplacianOptions, laplacian),
  matern: stationary("l2", maternOptions, matern),
  matern12: stationary("l2", matern12Options, matern12),
  matern32: stationary("l2", matern32Options, matern32),
  matern52: stationary("l2", matern52Options, matern52),
  rationalQuadratic: stationary("l2", rationalQuadraticOptions, rationalQuadratic),
  cauchy: stationary("l2", cauchyOptions, cauchy),
  cauchyProduct: stationary("l2", cauchyProductOptions, cauchyProduct),
  inverseMultiquadric: stationary("l2", inverseMultiquadricOptions, inverseMultiquadric),
  tabulated: stationary("l2", tabulatedOptions, tabulated),
} as const satisfies Record<string, Entry<StationaryKernel>>;

const leaves = {
  ...stationaryLeaves,
  linear: {
    options: linearOptions,
    units: (): readonly Unit[] => [],
    build: linear,
    origin: (_: object, width: number): Origin => ({ value: 0, curvature: width }),
  },
  polynomial: {
    ...measured("l2", polynomialOptions, polynomial),
    origin: ({ scale, offset, degree }: PolynomialOptions, width: number, { l2 }: Lengths): Origin => ({
      value: offset ** degree,
      curvature: (degree * offset ** (degree - 1) * width) / (scale * l2) ** 2,
    }),
  },
} as const satisfies Record<string, Entry>;

/** A kernel with a law of frequencies and its options, as a config states them, with all defaults. */
export type StationaryKernelChoice =
  | Chosen<typeof stationaryLeaves>
  | SumChoice<StationaryKernelChoice>
  | ProductChoice<StationaryKernelChoice>
  | MultiScaleChoice<StationaryKernelChoice>;
/** The same of any kernel. */
export type KernelChoice =
  | Chosen<typeof leaves>
  | SumChoice<KernelChoice>
  | ProductChoice<KernelChoice>
  | MultiScaleChoice<KernelChoice>;

/** What a config writes for a kernel with a law of frequencies. */
export type StationaryKernelInput =
  | Choice<typeof stationaryLeaves>
  | SumInput<StationaryKernelInput>
  | ProductChoice<StationaryKernelInput>
  | MultiScaleInput<StationaryKernelInput>
  | "multiScale";
/** What a config writes for a kernel. */
export type KernelInput =
  | Choice<typeof leaves>
  | SumInput<KernelInput>
  | ProductChoice<KernelInput>
  | MultiScaleInput<KernelInput>
  | "multiScale";

/** Kernels with a law of frequencies, by name. */
export const stationaryKernels = {
  ...stationaryLeaves,
  ...composites({ schema: stationaryChoice, kernelOf, unitsOf, originOf }),
} as const satisfies Record<string, Entry>;
type StationarySchema = z.ZodType<StationaryKernelChoice, StationaryKernelInput>;
function stationaryChoice(kind: Kind): StationarySchema {
  return kind === "named"
    ? choice(stationaryKernels)
    : (choice(stationaryKernels, { name: kind }) as StationarySchema);
}

/** All kernels by name. */
export const kernels = {
  ...leaves,
  ...composites({ schema: kernelChoice, kernelOf, unitsOf, originOf }),
} as const satisfies Record<string, Entry>;
type KernelSchema = z.ZodType<KernelChoice, KernelInput>;
function kernelChoice(kind: Kind): KernelSchema {
  return kind === "named" ? choice(kernels) : (choice(kernels, { name: kind }) as KernelSchema);
}

/**
 * The kernel of a choice.
 *
 * @param lengths what a scale of 1 stands for: each kernel inside takes the length of the distance it measures in.
 */
export function kernelOf(choice: StationaryKernelChoice, lengths?: Lengths): StationaryKernel;
export function kernelOf(choice: KernelChoice, lengths?: Lengths): Kernel;
export function kernelOf({ name, ...options }: KernelChoice, lengths: Lengths = { l2: 1, l1: 1 }): Kernel {
  // The choice pairs each name with its own options; the compiler cannot follow that through the table.
  const build = kernels[name].build as (given: typeof options, lengths: Lengths) => Kernel;
  return build(options, lengths);
}

/** The distances that the kernels of a choice measure in, each once; none of a kernel without a length. */
export function unitsOf({ name, ...options }: KernelChoice): readonly Unit[] {
  const units = kernels[name].units as (given: typeof options) => readonly Unit[];
  return [...new Set(units(options))];
}

/**
 * The factor s that takes a kernel's squared MMD to that of means as its lengths grow, s·MMD² → ‖mean x − mean y‖²:
 *
 *     s = d / Σₖ ∂²k/∂xₖ∂yₖ at 0,   of a stationary kernel d/E‖ω‖²
 *
 * Of one with a kink, where E‖ω‖² is infinite, it is ℓ² in Euclidean length; of a polynomial without lower powers, which
 * has no such limit, 1.
 *
 * @param width d. @param lengths as `kernelOf` takes them; of both distances, where a kernel has a kink.
 */
export function meanScale(choice: KernelChoice, width: number, lengths: Lengths): number {
  const { curvature } = originOf(choice, width, lengths);
  return curvature > 0 ? width / curvature : 1;
}

function originOf({ name, ...options }: KernelChoice, width: number, lengths: Lengths): Origin {
  const origin = kernels[name].origin as (given: typeof options, width: number, lengths: Lengths) => Origin;
  return origin(options, width, lengths);
}
