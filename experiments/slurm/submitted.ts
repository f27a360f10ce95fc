import { realpathSync } from "node:fs";
import { join } from "node:path";
import { type ArrayJob, MERGE, type Submission, taskAt } from "./plan.ts";
import type { Queued } from "./queue.ts";

/** A task in a submission's array. */
export interface Place {
  readonly submission: Submission;
  readonly array: ArrayJob;
  readonly index: number;
}

/** Key of a task among all phases: the whole of a run and its distillation share their id. */
export const keyOf = (phase: string, id: string): string => `${phase} ${id}`;

/** Every place at which a task was submitted, the latest last, by the task's key. */
export function placesOf(submissions: readonly Submission[]): Map<string, Place[]> {
  const places = new Map<string, Place[]>();
  for (const submission of submissions) {
    for (const array of submission.plan.arrays.filter(({ phase }) => phase !== MERGE)) {
      for (const index of array.indices) {
        const key = keyOf(array.phase, taskAt(submission.plan, array, index));
        places.set(key, [...(places.get(key) ?? []), { submission, array, index }]);
      }
    }
  }
  return places;
}

/**
 * The job of each task that Slurm knows, by the task's key. Jobs are recognized by the path of their script, whichever
 * way leads there.
 */
export function submittedTasks(
  submissions: readonly Submission[],
  jobs: readonly Queued[],
): Map<string, Queued> {
  const arrays = new Map(
    submissions.flatMap(({ path, plan }) =>
      plan.arrays.map((array) => [resolved(join(path, array.script)), { plan, array }] as const),
    ),
  );
  const scripts = new Map(
    [...new Set(jobs.map(({ script }) => script))].map((path) => [path, resolved(path)]),
  );
  const tasks = new Map<string, Queued>();
  for (const job of jobs) {
    const found = arrays.get(scripts.get(job.script)!);
    if (found === undefined || job.index === undefined || found.array.phase === MERGE) continue;
    tasks.set(keyOf(found.array.phase, taskAt(found.plan, found.array, job.index)), job);
  }
  return tasks;
}

/** The path without symbolic links; as it is where there is nothing. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
