import type { Argv } from "yargs";
import { check } from "../../src/core/errors.ts";
import { MERGE } from "../slurm/plan.ts";
import { slurmMerge, slurmTask } from "../slurm/task.ts";
import { engineFor, print, threadsOption } from "./shared.ts";

/** What the scripts of `sweep --slurm` call on the machines of the cluster; not listed among the commands. */
export const slurmTaskCommand = (cli: Argv): Argv =>
  cli.command(
    "slurm-task <submission> <phase> [index]",
    false,
    (command) =>
      command
        .positional("submission", {
          type: "string",
          demandOption: true,
          describe: "As results/slurm/SWEEP-1",
        })
        .positional("phase", {
          type: "string",
          demandOption: true,
          describe: `Phase of its plan, or ${MERGE}`,
        })
        .positional("index", { type: "number", describe: "Place of the task in the phase" })
        .option("threads", threadsOption),
    async ({ submission, phase, index, threads }) => {
      if (phase === MERGE) {
        print(await slurmMerge(submission));
        return;
      }
      check(
        index !== undefined,
        () => `slurm-task: expected the index of a task of phase ${phase}, got none`,
      );
      const cores = threads ?? coresOfJob();
      process.exitCode = await slurmTask(submission, phase, index!, (name) => engineFor(name, cores));
    },
  );

/** CPU cores that Slurm has given to this job; undefined outside of one. */
function coresOfJob(): number | undefined {
  const { SLURM_CPUS_PER_TASK, SLURM_CPUS_ON_NODE } = process.env;
  const cores = Number(SLURM_CPUS_PER_TASK ?? SLURM_CPUS_ON_NODE);
  return Number.isInteger(cores) && cores > 0 ? cores : undefined;
}
