import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check } from "../../src/core/errors.ts";
import { writeWhole } from "../files.ts";
import { phaseNames } from "../tasks.ts";
import { ask, slurm } from "./call.ts";
import {
  type ArrayJob,
  MERGE,
  newSubmissionFolder,
  phasesOfSweep,
  type Plan,
  type SlurmSweep,
  submissionsOf,
  writeJobs,
  writePlan,
} from "./plan.ts";
import { isAlive, type Queued, queueOf } from "./queue.ts";
import { PASSED, type Program, quoted, scriptOf } from "./script.ts";
import { keyOf, submittedTasks } from "./submitted.ts";

export interface Submitted {
  /** The submission's folder; undefined where nothing was open. */
  readonly path?: string;
  /** The calls of sbatch, in order, as one would type them. */
  readonly commands: readonly string[];
  /** Slurm's number of each script's job; empty for a dry run. */
  readonly jobs: Readonly<Record<string, string>>;
  readonly counts: Counts;
}

export interface Counts {
  readonly submitted: number;
  readonly done: number;
  readonly queued: number;
}

/** Array indices below this are allowed where Slurm does not say otherwise (MaxArraySize). */
const ARRAY_SIZE = 1001;

/**
 * Submits what of a sweep is neither done nor in the queue: a job array for each phase, which waits for the one before,
 * and a job that gathers. If Slurm refuses any of it, all of it is taken back.
 *
 * @param options.dry writes the scripts and submits nothing.
 * @throws InputError without Slurm, and with Slurm's own words if it refuses.
 */
export function submit(sweep: SlurmSweep, { dry = false } = {}): Submitted {
  const queue = queueOf(jobNames(sweep));
  check(dry || queue.error === undefined, () => queue.error!);
  const waiting = submittedTasks(submissionsOf(sweep.results, sweep.name), queue.jobs.filter(isAlive));
  const covered = coverage(waiting);
  const phases = phasesOfSweep(sweep);
  const size = dry ? ARRAY_SIZE : arraySize();
  const arrays = phases.flatMap(({ name, tasks }) => {
    const open = tasks.flatMap((task, index) => (task.isDone() || covered(name, task.id) ? [] : [index]));
    return arraysOf(name, open, size);
  });
  const submitted = arrays.reduce((sum, { indices }) => sum + indices.length, 0);
  const all = phases.flatMap(({ name, tasks }) => tasks.map(({ id }) => covered(name, id)));
  const queued = all.filter(Boolean).length;
  const counts = { submitted, queued, done: all.length - queued - submitted };
  if (submitted === 0) return { commands: [], jobs: {}, counts };
  if (sweep.options.report) arrays.push({ script: `${MERGE}.sbatch`, phase: MERGE, first: 0, indices: [] });
  const plan: Plan = {
    ...sweep,
    phases: phases.map(({ name, tasks }) => ({ name, tasks: tasks.map(({ id }) => id) })),
    arrays,
    folder: process.cwd(),
  };
  return { ...send(plan, earlierJobs(waiting), dry), counts };
}

/** Whether a task is in the queue: as itself, or within the whole of its run where the other submission was not spread. */
function coverage(waiting: ReadonlyMap<string, Queued>): (phase: string, id: string) => boolean {
  const keys = [...waiting.keys()];
  const runs = new Set(
    keys.map((key) => key.replace(/^(?:run|distill|evaluate) (.*?)(?:\/network-\d+)?$/, "whole $1")),
  );
  return (phase, id) =>
    waiting.has(keyOf(phase, id)) ||
    waiting.has(keyOf("run", id.replace(/\/network-\d+$/, ""))) ||
    (phase === "run" && runs.has(keyOf("whole", id)));
}

/** Jobs of earlier submissions that are still in the queue, by their phase. */
function earlierJobs(waiting: ReadonlyMap<string, Queued>): Map<string, string[]> {
  const jobs = new Map<string, string[]>();
  for (const [key, { array }] of waiting) {
    const phase = key.split(" ", 1)[0]!;
    jobs.set(phase, [...new Set([...(jobs.get(phase) ?? []), array])]);
  }
  return jobs;
}

