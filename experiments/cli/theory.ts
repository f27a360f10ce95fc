import { join } from "node:path";
import type { Argv } from "yargs";
import { theory } from "../commands/theory.ts";
import { sizes, theoryOptions } from "../theory/options.ts";
import { theoryText } from "../theory/tables.ts";
import { print, resultsOption } from "./shared.ts";

export const theoryCommand = (cli: Argv): Argv =>
  cli.command(
    "theory [overrides..]",
    "The scaling law of data pruning: whether to keep easy or hard examples, by how many there are, in theory and simulated",
    (command) =>
      command
        .positional("overrides", {
          type: "string",
          array: true,
          describe: "key=value, as in angles=[0,20] fractions=[0.5] simulation.trials=100",
        })
        .option("size", {
          choices: sizes,
          default: "full" as const,
          describe: "full: the figures, some minutes on a core; small: seconds",
        })
        .option("results", resultsOption)
        .option("out", { type: "string", describe: "Folder for what is found; by default RESULTS/theory" }),
    async ({ overrides = [], size, results, out }) => {
      const folder = out ?? join(results, "theory");
      print(theoryText(await theory(theoryOptions(size, overrides), folder)));
      print(`\n${folder}`);
    },
  );
