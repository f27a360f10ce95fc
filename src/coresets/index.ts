import { z } from "zod";
import type { OptionTable } from "../core/options.ts";
import type { Coreset } from "./coreset.ts";
import { random } from "./random.ts";

/** Ways to choose images, by the name that a config's `initialization` gives; each with its options. */
export const coresets = {
  random: { options: z.strictObject({}), build: random },
} as const satisfies OptionTable & Readonly<Record<string, { build(options: never): Coreset }>>;

/** Name of a way to choose images. */
export type CoresetName = keyof typeof coresets;
