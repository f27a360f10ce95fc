import { basename } from "node:path";
import { z } from "zod";
import { parsed } from "../../src/core/parse.ts";
import {
  checkGeneration,
  gateOptions,
  generationOptions,
  oneNetworkOptions,
} from "../../src/generation/index.ts";
import { applyOverride, parseYaml } from "../config.ts";
import { configFile } from "../configFile.ts";
import { datasetOptions } from "../data/load.ts";

export const generationSchema = z.strictObject({
  data: datasetOptions.describe("Real data set that the model is trained on, and its options"),
  ...generationOptions.shape,
  gates: gateOptions
    .extend({
      judge: oneNetworkOptions
        .prefault({})
        .describe("Network that is trained on the real images and judges the pool's"),
    })
    .prefault({})
    .describe("What a pool must reach to be written"),
  engine: z.string().default("auto").describe("auto, torch or tfjs"),
});

/** What a pool is made by, every option resolved. */
export type Generation = z.infer<typeof generationSchema> & {
  /** Names the pool: the config's file name without extension. */
  readonly name: string;
};

/**
 * Reads how a pool is made from a YAML file, or from the config that comes along under this name, with overrides
 * `a.b=value` applied after it.
 *
 * @throws InputError as `readExperiment` does.
 */
export function readGeneration(path: string, overrides: readonly string[] = []): Generation {
  const name = basename(path).replace(/\.ya?ml$/, "");
  return resolveGeneration(name, parseYaml(configFile(path)), overrides, path);
}

/** How a pool is made, of a parsed config. */
export function resolveGeneration(
  name: string,
  config: unknown,
  overrides: readonly string[] = [],
  where = name,
): Generation {
  const options = parsed(where, generationSchema, overrides.reduce(applyOverride, config));
  checkGeneration(where, options);
  return { ...options, name };
}
