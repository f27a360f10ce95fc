import { z } from "zod";
import { product, sum } from "./combine.ts";
import type { Kernel, Lengths, Origin, Unit } from "./kernel.ts";

/** A weighted sum, as a config states it; C is a choice of kernel. */
export interface SumChoice<C> {
  readonly name: "sum";
  readonly kernels: readonly { readonly weight: number; readonly kernel: C }[];
}

/** A product, as a config states it. */
export interface ProductChoice<C> {
  readonly name: "product";
  readonly kernels: readonly C[];
}

/** One kernel at several lengths, as a config states it. */
export interface MultiScaleChoice<C> {
  readonly name: "multiScale";
  readonly kernel: C;
  readonly factors: readonly number[];
}

/** What a config writes for a sum; I is what it writes for a kernel. */
export interface SumInput<I> {
  readonly name: "sum";
  readonly kernels: readonly { readonly weight?: number | undefined; readonly kernel: I }[];
}

/** What a config writes for one kernel at several lengths. */
export interface MultiScaleInput<I> {
  readonly name: "multiScale";
  readonly kernel?: I | undefined;
  readonly factors?: readonly number[] | undefined;
}

/** Whether a kernel has to be named, or is Gaussian where it is not. */
export type Kind = "named" | "gaussian";

/** How a choice that has choices inside gets at what these stand for. */
interface Inside<C, I> {
  /** Schema of a choice. Composites are among what it may be, so it is there after them. */
  readonly schema: (kind: Kind) => z.ZodType<C, I>;
  readonly kernelOf: (choice: C, lengths: Lengths) => Kernel;
  readonly unitsOf: (choice: C) => readonly Unit[];
  readonly originOf: (choice: C, width: number, lengths: Lengths) => Origin;
}

type SumOptions<C> = Omit<SumChoice<C>, "name">;
type ProductOptions<C> = Omit<ProductChoice<C>, "name">;
type MultiScaleOptions<C> = Omit<MultiScaleChoice<C>, "name">;

const MOST_KERNELS = 64;

/** Entries of a table of kernels for those that are made of kernels, to any depth. */

export function composites<C, I>({ schema, kernelOf, unitsOf, originOf }: Inside<C, I>) {
  const kernel = z.lazy(() => schema("named"));
  const share = z.strictObject({
    weight: z.number().positive().default(1).describe("Its share; weights are divided by their sum; > 0"),
    kernel: kernel.describe("Any kernel, with its options"),
  });
  return {
    sum: {
      options: z.strictObject({
        kernels: z.array(share).min(1).max(MOST_KERNELS).describe("Kernels and their weights"),
      }),
      units: ({ kernels }: SumOptions<C>) => kernels.flatMap((one) => unitsOf(one.kernel)),
      origin: ({ kernels }: SumOptions<C>, width: number, lengths: Lengths) =>
        mixed(kernels.map((one) => ({ ...one, origin: originOf(one.kernel, width, lengths) }))),
      build: ({ kernels }: SumOptions<C>, lengths: Lengths) =>
        sum(kernels.map((one) => ({ weight: one.weight, kernel: kernelOf(one.kernel, lengths) }))),
    },
    product: {
      options: z.strictObject({
        kernels: z.array(kernel).min(1).max(MOST_KERNELS).describe("Any kernels, with their options"),
      }),
      units: ({ kernels }: ProductOptions<C>) => kernels.flatMap(unitsOf),
      origin: ({ kernels }: ProductOptions<C>, width: number, lengths: Lengths) =>
        kernels
          .map((one) => originOf(one, width, lengths))
          .reduce((a, b) => ({
            value: a.value * b.value,
            curvature: a.curvature * b.value + a.value * b.curvature,
          })),
      build: ({ kernels }: ProductOptions<C>, lengths: Lengths) =>
        product(kernels.map((one) => kernelOf(one, lengths))),
    },
    multiScale: {
      options: z.strictObject({
        kernel: z.lazy(() => schema("gaussian")).describe("Any kernel, with its options"),
        factors: z
          .array(z.number().positive())
          .min(1)
          .max(MOST_KERNELS)
          .default([0.25, 0.5, 1, 2, 4])
          .describe("Its lengths, as multiples; > 0, of equal weight"),
      }),
      units: (one: MultiScaleOptions<C>) => unitsOf(one.kernel),
      origin: (one: MultiScaleOptions<C>, width: number, lengths: Lengths) =>
        mixed(
          one.factors.map((factor) => ({
            weight: 1,
            origin: originOf(one.kernel, width, stretched(lengths, factor)),
          })),
        ),
      build: (one: MultiScaleOptions<C>, lengths: Lengths) =>
        sum(
          one.factors.map((factor) => ({
            weight: 1,
            kernel: kernelOf(one.kernel, stretched(lengths, factor)),
          })),
        ),
    },
  };
}

const stretched = ({ l2, l1 }: Lengths, factor: number): Lengths => ({ l2: factor * l2, l1: factor * l1 });

function mixed(parts: readonly { readonly weight: number; readonly origin: Origin }[]): Origin {
  const total = parts.reduce((all, { weight }) => all + weight, 0);
  const mean = (of: (origin: Origin) => number): number =>
    parts.reduce((all, { weight, origin }) => all + (weight / total) * of(origin), 0);
  return { value: mean(({ value }) => value), curvature: mean(({ curvature }) => curvature) };
}
