import type { Argv } from "yargs";
import { writeReport } from "../commands/report.ts";
import { baselineOption, print } from "./shared.ts";

export const reportCommand = (cli: Argv): Argv =>
  cli.command(
    "report [results]",
    "Write the page and the tables of a results folder",
    (command) =>
      command
        .positional("results", { type: "string", default: "results" })
        .option("baseline", baselineOption),
    async ({ results, baseline }) => {
      const { page, table } = await writeReport(results, { baseline });
      print(`${table}\n${page}`);
    },
  );
