import type { Argv } from "yargs";
import { check } from "../../src/core/errors.ts";
import { watchCommand as watch } from "../commands/watch.ts";
import { baselineOption, print } from "./shared.ts";

export const watchCommand = (cli: Argv): Argv =>
  cli.command(
    "watch [results]",
    "Serve the page of a results folder to this machine, refreshed while runs go on",
    (command) =>
      command
        .positional("results", { type: "string", default: "results", describe: "Folder of runs" })
        .option("port", { type: "number", describe: "By default 8765, or the next that is free" })
        .option("host", {
          type: "string",
          default: "127.0.0.1",
          describe: "Address to listen at; 0.0.0.0 lets others on the network read the page",
        })
        .option("baseline", baselineOption),
    async ({ results, port, host, baseline }) => {
      check(
        port === undefined || (Number.isInteger(port) && port >= 0 && port < 2 ** 16),
        () => `--port: expected a whole number from 0 (any that is free) to 65535, got ${port}`,
      );
      await watch(results, { host, port, baseline }, print);
    },
  );
