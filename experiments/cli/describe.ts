import type { Argv } from "yargs";
import { datasets } from "../../src/datasets/index.ts";
import { engineReport } from "../../src/engines/index.ts";
import { dataCommand } from "../commands/data.ts";
import { optionLines } from "../commands/options.ts";
import { applyOverride } from "../config.ts";
import { generationSchema } from "../generation/options.ts";
import { print } from "./shared.ts";

export const describeData = (cli: Argv): Argv =>
  cli.command(
    "data <name> [overrides..]",
    "What is there of a data set: classes, counts, means, long tails; with --fetch, download it",
    (command) =>
      command
        .positional("name", { choices: Object.keys(datasets), demandOption: true })
        .positional("overrides", {
          type: "string",
          array: true,
          describe: "key=value, as in testFraction=0.2",
        })
        .option("root", { type: "string", default: "data", describe: "Folder that holds it" })
        .option("fetch", {
          type: "boolean",
          default: false,
          describe: "Download it from its official address",
        }),
    ({ overrides = [], ...given }) => {
      const options = overrides.reduce(applyOverride, {}) as Record<string, unknown>;
      return dataCommand({ ...given, options }, print);
    },
  );

export const optionsCommand = (cli: Argv): Argv =>
  cli.command(
    "options [command]",
    "Every option of a config, with its default and meaning",
    (command) =>
      command.positional("command", {
        choices: ["distill", "generate"] as const,
        default: "distill" as const,
        describe: "Whose configs",
      }),
    ({ command }) => {
      optionLines(command === "generate" ? generationSchema : undefined).forEach(print);
    },
  );

export const enginesCommand = (cli: Argv): Argv =>
  cli.command(
    "engines",
    "Which engines work here, and why the others do not",
    () => {},
    async () => {
      for (const { name, available, detail } of await engineReport()) {
        print(`${available ? "✓" : "✗"} ${name.padEnd(14)} ${detail}`);
      }
    },
  );
