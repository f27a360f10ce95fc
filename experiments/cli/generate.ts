import type { Argv } from "yargs";
import { generate } from "../commands/generate.ts";
import { readGeneration } from "../generation/options.ts";
import { engineFor, engineOption, preparedOption, print, resultsOption, threadsOption } from "./shared.ts";

export const generateCommand = (cli: Argv): Argv =>
  cli.command(
    "generate <config> [overrides..]",
    "Train a small diffusion model and sample a pool of images to choose from; what was cut off goes on",
    (command) =>
      command
        .positional("config", {
          type: "string",
          demandOption: true,
          describe: "YAML file, as in configs/generate-procedural.yaml",
        })
        .positional("overrides", {
          type: "string",
          array: true,
          describe: "key=value, as in sampling.guidance=1.5",
        })
        .option("results", resultsOption)
        .option("prepared", preparedOption)
        .option("engine", engineOption)
        .option("threads", threadsOption)
        .option("name", { type: "string", describe: "Name of the pool; by default the config's" })
        .option("plan", { type: "boolean", default: false, describe: "Only measure and say what it takes" })
        .option("ungated", {
          type: "boolean",
          default: false,
          describe: "Write the pool even if it fails a gate, and say so in pool.json",
        })
        .option("force", { type: "boolean", default: false, describe: "Replace a pool of this name" }),
    async ({ config, overrides = [], engine: asked, threads, name, ...options }) => {
      const read = readGeneration(config, overrides);
      const generation = { ...read, name: name ?? read.name };
      const engine = await engineFor(asked ?? generation.engine, threads);
      const pool = await generate(generation, engine, options, print);
      if (pool) print(pool.path);
    },
  );
