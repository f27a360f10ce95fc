import { join } from "node:path";
import type { Argv } from "yargs";
import { selectEngine } from "../../src/engines/index.ts";
import { demoSizes, runDemo } from "../commands/demo.ts";
import { print } from "./shared.ts";

export const demoCommand = (cli: Argv): Argv =>
  cli.command(
    "demo",
    "Distil a generated long-tailed data set with several methods side by side",
    (command) =>
      command
        .option("size", {
          choices: demoSizes,
          default: "full" as const,
          describe: "small is for a quick check",
        })
        .option("engine", { type: "string", default: "auto" })
        .option("out", { type: "string", default: join("results", "demo"), describe: "Where results go" })
        .option("force", { type: "boolean", default: false, describe: "Start anew" }),
    async ({ size, engine, out, force }) => runDemo(await selectEngine(engine), { size, out, force }, print),
  );
