import { z } from "zod";
import { choice } from "../../src/core/options.ts";
import { parsed } from "../../src/core/parse.ts";
import { projections } from "../../src/evaluation/maps/index.ts";
import { featureSpaces } from "../../src/runs/featureSpaces.ts";
import { applyOverride } from "../config.ts";

/** Most real images on a map, and most that sets are measured against. */
export const [MOST_SHOWN, MOST_MEASURED] = [2000, 10_000];

export const mapSchema = z.strictObject({
  images: z
    .strictObject({
      perClass: z
        .int()
        .min(1)
        .default(100)
        .describe(`Random real images of each class on the map; at most ${MOST_SHOWN} of all classes`),
      syntheticPerClass: z
        .int()
        .min(1)
        .default(100)
        .describe("Images of each class that a set shows; of more, random ones. All are measured"),
      measuredPerClass: z
        .int()
        .min(2)
        .default(500)
        .describe(
          `Real images of each class that sets are measured against; at most ${MOST_MEASURED} of all classes`,
        ),
      split: z.enum(["train", "test"]).default("train").describe("Where the real images are from"),
      seed: z.int().min(0).default(0).describe("Of the choice of images"),
    })
    .prefault({})
    .describe("Images on the map"),
  features: choice(featureSpaces, { name: "trained" }).describe(
    "Space that the images are compared in: trained or random networks, or pixels",
  ),
  components: z
    .int()
    .min(0)
    .default(50)
    .describe(
      "Principal components of wider features that the map is made of; 0 for the features as they are",
    ),
  projection: choice(projections, { name: "umap" }).describe("How the map is drawn: umap or tsne"),
  seed: z.int().min(0).default(0).describe("Of the map"),
});

/** How a map is made, every option resolved. */
export type MapOptions = z.infer<typeof mapSchema>;

/** The options with overrides `a.b=value`. @throws InputError naming every option that is wrong. */
export function mapOptions(overrides: readonly string[] = []): MapOptions {
  return parsed("map", mapSchema, overrides.reduce<unknown>(applyOverride, {}));
}
