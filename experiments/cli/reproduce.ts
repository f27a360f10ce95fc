import { join } from "node:path";
import type { Argv } from "yargs";
import { InputError } from "../../src/core/errors.ts";
import { configText, listLines, reproduce, writeReproduced } from "../commands/reproduce.ts";
import { readPublished } from "../published.ts";
import { cellOf, experimentOf, readCells } from "../reproduction/cells.ts";
import { engineFor, engineOption, preparedOption, print, resultsOption, threadsOption } from "./shared.ts";

export const reproduceCommand = (cli: Argv): Argv =>
  cli.command(
    "reproduce [cell] [overrides..]",
    "Make a published number again by its protocol, and say whether it agrees",
    (command) =>
      command
        .positional("cell", {
          type: "string",
          describe: "As in dm-cifar10-ipc10; with --list, words to find",
        })
        .positional("overrides", { type: "string", array: true, describe: "key=value, as in data.root=DIR" })
        .option("list", { type: "boolean", default: false, describe: "Show the cells there are" })
        .option("quick", {
          type: "boolean",
          default: false,
          describe: "A look in minutes whether all works; gives no verdict",
        })
        .option("config", { type: "boolean", default: false, describe: "Print the cell's config and stop" })
        .option("force", { type: "boolean", default: false, describe: "Start anew" })
        .option("results", { ...resultsOption, default: undefined, defaultDescription: "results" })
        .option("prepared", preparedOption)
        .option("engine", engineOption)
        .option("threads", threadsOption),
    async ({ cell: name, overrides = [], list, quick, config, results, force, ...others }) => {
      const published = readPublished();
      const cells = readCells({ published });
      if (list) {
        listLines(name === undefined ? [] : [name, ...overrides], cells, published).forEach(print);
        return;
      }
      if (name === undefined) {
        throw new InputError("reproduce: expected a cell, as dm-cifar10-ipc10; --list shows all");
      }
      const cell = cellOf(name, cells, published);
      const experiment = experimentOf(cell, overrides, quick);
      if (config) {
        print(configText(cell, experiment).trimEnd());
        return;
      }
      const folder = results ?? (quick ? join("results", "quick") : "results");
      const engine = await engineFor(others.engine ?? experiment.engine, others.threads);
      await reproduce(
        { cell, experiment, published, quick, results: folder, prepared: others.prepared, force },
        engine,
        print,
      );
      if (!quick) print(writeReproduced(folder, cells.values(), published));
    },
  );
