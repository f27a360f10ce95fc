import type { Argv } from "yargs";
import { writeReport } from "../commands/report.ts";
import { print } from "./shared.ts";

export const reportCommand = (cli: Argv): Argv =>
  cli.command(
    "report [results]",
    "Write the page and the tables of a results folder",
    (command) => command.positional("results", { type: "string", default: "results" }),
    async ({ results }) => {
      const { page, table } = await writeReport(results);
      print(`${table}\n${page}`);
    },
  );
