import { availableParallelism } from "node:os";
import { join } from "node:path";
import { wholeNumber } from "../../src/core/errors.ts";
import { failureTime, Stopped } from "../failure.ts";
import { gatherRows } from "../gather.ts";
import { isHeld } from "../lock.ts";
import { checkParts, isPartBusy } from "../preparation.ts";
import { pluralOf } from "../report/labels.ts";
import { standardError } from "../screen.ts";
import { isDone, lockOf, removeStaleLocks } from "../runFolder.ts";
import { board, type Failed, nameOf } from "../sweep/board.ts";
import { startWork } from "../sweep/child.ts";
import type { Sweep } from "../sweep/expand.ts";
import { schedule } from "../sweep/schedule.ts";
import { tally } from "../sweep/tally.ts";
import { type Phase, phasesOf, type Task } from "../tasks.ts";
import { writeReport } from "./report.ts";

export interface SweepOptions {
  /** Results folder. */
  readonly results: string;
  /** Folder of what runs share. */
  readonly prepared: string;
  /** Whether each evaluation network is a task of its own. */
  readonly spread: boolean;
  /** Instead of the configs'. */
  readonly engine: string | undefined;
  /** Runs at a time. */
  readonly jobs: number;
  /** Of all runs together; by default all cores. */
  readonly threads: number | undefined;
  /** The only phase to do; by default all, one after another. */
  readonly phase: string | undefined;
}

/** A sweep as it was asked for: what processes for its tasks are told again. */
export interface AskedSweep {
  readonly file: string;
  readonly overrides: readonly string[];
  readonly sweep: Sweep;
}

/** The phases of a sweep that the options ask for. */
export function phasesOfSweep(sweep: Sweep, options: SweepOptions): Phase[] {
  const experiments = sweep.cells.map(({ experiment }) => experiment);
  return phasesOf(experiments, options).filter(
    ({ name }) => options.phase === undefined || name === options.phase,
  );
}

/**
 * Does what is still to do of a sweep, each task in a process of its own, and writes the report.
 *
 * @returns whether all is done.
 * @throws Stopped if a signal ended it.
 */
export async function runSweep(
  asked: AskedSweep,
  options: SweepOptions,
  print: (line: string) => void,
): Promise<boolean> {
  const { sweep } = asked;
  const { results } = options;
  const phases = phasesOfSweep(sweep, options);
  const tasks = phases.flatMap((phase) => phase.tasks);
  const jobs = Math.min(wholeNumber("--jobs", options.jobs, 1), tasks.length || 1);
  const threads = threadsOf(options, jobs);
  // From here on a damaged part does not count as done.
  await checkParts([...new Set(tasks.flatMap(({ part }) => (part ? [part.prepared] : [])))]);
  const logOf = (task: Task): string =>
    task.run ? `${task.run.path}.log` : join(options.prepared, `${task.id}.log`);
  const counts = tally(phases, jobs, kindOf);
  print(`sweep ${sweep.name}: ${countsOf(sweep)}; results go to ${results}`);
  announce(tasks, counts.done(), print);
  print(
    `${jobs === 1 ? "one run at a time, with" : `${jobs} runs at a time, each with`} ${pluralOf(threads, "thread")}`,
  );
  const failures = new Map(tasks.map((task) => [task, task.run ? failureTime(task.run) : 0]));
  const shown = board({ tally: counts, logOf, print, screen: standardError });
  const stop = stopping();
  try {
    await schedule(phases, {
      jobs,
      start: (task, phase) =>
        startWork(task, commandOf(asked, { ...options, threads, phase: phase.name }, task), logOf(task)),
      isBusy: ({ run, part }) => (run ? isHeld(lockOf(run)) : part !== undefined && isPartBusy(part)),
      isHopeless: (task, { name }) =>
        task.run !== undefined &&
        (failureTime(task.run) > failures.get(task)! || (name === "evaluate" && !isDone(task.run))),
      watcher: shown,
      stop: stop.signal,
    });
  } finally {
    stop.release();
    shown.end();
  }
  return finish({ asked, results, tasks, failed: shown.failed, stopped: stop.signal.aborted }, print);
}

