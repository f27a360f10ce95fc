import { check } from "../../src/core/errors.ts";
import type { SlurmOptions } from "../slurm/options.ts";

/** Options of `sweep` for Slurm. Those of a job can also stand in the sweep file, under `slurm`. */
export const slurmOptions = {
  slurm: {
    type: "boolean",
    default: false,
    describe: "Submit to Slurm what is neither done nor in its queue",
  },
  "dry-run": { type: "boolean", default: false, describe: "With --slurm: write and show the scripts only" },
  status: { type: "boolean", default: false, describe: "Say what every task is at, here or on Slurm" },
  json: { type: "boolean", default: false, describe: "With --status: for programs" },
  partition: { type: "string", describe: "Slurm: partition" },
  time: {
    type: "string",
    describe: "Slurm: time limit of a task, as 2-12:00:00; longer ones go on after it",
  },
  gpus: { type: "string", describe: "Slurm: GPUs of a task, as 1 or a100:1" },
  cpus: { type: "number", describe: "Slurm: CPU cores of a task" },
  mem: { type: "string", describe: "Slurm: memory of a task, as 16G" },
  throttle: { type: "number", describe: "Slurm: tasks at once at most" },
  requeue: {
    type: "boolean",
    describe: "Slurm: stopped tasks go back to the queue; yes unless --no-requeue",
  },
  account: { type: "string", describe: "Slurm: account" },
  qos: { type: "string", describe: "Slurm: quality of service" },
  constraint: { type: "string", describe: "Slurm: features of the node, as a100|h100" },
  exclude: { type: "string", describe: "Slurm: nodes to stay away from" },
  signal: { type: "number", describe: "Slurm: seconds before the time limit at which a task saves; 120" },
  report: { type: "boolean", describe: "Slurm: a last job writes the report; yes unless --no-report" },
  sbatch: { type: "string", array: true, describe: 'Slurm: more for sbatch, as --sbatch="--gres=shard:1"' },
} as const;

const JOB = [
  ...(["partition", "time", "gpus", "cpus", "mem", "throttle", "requeue", "account", "qos"] as const),
  ...(["constraint", "exclude", "signal", "report", "sbatch"] as const),
] satisfies (keyof SlurmOptions)[];

/**
 * What the command line says of jobs.
 *
 * @throws InputError for options of Slurm without --slurm: whoever gives them does not want the sweep to run here.
 */
export function jobOptionsOf(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const stray =
    JOB.find((name) => given[name] !== undefined) ?? (given["dry-run"] === true ? "dry-run" : undefined);
  check(
    stray === undefined || given.slurm === true,
    () => `--${stray!}: expected --slurm beside it; without, the sweep would run on this machine`,
  );
  return Object.fromEntries(JOB.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}
