import type { Argv } from "yargs";
import { protocols, type ProtocolId } from "../../src/evaluation/protocols.ts";
import { accuracyText, evaluateRun } from "../commands/evaluate.ts";
import { readRun } from "../runFolder.ts";
import { engineFor, engineOption, print, threadsOption } from "./shared.ts";

export const evaluateCommand = (cli: Argv): Argv =>
  cli.command(
    "evaluate <run>",
    "Train fresh networks on a run's images and test them",
    (command) =>
      command
        .positional("run", {
          type: "string",
          demandOption: true,
          describe: "Folder, as results/runs/NAME/seed-0",
        })
        .option("protocol", {
          choices: Object.keys(protocols) as ProtocolId[],
          describe: "How they are trained",
        })
        .option("networks", { type: "number", describe: "How many" })
        .option("engine", engineOption)
        .option("threads", threadsOption)
        .option("force", { type: "boolean", default: false, describe: "Train again those that have a row" }),
    async ({ run: path, protocol, networks, engine: asked, threads, force }) => {
      const run = readRun(path);
      const engine = await engineFor(asked ?? run.experiment.engine, threads);
      print(accuracyText(await evaluateRun(run, engine, { protocol, networks, force })));
    },
  );
