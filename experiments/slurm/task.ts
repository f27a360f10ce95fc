import { existsSync, readdirSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import { InputError } from "../../src/core/errors.ts";
import type { Engine } from "../../src/engines/index.ts";
import { writeReport } from "../commands/report.ts";
import { Busy, failureTime, recordFailure, Stopped } from "../failure.ts";
import { forgetFailure, gatherRows } from "../gather.ts";
import { stateOfPart } from "../preparation.ts";
import { fileOf, isDone, readMetrics } from "../runFolder.ts";
import { rememberStop, stopSignal } from "../stopSignal.ts";
import type { Task } from "../tasks.ts";
import { attemptsOf, beginAttempt, hopeless } from "./attempts.ts";
import { ask } from "./call.ts";
import { phasesOfSweep, readSubmission, type Submission } from "./plan.ts";
import { secondsOf } from "./queue.ts";
import { AGAIN } from "./script.ts";

/** Seconds for which a task waits for another process that is at its work, before it makes room and queues again. */
const WAIT = 600;
const POLL = 5;

/** One line for the log, where progress goes too. */
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Does one task of a submission in this process, from its last checkpoint where there is one.
 *
 * @returns the exit code: 0 once it is done, `AGAIN` if it was stopped and wants another turn.
 * @throws InputError for an index that the plan does not have, and what the work throws. A run that fails keeps its reason.
 */
export async function slurmTask(
  path: string,
  phase: string,
  index: number,
  engineFor: (name: string) => Promise<Engine>,
): Promise<number> {
  rememberStop();
  const submission = readSubmission(path);
  const task = taskOf(submission, phase, index);
  if (task.isDone()) {
    say(`${task.id}  was done before`);
    return 0;
  }
  const { plan } = submission;
  const before = stateOf(task);
  const earlier = attemptsOf(submission.path, phase, index);
  const vain = hopeless(earlier, before.state);
  const about = { job: jobId(), node: process.env.SLURMD_NODENAME ?? hostname(), began: Date.now() };
  say(
    `${new Date(about.began).toISOString()}  ${task.id}: start ${earlier.length + 1}, job ${about.job} on ${about.node}`,
  );
  const end = beginAttempt([submission.path, phase, index], { ...about, ...before });
  try {
    const engine = await engineFor(plan.engine ?? task.experiment.engine);
    try {
      if (vain !== undefined) throw new InputError(`${task.id}: ${vain}`);
      await performed(task, engine);
    } finally {
      engine.close();
    }
    if (task.run && isDone(task.run)) forgetFailure(task.run);
    end({ outcome: "done" });
    say(`${task.id}: ${task.outcome()}`);
    return 0;
  } catch (error) {
    const { message } = error as Error;
    if (!(error instanceof Busy || error instanceof Stopped)) {
      if (task.run && failureTime(task.run) < about.began) {
        recordFailure(task.run, plan.engine ?? "unknown", message, { evaluating: isDone(task.run) });
      }
      end({ outcome: "failed", error: message });
      throw error;
    }
    say(message);
    end({ outcome: error instanceof Busy ? "busy" : timeIsUp(plan.options.signal) ? "limit" : "stopped" });
    return AGAIN;
  }
}

/** Gathers the rows of all runs and writes the report. */
export async function slurmMerge(path: string): Promise<string> {
  const { results } = readSubmission(path).plan;
  gatherRows(results);
  const { page } = await Promise.resolve(writeReport(results));
  return page;
}

function taskOf({ path, plan }: Submission, phase: string, index: number): Task {
  const id = plan.phases.find(({ name }) => name === phase)?.tasks[index];
  const task = phasesOfSweep(plan)
    .flatMap(({ tasks }) => tasks)
    .find((candidate) => candidate.id === id);
  if (task === undefined) {
    throw new InputError(`${path}: expected a phase and an index of its plan.json, got ${phase} ${index}`);
  }
  return task;
}

/** Performs the task; while another process is at it, waits for that. */
async function performed(task: Task, engine: Engine): Promise<void> {
  const deadline = performance.now() + 1000 * WAIT;
  const stop = stopSignal();
  try {
    let busy = await busyWith(task, engine);
    if (busy) say(`${busy.message.replace(/; wait for it.*/s, "")}; waiting`);
    while (busy) {
      if (stop.asked() || performance.now() > deadline) throw busy;
      await setTimeout(1000 * POLL);
      busy = await busyWith(task, engine);
    }
  } finally {
    stop.release();
  }
}

/** Performs the task, unless another process is at it: then it is told which. */
async function busyWith(task: Task, engine: Engine): Promise<Busy | undefined> {
  if (task.isDone()) return undefined;
  try {
    await task.perform(engine);
    return undefined;
  } catch (error) {
    if (error instanceof Busy) return error;
    throw error;
  }
}

/** What is kept of a task's work, as a text that changes whenever it comes further, and the step it would go on from. */
function stateOf({ run, part }: Task): { readonly state: string; readonly step: number } {
  if (!run) return { state: part ? stateOfPart(part) : "", step: 0 };
  const checkpoint = fileOf(run, "checkpoint");
  const evaluations = fileOf(run, "evaluations");
  const saved = existsSync(checkpoint) ? String(statSync(checkpoint).mtimeMs) : "";
  const evaluated = existsSync(evaluations) ? readdirSync(evaluations, { recursive: true }).length : 0;
  const step = saved === "" ? 0 : (readMetrics(run).at(-1)?.step ?? 0);
  return { state: `${saved} ${isDone(run)} ${evaluated}`, step };
}

/** "123_7" in an array, else "123". */
function jobId(): string {
  const { SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID, SLURM_JOB_ID = "" } = process.env;
  return SLURM_ARRAY_JOB_ID === undefined ? SLURM_JOB_ID : `${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID!}`;
}

/** Slurm looks at time limits every half minute or so, and sends its signal up to a minute early. */
const SLACK = 60;

/** Whether the time limit of this job is why it was told to stop. */
function timeIsUp(signal: number): boolean {
  const { SLURM_JOB_ID } = process.env;
  if (SLURM_JOB_ID === undefined) return false;
  const left = secondsOf(ask("squeue", ["-h", "-j", SLURM_JOB_ID, "-o", "%L"]).text);
  return left <= signal + SLACK;
}
