import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { check, InputError } from "../../src/core/errors.ts";
import type { Experiment } from "../config.ts";
import { writeWhole } from "../files.ts";
import { type Phase, phasesOf } from "../tasks.ts";
import type { SlurmOptions } from "./options.ts";

/** A sweep as Slurm gets it: everything resolved, so that no later change of a file changes what task 7 is. */
export interface SlurmSweep {
  readonly name: string;
  /** The file it was read from, its text, and what the command line changed in it: for people. */
  readonly file: string;
  readonly text: string;
  readonly overrides: readonly string[];
  readonly experiments: readonly Experiment[];
  /** Results folder, absolute. */
  readonly results: string;
  /** Folder of what runs share, absolute. */
  readonly prepared: string;
  readonly spread: boolean;
  /** Instead of the experiments' own. */
  readonly engine?: string | undefined;
  readonly options: SlurmOptions;
}

/** A job array, or the single job that gathers. */
export interface ArrayJob {
  /** Its script in the submission's folder, as "run.sbatch". */
  readonly script: string;
  readonly phase: string;
  /** Place of array index 0 in the phase's list of tasks. Slurm limits indices, so a long phase has several arrays. */
  readonly first: number;
  /** Array indices that were submitted; none of the job that gathers. */
  readonly indices: readonly number[];
}

/** One call of `--slurm`, kept as plan.json in a folder of its own. */
export interface Plan extends SlurmSweep {
  /** Ids of all tasks, in the order of their indices, those done before among them. */
  readonly phases: readonly { readonly name: string; readonly tasks: readonly string[] }[];
  readonly arrays: readonly ArrayJob[];
  /** Working folder, from which relative paths are meant. */
  readonly folder: string;
}

/**
 * A submission's folder:
 *
 *     results/slurm/SWEEP-1/
 *       plan.json        the sweep resolved, its tasks, and which of them were submitted
 *       run.sbatch       a script for each job array, to read and to submit by hand
 *       merge.sbatch     the job that gathers rows and writes the report
 *       jobs.json        Slurm's number of each
 *       submit.sh        the calls of sbatch, of a dry run alone, which has no jobs.json
 *       logs/            what they printed, PHASE-ARRAY_INDEX.log
 *       attempts/        when each task was started, and how that ended
 */
export interface Submission {
  readonly path: string;
  readonly plan: Plan;
}

/** Name of the job that gathers, in place of a phase's. */
export const MERGE = "merge";

export const logsOf = (path: string): string => join(path, "logs");
const planFile = (path: string): string => join(path, "plan.json");
const jobsFile = (path: string): string => join(path, "jobs.json");

/** The phases of a sweep. */
export function phasesOfSweep(sweep: SlurmSweep): Phase[] {
  return phasesOf(sweep.experiments, sweep);
}

/** Makes the folder of a new submission: SWEEP-1, SWEEP-2, … */
export function newSubmissionFolder({ results, name }: SlurmSweep): string {
  const root = join(results, "slurm");
  mkdirSync(root, { recursive: true });
  for (let number = 1; ; number++) {
    const path = join(root, `${name}-${number}`);
    try {
      mkdirSync(path);
      mkdirSync(logsOf(path));
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

export function writePlan(path: string, plan: Plan): void {
  writeWhole(planFile(path), `${JSON.stringify(plan, null, 2)}\n`);
}

/** @throws InputError if there is no submission in this folder. */
export function readSubmission(path: string): Submission {
  check(
    existsSync(planFile(path)),
    () => `${path}: expected the folder of a submission, with plan.json in it, as in results/slurm/SWEEP-1`,
  );
  return { path: resolve(path), plan: JSON.parse(readFileSync(planFile(path), "utf8")) as Plan };
}

/** Submissions of a sweep, the oldest first. */
export function submissionsOf(results: string, name: string): Submission[] {
  const root = join(results, "slurm");
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((folder) => folder.startsWith(`${name}-`) && /^\d+$/.test(folder.slice(name.length + 1)))
    .sort((a, b) => Number(a.slice(name.length + 1)) - Number(b.slice(name.length + 1)))
    .map((folder) => join(root, folder))
    .filter((path) => existsSync(planFile(path)))
    .map(readSubmission);
}

/** Slurm's number of each script's job. */
export type Jobs = Readonly<Record<string, string>>;

export function writeJobs(path: string, jobs: Jobs): void {
  writeWhole(jobsFile(path), `${JSON.stringify(jobs, null, 2)}\n`);
}

export function readJobs(path: string): Jobs {
  return existsSync(jobsFile(path)) ? (JSON.parse(readFileSync(jobsFile(path), "utf8")) as Jobs) : {};
}

/** Id of the task that an array's index stands for. */
export function taskAt(plan: Plan, array: ArrayJob, index: number): string {
  const id = plan.phases.find(({ name }) => name === array.phase)?.tasks[array.first + index];
  if (id === undefined) throw new InputError(`${array.script}: expected an index of the plan, got ${index}`);
  return id;
}
