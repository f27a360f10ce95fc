import type { Argv } from "yargs";
import { distillExperiment } from "../commands/distill.ts";
import { evaluateRun } from "../commands/evaluate.ts";
import { accuracyText } from "../commands/evaluationText.ts";
import { readExperiment } from "../config.ts";
import { engineFor, engineOption, preparedOption, print, resultsOption, threadsOption } from "./shared.ts";

export const distillCommand = (cli: Argv): Argv =>
  cli.command(
    "distill <config> [overrides..]",
    "Distil and evaluate every seed of a config; what is done is kept, what was cut off goes on",
    (command) =>
      command
        .positional("config", { type: "string", demandOption: true, describe: "YAML file, as in configs/" })
        .positional("overrides", { type: "string", array: true, describe: "key=value, as in data.root=DIR" })
        .option("results", resultsOption)
        .option("prepared", preparedOption)
        .option("engine", engineOption)
        .option("threads", threadsOption)
        .option("name", { type: "string", describe: "Name of the results; by default the config's" })
        .option("evaluate", { type: "boolean", default: true, describe: "Evaluate when distilled" })
        .option("force", { type: "boolean", default: false, describe: "Replace what is there" }),
    async ({ config, overrides = [], results, prepared, engine: asked, ...others }) => {
      const { threads, name, evaluate, force } = others;
      const read = readExperiment(config, overrides);
      const experiment = { ...read, name: name ?? read.name };
      const engine = await engineFor(asked ?? experiment.engine, threads);
      for (const run of await distillExperiment(experiment, engine, { results, prepared, force })) {
        print(run.path);
        if (evaluate) print(`  ${accuracyText(await evaluateRun(run, engine, { force }))}`);
      }
    },
  );