/** Times of runs at other seeds tell how long one takes. */
const kindOf = (task: Task, { name }: Phase): string => `${name} ${task.run?.experiment.name ?? ""}`;

/** CPU threads of each of several processes at a time. */
export function threadsOf({ threads }: Pick<SweepOptions, "threads">, jobs: number): number {
  const all = threads === undefined ? availableParallelism() : wholeNumber("--threads", threads, 1);
  return Math.max(1, Math.floor(all / jobs));
}

/** "24 runs (8 cells at 3 seeds)". */
export function countsOf({ cells }: Sweep): string {
  const seeds = cells.map(({ experiment }) => experiment.seeds.length);
  const runs = seeds.reduce((sum, count) => sum + count, 0);
  const [each] = seeds;
  const at = seeds.every((count) => count === each) ? ` at ${pluralOf(each!, "seed")}` : "";
  return `${pluralOf(runs, "run")} (${pluralOf(cells.length, "cell")}${at})`;
}

function announce(tasks: readonly Task[], done: number, print: (line: string) => void): void {
  if (done > 0) print(`${done} of ${pluralOf(tasks.length, "task")} done before`);
  const again = tasks.filter((task) => task.run && failureTime(task.run) > 0 && !task.isDone());
  if (again.length > 0) print(`failed before and tried again: ${again.map(nameOf).join(", ")}`);
}

/** What a process for one task is told. */
export function commandOf(
  { file, overrides }: AskedSweep,
  { results, prepared, spread, engine, threads, phase }: Omit<SweepOptions, "jobs">,
  task: Task,
): string[] {
  return [
    ...["sweep", file, ...overrides, "--results", results, "--prepared", prepared],
    ...(spread ? ["--spread"] : []),
    ...(engine === undefined ? [] : ["--engine", engine]),
    ...(threads === undefined ? [] : ["--threads", String(threads)]),
    ...(phase === undefined ? [] : ["--phase", phase]),
    ...["--task", task.id],
  ];
}

/** A signal to end, by Ctrl-C or a scheduler. A second one ends the program at once. */
function stopping(): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = (): void => {
    standardError.leave();
    process.stderr.write("stopping: runs save what they have; once more ends them at once\n");
    controller.abort();
  };
  process.once("SIGINT", abort);
  process.once("SIGTERM", abort);
  return {
    signal: controller.signal,
    release() {
      process.off("SIGINT", abort);
      process.off("SIGTERM", abort);
    },
  };
}

interface Ended {
  readonly asked: AskedSweep;
  readonly results: string;
  readonly tasks: readonly Task[];
  readonly failed: readonly Failed[];
  readonly stopped: boolean;
}

async function finish(
  { asked, results, tasks, failed, stopped }: Ended,
  print: (line: string) => void,
): Promise<boolean> {
  removeStaleLocks(results);
  const rows = gatherRows(results);
  const undone = tasks.filter((task) => !task.isDone());
  if (stopped && undone.length > 0) {
    throw new Stopped(
      `stopped with ${tasks.length - undone.length} of ${pluralOf(tasks.length, "task")} done; the same command goes on from there`,
    );
  }
  if (rows.length > 0) {
    const { table, page } = await writeReport(results);
    print(`\n${table}\n${page}`);
  }
  if (undone.length === 0) return true;
  print(
    `\n${pluralOf(undone.length, "task")} of ${asked.sweep.name} not done; the same command tries again:`,
  );
  for (const task of undone) print(`  ${nameOf(task)}: ${whyNot(task, failed)}`);
  return false;
}

function whyNot(task: Task, failed: readonly Failed[]): string {
  const own = failed.find((one) => one.task === task);
  if (own) return `${own.reason} (${own.log})`;
  return task.run && failureTime(task.run) > 0 ? "failed in another process" : "ended before it was done";
}
