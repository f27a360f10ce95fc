import { join } from "node:path";
import type { Argv } from "yargs";
import { check } from "../../src/core/errors.ts";
import { showStatus, submitSweep } from "../commands/slurm.ts";
import { phasesOfSweep, runSweep } from "../commands/sweep.ts";
import { planSweep } from "../commands/sweepPlan.ts";
import { readSweep } from "../sweep/expand.ts";
import { findTask, performTask } from "../sweep/work.ts";
import { phaseNames } from "../tasks.ts";
import { engineOption, preparedOption, print } from "./shared.ts";
import { jobOptionsOf, slurmOptions } from "./slurmOptions.ts";

/** The command's arguments. */
const described = (command: Argv) =>
  command
    .positional("file", {
      type: "string",
      demandOption: true,
      describe: "YAML file, as in configs/sweeps/",
    })
    .positional("overrides", {
      type: "string",
      array: true,
      describe: "For every cell, as data.root=DIR; of an axis its values, as data.imbalance=[1,10]",
    })
    .option("results", {
      type: "string",
      describe: "Folder of runs, rows and tables; by default results/NAME",
    })
    .option("prepared", preparedOption)
    .option("plan", {
      type: "boolean",
      default: false,
      describe: "Show the runs, and the time, memory and disk that they need, measured by a few steps",
    })
    .option("jobs", { type: "number", default: 1, describe: "Runs at a time" })
    .option("threads", {
      type: "number",
      describe: "CPU threads of all runs together; by default all cores",
    })
    .option("engine", engineOption)
    .option("spread", {
      type: "boolean",
      default: false,
      describe: "Make each evaluation network a task of its own, for more jobs than runs",
    })
    .option("phase", { choices: phaseNames, describe: "Do the tasks of this phase alone" })
    .option("task", {
      type: "string",
      describe: "Do this task in this process, as schedulers ask for it: dm_imbalance-50/seed-0",
    })
    .options(slurmOptions);

export const sweepCommand = (cli: Argv): Argv =>
  cli.command(
    "sweep <file> [overrides..]",
    "Run a grid of experiments; what is done is kept, what was cut off goes on",
    described,
    async ({ file, overrides = [], task: id, plan, ...given }) => {
      checkOneOf({ plan, status: given.status, slurm: given.slurm, task: id !== undefined });
      const sweep = readSweep(file, overrides);
      const { results = join("results", sweep.name), prepared = join(results, "prepared") } = given;
      const { jobs, threads, spread, engine, phase } = given;
      const jobOptions = jobOptionsOf(given);
      if (given.slurm || given.status) {
        const asked = {
          file,
          overrides,
          sweep,
          results,
          prepared,
          spread,
          engine,
          jobs: jobOptions,
        };
        if (given.status) showStatus(asked, given.json, print);
        else submitSweep(asked, given["dry-run"], print);
        return;
      }
      const options = { results, prepared, jobs, threads, spread, engine, phase };
      const asked = { file, overrides, sweep };
      if (plan) {
        await planSweep(asked, options, print);
        return;
      }
      if (id === undefined) {
        if (!(await runSweep(asked, options, print))) process.exitCode = 1;
        return;
      }
      const task = findTask(phasesOfSweep(sweep, options), id);
      process.exitCode = await performTask(task, { engine, threads }, print);
    },
  );

/** Each of these does something else with a sweep. */
function checkOneOf(asked: Readonly<Record<string, boolean>>): void {
  const names = Object.keys(asked).filter((name) => asked[name]);
  check(
    names.length < 2,
    () => `sweep: expected one of ${names.map((name) => `--${name}`).join(" and ")}, got ${names.length}`,
  );
}
