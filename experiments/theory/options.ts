import { z } from "zod";
import { parsed } from "../../src/core/parse.ts";
import { applyOverride } from "../config.ts";

const distinct = (values: readonly number[]): boolean => new Set(values).size === values.length;
const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

export const theorySchema = z.strictObject({
  fractions: z
    .array(z.number().gt(0).lt(1))
    .min(1)
    .max(5)
    .refine(distinct, "expected each fraction once")
    .transform((values) => ascending(values).reverse())
    .default([0.8, 0.6, 0.4, 0.2])
    .describe("Fractions of the examples that are kept, beside all of them; five at most"),
  angles: z
    .array(z.number().min(0).max(90))
    .min(1)
    .max(5)
    .refine(distinct, "expected each angle once")
    .transform(ascending)
    .default([0, 10, 30])
    .describe("Angles between probe and teacher in degrees; 0 is a perfect probe; five at most"),
  curves: z
    .strictObject({
      from: z.number().positive().default(0.1).describe("Least examples for each dimension"),
      to: z.number().positive().default(20).describe("Most examples for each dimension"),
      points: z
        .int()
        .min(2)
        .default(41)
        .describe("Along a curve, evenly on a log axis; crossings are looked for between them"),
    })
    .refine(({ from, to }) => from < to, "expected from < to")
    .prefault({})
    .describe("The theory"),
  simulation: z
    .strictObject({
      examples: z
        .array(z.number().positive())
        .refine(distinct, "expected each number once")
        .transform(ascending)
        .default([0.3, 1, 2, 4, 8])
        .describe("Examples for each dimension; [] simulates nothing"),
      dimensions: z.int().min(10).default(100).describe("N of the inputs"),
      trials: z.int().min(2).default(40).describe("Students for each point"),
      seed: z.int().min(0).default(0).describe("Of the examples"),
    })
    .prefault({})
    .describe("The same by drawn examples"),
});

/** The experiment, every option resolved. */
export type TheoryOptions = z.infer<typeof theorySchema>;

/** Sizes of the experiment: the figures, and one that takes seconds. */
export const sizes = ["full", "small"] as const;
export type Size = (typeof sizes)[number];

const presets: Readonly<Record<Size, object>> = {
  full: {},
  small: {
    fractions: [0.6, 0.2],
    angles: [0, 20],
    curves: { points: 9 },
    simulation: { examples: [0.5, 2], dimensions: 40, trials: 8 },
  },
};

/**
 * The options of a size with overrides `a.b=value` after it.
 *
 * @throws InputError naming every option that is wrong.
 */
export function theoryOptions(size: Size, overrides: readonly string[]): TheoryOptions {
  return parsed("theory", theorySchema, overrides.reduce<unknown>(applyOverride, presets[size]));
}
