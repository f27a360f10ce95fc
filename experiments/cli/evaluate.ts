import type { Argv } from "yargs";
import { check } from "../../src/core/errors.ts";
import { protocols, type ProtocolId } from "../../src/evaluation/protocols.ts";
import { accuracyText, evaluateForeign, evaluateRun } from "../commands/evaluate.ts";
import { isRun, readRun } from "../runFolder.ts";
import { engineFor, engineOption, print, threadsOption } from "./shared.ts";

export const evaluateCommand = (cli: Argv): Argv =>
  cli.command(
    "evaluate <path> [overrides..]",
    "Train fresh networks on a run's images, or on any synthetic set, and test them",
    (command) =>
      command
        .positional("path", {
          type: "string",
          demandOption: true,
          describe: "Run, exported folder, safetensors or npz file, or folder of images by class",
        })
        .positional("overrides", {
          type: "string",
          array: true,
          describe: "key=value, as in evaluation.network.norm=batch",
        })
        .option("protocol", {
          choices: Object.keys(protocols) as ProtocolId[],
          describe: "How they are trained",
        })
        .option("networks", { type: "number", describe: "How many" })
        .option("data", {
          type: "string",
          describe: "Real data set that judges a set without a card, as in --data cifar10 data.root=DIR",
        })
        .option("results", {
          type: "string",
          describe: "Results folder that keeps the rows of a set that is no run's",
        })
        .option("name", { type: "string", describe: "What such a set is called there" })
        .option("engine", engineOption)
        .option("threads", threadsOption)
        .option("force", { type: "boolean", default: false, describe: "Train again those that have a row" }),
    async ({ path, overrides = [], engine: asked, threads, data, results, name, ...options }) => {
      if (isRun(path)) {
        const given = Object.entries({ data, results, name }).find(([, value]) => value !== undefined);
        check(
          given === undefined,
          () => `--${given![0]}: expected none, as ${path} is a run and knows its own`,
        );
        const run = readRun(path, overrides);
        const engine = await engineFor(asked ?? run.experiment.engine, threads);
        print(accuracyText(await evaluateRun(run, engine, options)));
        return;
      }
      const engine = await engineFor(asked ?? "auto", threads);
      const { rows, notes } = await evaluateForeign(path, engine, {
        ...options,
        overrides,
        data,
        results,
        name,
      });
      print(accuracyText(rows));
      notes.forEach(print);
    },
  );
