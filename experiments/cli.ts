import yargs, { type Argv } from "yargs";
import { hideBin } from "yargs/helpers";
import { InputError } from "../src/core/errors.ts";
import { benchCommand } from "./cli/bench.ts";
import { continualCommand } from "./cli/continual.ts";
import { demoCommand } from "./cli/demo.ts";
import { diagnoseCommand } from "./cli/diagnose.ts";
import { difficultyCommand } from "./cli/difficulty.ts";
import { describeData, enginesCommand, optionsCommand } from "./cli/describe.ts";
import { distillCommand } from "./cli/distill.ts";
import { evaluateCommand } from "./cli/evaluate.ts";
import { expertsCommand } from "./cli/experts.ts";
import { exportCommand } from "./cli/export.ts";
import { rankCommand } from "./cli/rank.ts";
import { mapCommand } from "./cli/map.ts";
import { generateCommand } from "./cli/generate.ts";
import { reportCommand } from "./cli/report.ts";
import { reproduceCommand } from "./cli/reproduce.ts";
import { sweepCommand } from "./cli/sweep.ts";
import { theoryCommand } from "./cli/theory.ts";
import { watchCommand } from "./cli/watch.ts";
import { slurmTaskCommand } from "./cli/slurmTask.ts";
import { standardError } from "./screen.ts";

/** Each adds a command with its options; the work is done in `commands/`. */
const commands: readonly ((cli: Argv) => Argv)[] = [
  distillCommand,
  expertsCommand,
  sweepCommand,
  evaluateCommand,
  rankCommand,
  continualCommand,
  diagnoseCommand,
  difficultyCommand,
  theoryCommand,
  mapCommand,
  exportCommand,
  generateCommand,
  reproduceCommand,
  reportCommand,
  watchCommand,
  describeData,
  optionsCommand,
  enginesCommand,
  demoCommand,
  benchCommand,
  slurmTaskCommand,
];

/** Runs a command line. An InputError is one line; anything else keeps its stack. Either way the exit code is 1. */
export async function main(argv: readonly string[] = hideBin(process.argv)): Promise<void> {
  const cli = commands.reduce((parser, add) => add(parser), yargs(argv).scriptName("distillery"));
  try {
    await cli
      .demandCommand(1, "Name a command.")
      .strict()
      .middleware(checkOnce, true)
      .parserConfiguration({ "camel-case-expansion": false })
      .fail((message, error) => {
        throw error ?? new InputError(`${message} (distillery --help lists commands and options)`);
      })
      .parseAsync();
  } catch (error) {
    standardError.leave();
    process.stderr.write(`${messageOf(error as Error)}\n`);
    process.exitCode = 1;
  }
}

/** Arguments that take several values. */
const lists = new Set(["_", "overrides", "paths", "sets", "configs", "cases", "sbatch"]);

/** An option that is given twice would be a list where its command expects one value. */
function checkOnce(given: Readonly<Record<string, unknown>>): void {
  const twice = Object.entries(given).find(([name, value]) => Array.isArray(value) && !lists.has(name));
  if (twice)
    throw new InputError(`--${twice[0]}: expected one value, got ${(twice[1] as unknown[]).join(" and ")}`);
}

/** One line for what the user can mend, the system's refusals among it; the stack for all else. */
function messageOf(error: Error): string | undefined {
  if (error instanceof InputError) return error.message;
  return "syscall" in error ? `the system refused: ${error.message}` : error.stack;
}
