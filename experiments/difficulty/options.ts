import { z } from "zod";
import { parsed } from "../../src/core/parse.ts";
import { scoringNetworks } from "../../src/runs/difficulty.ts";
import { applyOverride } from "../config.ts";
import { datasetOptions } from "../data/load.ts";

export const difficultySchema = z.strictObject({
  data: datasetOptions.describe("Real data set that the networks are trained on"),
  images: z
    .strictObject({
      perClass: z.int().min(1).default(1000).describe("Random images of each class; all where it has fewer"),
      split: z.enum(["train", "test"]).default("train").describe("Where they are from"),
      seed: z.int().min(0).default(0).describe("Of the draw"),
    })
    .prefault({})
    .describe("Images of the data set to score; of a synthetic set, all are"),
  networks: scoringNetworks.prefault({}).describe("Networks that find the images easy or hard"),
});

/** What is scored under which networks, every option resolved. */
export type DifficultyOptions = z.infer<typeof difficultySchema>;

/** Sizes of the experiment: as published, and one that a CPU core does in minutes. */
export const sizes = ["full", "small"] as const;
export type Size = (typeof sizes)[number];

const presets: Readonly<Record<Size, object>> = {
  full: {},
  small: {
    images: { perClass: 200 },
    networks: { models: 8, epochs: 2, batchSize: 64, network: { name: "convNet", width: 32 } },
  },
};

/**
 * The options of a size with overrides `a.b=value` after it.
 *
 * @param data the data set, by its name or with its options.
 * @throws InputError naming every option that is wrong.
 */
export function difficultyOptions(
  size: Size,
  data: { readonly name: string },
  overrides: readonly string[],
): DifficultyOptions {
  const config: unknown = { ...presets[size], data };
  return parsed("difficulty", difficultySchema, overrides.reduce(applyOverride, config));
}
