import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, isHeld, ownerOf } from "../lock.ts";
import { readRow } from "../results.ts";
import { fileOf, isDone, lockOf, readMetrics } from "../runFolder.ts";
import type { Phase, Task } from "../tasks.ts";
import { type Attempt, attemptsOf } from "./attempts.ts";
import { logsOf, readJobs, type Submission } from "./plan.ts";
import { endsOf, inWords, isAlive, type Queued } from "./queue.ts";
import { keyOf, type Place, placesOf, submittedTasks } from "./submitted.ts";

/**
 * What a task is at:
 *
 * - done;
 * - running, here or elsewhere;
 * - pending: Slurm will start it;
 * - failed, and why;
 * - lost: it was submitted, Slurm does not know it any more, and it is not done;
 * - unknown: it was submitted, and Slurm does not answer;
 * - open: nobody has been asked to do it.
 */
export type State = "done" | "running" | "pending" | "failed" | "lost" | "unknown" | "open";

export interface TaskStatus {
  readonly id: string;
  readonly phase: string;
  readonly state: State;
  /** Slurm's number, as 123_7. */
  readonly job?: string | undefined;
  readonly node?: string | undefined;
  /** Step that a running distillation is at, of how many, and its loss. */
  readonly step?: number | undefined;
  readonly steps?: number | undefined;
  readonly loss?: number | undefined;
  /** Seconds until it is distilled, by the pace of this start. */
  readonly secondsLeft?: number | undefined;
  /** Why it waits, how it failed, what became of it. */
  readonly note?: string | undefined;
  /** Its log, where there is something to look up. */
  readonly log?: string | undefined;
}

/** What Slurm says of a sweep's jobs. */
export interface SlurmView {
  readonly submissions: readonly Submission[];
  readonly jobs: readonly Queued[];
  /** Why Slurm does not answer; undefined where it does. */
  readonly error: string | undefined;
}

/** The state of every task, from Slurm, the results, and what was noted of earlier starts. */
export function statusOf(phases: readonly Phase[], view: SlurmView): TaskStatus[] {
  const known = submittedTasks(view.submissions, view.jobs);
  const places = placesOf(view.submissions);
  const arrays = view.submissions.flatMap(({ path }) => Object.values(readJobs(path)));
  let ends: Map<string, string> | undefined;
  const endOf = (job: string): string | undefined => (ends ??= endsOf(arrays)).get(job);
  return phases.flatMap(({ name: phase, tasks }) =>
    tasks.map((task): TaskStatus => {
      const about = { id: task.id, phase };
      if (task.isDone()) return { ...about, state: "done" };
      const key = keyOf(phase, task.id);
      const job = known.get(key);
      const place = places.get(key)?.at(-1);
      const attempt =
        place && attemptsOf(place.submission.path, phase, place.array.first + place.index).at(-1);
      if (job && isAlive(job)) return { ...about, ...alive(task, phase, { job, place, attempt }) };
      const owner = ownOwner(task);
      if (owner !== undefined) return { ...about, state: "running", note: owner, ...progressOf(task, phase) };
      const number = place && jobOf(place, attempt);
      const log = place && number && logOf(place, number);
      const error = failureOf(task, attempt);
      if (error !== undefined) return { ...about, state: "failed", job: number, note: error, log };
      if (number === undefined) return { ...about, state: "open" };
      if (view.error !== undefined) return { ...about, state: "unknown", job: number, log };
      const end = job ? inWords(job) : endOf(number);
      return { ...about, state: "lost", job: number, note: lastWords(attempt, end), log };
    }),
  );
}

interface Alive {
  readonly job: Queued;
  readonly place: Place | undefined;
  readonly attempt: Attempt | undefined;
}

function alive(task: Task, phase: string, { job, place, attempt }: Alive): Omit<TaskStatus, "id" | "phase"> {
  const common = { job: job.id, log: place && logOf(place, job.id) };
  if (job.state !== "R") {
    const again = attempt ? `${attempt.outcome === "failed" ? "was tried" : "goes on"} after a stop; ` : "";
    return { ...common, state: "pending", note: `${again}${inWords(job)}` };
  }
  const current = attempt?.outcome === undefined ? attempt : undefined;
  return {
    ...common,
    state: "running",
    node: job.nodes,
    ...progressOf(
      task,
      phase,
      current && { step: current.step, seconds: (Date.now() - current.began) / 1000 },
    ),
  };
}

/** How far a task has come; how long it needs yet, where its start is known. */
function progressOf(
  { run }: Task,
  phase: string,
  start?: { readonly step: number; readonly seconds: number },
): Partial<TaskStatus> {
  if (!run || phase === "evaluate" || isDone(run))
    return { note: run && isDone(run) ? "evaluation" : undefined };
  const { steps } = run.experiment;
  const last = readMetrics(run).at(-1);
  if (!last) return { steps };
  const pace = start && (last.step - start.step) / start.seconds;
  const secondsLeft = pace !== undefined && pace > 0 ? (steps - last.step) / pace : undefined;
  return { step: last.step, steps, loss: last.loss, secondsLeft };
}

/** Who works on a run outside of Slurm; undefined if nobody does. */
function ownOwner({ run }: Task): string | undefined {
  const path = run && lockOf(run);
  return path !== undefined && isHeld(path) ? describe(ownerOf(path)) : undefined;
}

/** Why the last try of a task failed; undefined where it did not, or has been tried again since. */
function failureOf({ run }: Task, attempt: Attempt | undefined): string | undefined {
  if (attempt?.outcome === "failed") return attempt.error;
  if (!run || isDone(run) || !existsSync(fileOf(run, "failure"))) return undefined;
  return readRow(fileOf(run, "failure")).status;
}

function lastWords(attempt: Attempt | undefined, end: string | undefined): string {
  const known = {
    done: "ended",
    stopped: "was stopped",
    limit: "ended by the time limit",
    busy: "was busy elsewhere",
  };
  if (end !== undefined && end !== "ended with an error") return end;
  if (attempt === undefined) return "never started";
  if (attempt.outcome === undefined) return `was killed on ${attempt.node}`;
  return attempt.outcome === "failed" ? "failed" : known[attempt.outcome];
}

function jobOf({ submission, array, index }: Place, attempt: Attempt | undefined): string | undefined {
  const number = readJobs(submission.path)[array.script];
  return number === undefined ? attempt?.job : `${number}_${index}`;
}

function logOf({ submission, array }: Place, job: string): string {
  return join(logsOf(submission.path), `${array.phase}-${job}.log`);
}
