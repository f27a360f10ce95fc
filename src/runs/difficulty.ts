import { z } from "zod";
import { check } from "../core/errors.ts";
import { seeded } from "../core/rng.ts";
import { classIndices, type Dataset, subset } from "../datasets/dataset.ts";
import { networkPreferring } from "../networks/index.ts";
import { pretrainingOptions } from "../objectives/pretraining.ts";

/** Options of the networks that images are scored under; by default 20 of ResNet-18, as published. */
export const scoringNetworks = pretrainingOptions.extend({
  models: z.int().min(1).default(20).describe("Networks to train, each from a start of its own"),
  network: networkPreferring({ name: "resNet18", norm: "batch" }).describe("Their architecture"),
});

/** Some images of each class of a data set, and their positions in it. */
export interface RandomImages {
  /** In label order, and in a class in the order of the data set. */
  readonly dataset: Dataset;
  readonly positions: Int32Array;
}

/**
 * Random images of each class, drawn without replacement: all where a class has no more.
 *
 * @param perClass at least 1. @param seed of the draw.
 */
export function randomImages(dataset: Dataset, perClass: number, seed: number): RandomImages {
  check(perClass >= 1, () => `randomImages.perClass: expected 1 or more, got ${perClass}`);
  const rng = seeded(seed).stream("difficulty/images");
  const positions = Int32Array.from(
    classIndices(dataset).flatMap((members, label) => {
      const order = rng.stream(String(label)).permutation(members.length).subarray(0, perClass);
      return Array.from(order, (at) => members[at]!).sort((a, b) => a - b);
    }),
  );
  return { dataset: subset(dataset, positions), positions };
}