/** All phases in their order. */
const PHASES: readonly string[] = [...phaseNames, MERGE];

/** Names of all jobs that a sweep may have. */
export function jobNames({ name }: Pick<SlurmSweep, "name">): string[] {
  return PHASES.map((phase) => `${name}.${phase}`);
}

/** A phase's tasks as arrays, each with indices below `size`. */
export function arraysOf(phase: string, indices: readonly number[], size: number): ArrayJob[] {
  const parts = new Map<number, number[]>();
  for (const index of indices) {
    const part = Math.floor(index / size);
    parts.set(part, [...(parts.get(part) ?? []), index % size]);
  }
  return [...parts].map(([part, within], i) => ({
    script: i === 0 ? `${phase}.sbatch` : `${phase}-${i + 1}.sbatch`,
    phase,
    first: part * size,
    indices: within,
  }));
}

function arraySize(): number {
  const given = /MaxArraySize\s*=\s*(\d+)/.exec(slurm("scontrol", ["show", "config"]))?.[1];
  return given === undefined ? ARRAY_SIZE : Number(given);
}

/** Writes the folder, then calls sbatch for each of its scripts. */
function send(
  plan: Plan,
  earlier: ReadonlyMap<string, readonly string[]>,
  dry: boolean,
): Omit<Submitted, "counts"> {
  const path = newSubmissionFolder(plan);
  const jobs: Record<string, string> = {};
  const commands: string[] = [];
  try {
    writePlan(path, plan);
    for (const array of plan.arrays)
      writeWhole(join(path, array.script), scriptOf(plan, array, path, program()));
    for (const [place, array] of plan.arrays.entries()) {
      const before = [
        ...predecessors(plan, place).map((script) => jobs[script] ?? `$${variable(script)}`),
        ...PHASES.slice(0, PHASES.indexOf(array.phase)).flatMap((phase) => earlier.get(phase) ?? []),
      ];
      const script = join(path, array.script);
      const given = ["--parsable", ...dependencyOn(before)];
      commands.push(`${variable(array.script)}=$(sbatch ${given.join(" ")} ${quoted(script)})`);
      // The name of the cluster may follow the number.
      if (!dry)
        jobs[array.script] = slurm("sbatch", [...given, script])
          .trim()
          .split(";", 1)[0]!;
    }
    if (dry)
      writeWhole(join(path, "submit.sh"), ["#!/usr/bin/env bash", "set -e", ...commands, ""].join("\n"));
    else writeJobs(path, jobs);
  } catch (error) {
    if (Object.keys(jobs).length > 0) ask("scancel", Object.values(jobs));
    rmSync(path, { recursive: true, force: true });
    throw error;
  }
  return { path, commands, jobs };
}

/** Name of the shell's variable for the number of a script's job. */
const variable = (script: string): string => script.replace(/\.sbatch$/, "").replaceAll("-", "_");

/** An array starts when these have ended, however that was: a run that failed must not hold up the others. */
const dependencyOn = (jobs: readonly string[]): string[] =>
  jobs.length === 0 ? [] : [`--dependency=afterany:${jobs.join(":")}`, "--kill-on-invalid-dep=yes"];

/**
 * Scripts whose jobs must have ended before an array may start: those of the phase before; with a throttle also the
 * phase's own earlier arrays, or each would have as many tasks at once; for the job that gathers, all.
 */
function predecessors({ arrays, options }: Plan, place: number): string[] {
  const { phase } = arrays[place]!;
  const before = arrays.slice(0, place);
  if (phase === MERGE) return before.map(({ script }) => script);
  const last = before.findLast((array) => array.phase !== phase)?.phase;
  const own = options.throttle === undefined ? [] : before.filter((array) => array.phase === phase).slice(-1);
  return [...before.filter((array) => array.phase === last), ...own].map(({ script }) => script);
}

/** This program, started the same way on another machine that sees the same files. */
function program(): Program {
  const environment = Object.fromEntries(
    PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  return {
    node: process.execPath,
    distillery: fileURLToPath(new URL("../distillery.mjs", import.meta.url)),
    folder: process.cwd(),
    environment,
  };
}
