import type { OptionTable } from "../core/options.ts";
import type { Plugin } from "../objectives/objective.ts";
import { difficultyCorrection, difficultyCorrectionOptions } from "./difficultyCorrection.ts";

/** Plugins by name. */
export const plugins = {
  difficultyCorrection: { options: difficultyCorrectionOptions, build: difficultyCorrection },
} satisfies OptionTable & Record<string, { build(options: never): Plugin }>;
