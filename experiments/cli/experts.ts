import { join } from "node:path";
import type { Argv } from "yargs";
import { makeExperts, nothingToMake } from "../commands/experts.ts";
import { readExperiment } from "../config.ts";
import { allPreparedFor } from "../preparation.ts";
import { checkNoSweep } from "../sweep/expand.ts";
import { engineFor, engineOption, preparedOption, print, resultsOption, threadsOption } from "./shared.ts";

export const expertsCommand = (cli: Argv): Argv =>
  cli.command(
    "experts <config> [overrides..]",
    "Make what a config's runs share, as expert trajectories, and nothing else; what is there is kept",
    (command) =>
      command
        .positional("config", { type: "string", demandOption: true, describe: "YAML file, as in configs/" })
        .positional("overrides", { type: "string", array: true, describe: "key=value, as in data.root=DIR" })
        .option("results", resultsOption)
        .option("prepared", preparedOption)
        .option("engine", engineOption)
        .option("threads", threadsOption),
    async ({
      config,
      overrides = [],
      results,
      prepared = join(results, "prepared"),
      engine: asked,
      threads,
    }) => {
      checkNoSweep(config);
      const experiment = readExperiment(config, overrides);
      if (allPreparedFor(prepared, experiment).length === 0) {
        print(nothingToMake(experiment));
        return;
      }
      const engine = await engineFor(asked ?? experiment.engine, threads);
      await makeExperts(experiment, engine, { prepared }, print);
    },
  );
