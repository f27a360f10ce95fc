import { z } from "zod";
import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import type { Snapshots } from "./experts.ts";

/** Options of the epochs at which segments of an expert's path begin. */
export const startEpochOptions = z.strictObject({
  min: z.int().min(0).default(0).describe("T⁻, the first epoch that a segment begins at"),
  max: z.int().min(1).describe("T⁺: segments begin before this epoch"),
  growth: z
    .strictObject({
      from: z.int().min(1).describe("T, in place of T⁺ at the first step"),
      steps: z.int().min(1).describe("E, the updates of the images until T has grown to T⁺"),
    })
    .optional()
    .describe(
      "From easy patterns to hard ones (DATM): later segments come step by step; without, all from the start",
    ),
});

export type StartEpochs = z.infer<typeof startEpochOptions>;

/**
 * The epoch before which segments begin at a step, by DATM's code:
 *
 *     min(T⁺, T + ⌊(T⁺ − T) step / E⌋), or T⁺ where nothing grows
 *
 * at least T⁻ + 1: two of LAD's configs ask for none, and stop.
 */
export function startEpochBound({ min, max, growth }: StartEpochs, step: number): number {
  const bound = growth
    ? Math.min(max, growth.from + Math.trunc(((max - growth.from) * step) / growth.steps))
    : max;
  return Math.max(bound, min + 1);
}

/** Where a segment begins at a step, t ~ Uniform{T⁻ … bound − 1}. */
export function drawnStartEpoch(epochs: StartEpochs, step: number, rng: Rng): number {
  return epochs.min + rng.integer(startEpochBound(epochs, step) - epochs.min);
}

/**
 * The snapshots that segments of M epochs read.
 *
 * @throws InputError where no epoch lies between T⁻ and T⁺, or T does not.
 */
export function snapshotsOf(
  where: string,
  { min, max, growth }: StartEpochs,
  expertEpochs: number,
): Omit<Snapshots, "final"> {
  check(
    max > min,
    () => `${where}.max: expected more than min, ${min}, got ${max}: segments begin at min … max − 1`,
  );
  check(
    growth === undefined || growth.from <= max,
    () => `${where}.growth.from: expected at most max, ${max}, got ${growth!.from}`,
  );
  return { first: min, last: max - 1 + expertEpochs };
}
