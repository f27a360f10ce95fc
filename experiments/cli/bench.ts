import type { Argv } from "yargs";
import { sizes } from "../bench/benchCase.ts";
import { benchCases } from "../bench/cases/index.ts";
import { runBench } from "../commands/bench.ts";
import { print } from "./shared.ts";

export const benchCommand = (cli: Argv): Argv =>
  cli.command(
    "bench [cases..]",
    "Time our steps and the same steps in PyTorch, in turn: docs/performance.md",
    (command) =>
      command
        .positional("cases", {
          type: "string",
          array: true,
          describe: `Some of ${Object.keys(benchCases).join(", ")}; by default all`,
        })
        .option("json", { type: "boolean", default: false, describe: "Print JSON, and nothing else" })
        .option("size", { choices: sizes, default: "full" as const, describe: "small is for a quick check" })
        .option("pairs", { type: "number", describe: "Timed runs of each; by default 7, of small ones 3" })
        .option("engine", { type: "string", default: "auto", describe: "auto, torch or tfjs" })
        .option("threads", { type: "number", describe: "CPU threads of each process; by default all cores" })
        .option("out", {
          type: "string",
          describe: "File of rows; by default results/bench.csv, of small sizes none",
        }),
    async ({ cases = [], json, size, pairs, engine, threads, out }) => {
      const agreed = await runBench({ cases, json, size, pairs, engine, threads, out }, print);
      if (!agreed) process.exitCode = 1;
    },
  );
