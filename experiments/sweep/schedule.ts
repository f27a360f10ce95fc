import { setTimeout } from "node:timers/promises";
import type { Phase, Task } from "../tasks.ts";
import type { Attempt, Work } from "./child.ts";

/** What a schedule tells whoever shows it. */
export interface Watcher {
  readonly started: (task: Task) => void;
  /** It was done when its turn came. */
  readonly found: (task: Task) => void;
  readonly ended: (task: Task, attempt: Attempt) => void;
  /** All that is left of a phase is with other processes. */
  readonly waiting: (tasks: readonly Task[]) => void;
}

export interface ScheduleOptions {
  /** Tasks at a time. */
  readonly jobs: number;
  readonly start: (task: Task, phase: Phase) => Work;
  /** Whether another process is at a task, as far as can be told without starting one. */
  readonly isBusy: (task: Task) => boolean;
  /** Whether a task is not to be tried: another process has failed at it, or what it needs is not there. */
  readonly isHopeless: (task: Task, phase: Phase) => boolean;
  readonly watcher: Watcher;
  readonly stop: AbortSignal;
}

/** Seconds after which tasks of other processes are looked at again; it doubles up to the second number. */
const REVISITS = [1, 30] as const;

/**
 * Does the tasks of all phases, phase by phase, several at a time; each once, unless another process is at it: such
 * ones are looked at again when all else of the phase is done. A failed task does not keep the others from being done.
 */
export async function schedule(phases: readonly Phase[], options: ScheduleOptions): Promise<void> {
  for (const phase of phases) {
    let pause: number = REVISITS[0];
    let open = phase.tasks;
    while (!options.stop.aborted) {
      const before = open.length;
      open = await pass(phase, open, options);
      if (open.length === 0 || options.stop.aborted) break;
      pause = open.length < before ? REVISITS[0] : Math.min(2 * pause, REVISITS[1]);
      options.watcher.waiting(open);
      await setTimeout(1000 * pause, undefined, { signal: options.stop }).catch(() => {});
    }
  }
}

/** Goes through tasks once. Returns those that other processes are at. */
async function pass(phase: Phase, tasks: readonly Task[], options: ScheduleOptions): Promise<Task[]> {
  const { jobs, start, isBusy, isHopeless, watcher, stop } = options;
  const queue = [...tasks];
  const running = new Set<Work>();
  const busy: Task[] = [];
  const stopAll = (): void => running.forEach((work) => work.stop());
  const worker = async (): Promise<void> => {
    for (let task = queue.shift(); task && !stop.aborted; task = queue.shift()) {
      if (task.isDone()) {
        watcher.found(task);
        continue;
      }
      if (isHopeless(task, phase)) continue;
      if (isBusy(task)) {
        busy.push(task);
        continue;
      }
      watcher.started(task);
      const work = start(task, phase);
      running.add(work);
      const attempt = await work.attempt;
      running.delete(work);
      watcher.ended(task, attempt);
      if (attempt.ended === "busy") busy.push(task);
    }
  };
  stop.addEventListener("abort", stopAll);
  try {
    await Promise.all(Array.from({ length: jobs }, worker));
  } finally {
    stop.removeEventListener("abort", stopAll);
  }
  return busy;
}
