import { join } from "node:path";
import yargs, { type Argv } from "yargs";
import { hideBin } from "yargs/helpers";
import { InputError, wholeNumber } from "../src/core/errors.ts";
import { datasets } from "../src/datasets/index.ts";
import { type Engine, engineReport, selectEngine } from "../src/engines/index.ts";
import { protocols, type ProtocolId } from "../src/evaluation/protocols.ts";
import { sizes } from "./bench/benchCase.ts";
import { benchCases } from "./bench/cases/index.ts";
import { runBench } from "./commands/bench.ts";
import { dataCommand } from "./commands/data.ts";
import { demoSizes, runDemo } from "./commands/demo.ts";
import { distillExperiment } from "./commands/distill.ts";
import { accuracyText, evaluateRun } from "./commands/evaluate.ts";
import { optionLines } from "./commands/options.ts";
import { writeReport } from "./commands/report.ts";
import { applyOverride, readExperiment } from "./config.ts";
import { readRun } from "./runFolder.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const resultsOption = {
  type: "string",
  default: "results",
  describe: "Folder of runs, rows and tables",
} as const;
const engineOption = { type: "string", describe: "auto, torch or tfjs; by default the config's" } as const;
const threadsOption = {
  type: "number",
  describe: "CPU threads of the torch engine; by default all cores",
} as const;

async function engineFor(name: string, threads: number | undefined): Promise<Engine> {
  const options = threads === undefined ? {} : { threads: wholeNumber("--threads", threads, 1) };
  const { engine, reason } = await selectEngine(name, options);
  print(`engine: ${reason}`);
  return engine;
}

const distillCommand = (cli: Argv): Argv =>
  cli.command(
    "distill <config> [overrides..]",
    "Distil and evaluate every seed of a config; what is done is kept, what was cut off goes on",
    (command) =>
      command
        .positional("config", { type: "string", demandOption: true, describe: "YAML file, as in configs/" })
        .positional("overrides", { type: "string", array: true, describe: "key=value, as in data.root=DIR" })
        .option("results", resultsOption)
        .option("engine", engineOption)
        .option("threads", threadsOption)
        .option("name", { type: "string", describe: "Name of the results; by default the config's" })
        .option("evaluate", { type: "boolean", default: true, describe: "Evaluate when distilled" })
        .option("force", { type: "boolean", default: false, describe: "Replace what is there" }),
    async ({ config, overrides = [], results, engine: asked, threads, name, evaluate, force }) => {
      const read = readExperiment(config, overrides);
      const experiment = { ...read, name: name ?? read.name };
      const engine = await engineFor(asked ?? experiment.engine, threads);
      for (const run of await distillExperiment(experiment, engine, { results, force })) {
        print(run.path);
        if (evaluate) print(`  ${accuracyText(await evaluateRun(run, engine, { force }))}`);
      }
    },
  );

const evaluateCommand = (cli: Argv): Argv =>
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

const describing = (cli: Argv): Argv =>
  cli
    .command(
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
    )
    .command(
      "options",
      "Every option of a config, with its default and meaning",
      () => {},
      () => {
        optionLines().forEach(print);
      },
    )
    .command(
      "engines",
      "Which engines work here, and why the others do not",
      () => {},
      async () => {
        for (const { name, available, detail } of await engineReport()) {
          print(`${available ? "✓" : "✗"} ${name.padEnd(14)} ${detail}`);
        }
      },
    );

const reportAndDemo = (cli: Argv): Argv =>
  cli
    .command(
      "report [results]",
      "Write the page and the tables of a results folder",
      (command) => command.positional("results", { type: "string", default: "results" }),
      ({ results }) => {
        const { page, table } = writeReport(results);
        print(`${table}\n${page}`);
      },
    )
    .command(
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
      async ({ size, engine, out, force }) =>
        runDemo(await selectEngine(engine), { size, out, force }, print),
    );

const benchCommand = (cli: Argv): Argv =>
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

/** Runs a command line. An InputError is one line; anything else keeps its stack. Either way the exit code is 1. */
export async function main(argv: readonly string[] = hideBin(process.argv)): Promise<void> {
  const cli = [distillCommand, evaluateCommand, describing, reportAndDemo, benchCommand].reduce(
    (parser, add) => add(parser),
    yargs(argv).scriptName("distillery"),
  );
  try {
    await cli
      .demandCommand(1, "Name a command.")
      .strict()
      .parserConfiguration({ "camel-case-expansion": false })
      .fail((message, error) => {
        throw error ?? new InputError(`${message} (distillery --help lists commands and options)`);
      })
      .parseAsync();
  } catch (error) {
    process.stderr.write(`${messageOf(error as Error)}\n`);
    process.exitCode = 1;
  }
}

/** One line for what the user can mend, the system's refusals among it; the stack for all else. */
function messageOf(error: Error): string | undefined {
  if (error instanceof InputError) return error.message;
  return "syscall" in error ? `the system refused: ${error.message}` : error.stack;
}
