import { z } from "zod";
import type { OptionTable } from "../core/options.ts";
import type { Coreset } from "./coreset.ts";
import { difficultyGuided, difficultyGuidedOptions } from "./difficultyGuided.ts";
import { forgetting, forgettingOptions } from "./forgetting.ts";
import { herding, herdingOptions } from "./herding.ts";
import { kCenterCoreset, kCenterOptions } from "./kCenter.ts";
import { random } from "./random.ts";
import { el2n, el2nOptions, grand, grandOptions } from "./scores.ts";

/** Ways to choose images, by the name that a config's `initialization` gives; each with its options. */
export const coresets = {
  random: { options: z.strictObject({}), build: random },
  herding: { options: herdingOptions, build: herding },
  kCenter: { options: kCenterOptions, build: kCenterCoreset },
  forgetting: { options: forgettingOptions, build: forgetting },
  el2n: { options: el2nOptions, build: el2n },
  grand: { options: grandOptions, build: grand },
  difficultyGuided: { options: difficultyGuidedOptions, build: difficultyGuided },
} as const satisfies OptionTable & Readonly<Record<string, { build(options: never): Coreset }>>;

/** Name of a way to choose images. */
export type CoresetName = keyof typeof coresets;

export * from "./augmentedPool.ts";
export * from "./coreset.ts";
export * from "./difficultyGuided.ts";
export * from "./forgetting.ts";
export * from "./guided/allocation.ts";
export * from "./guided/guidedChoice.ts";
export * from "./guided/logTransform.ts";
export * from "./guided/scorers.ts";
export * from "./guided/thresholds.ts";
export * from "./herding.ts";
export * from "./kCenter.ts";
export { random } from "./random.ts";
export { type Rows } from "./rows.ts";
export { el2n, grand, type ScoreMode } from "./scores.ts";
