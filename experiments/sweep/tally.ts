import { duration } from "../progress.ts";
import type { Phase, Task } from "../tasks.ts";

/** How many of a sweep's tasks are done and failed, and how long the others will take. */
export interface Tally {
  /** Tasks that are done, before and now. */
  done(): number;
  /** "7/24 done, 1 failed, 12 min left". */
  text(): string;
  /** Notes that a task is done, and the seconds it took where it was done here. */
  did(task: Task, seconds?: number): void;
  failed(task: Task): void;
}

/**
 * Counts tasks. Time left is the mean of finished tasks of the same kind, or of all where there is none of the kind yet,
 * for each that is left, over the jobs at a time; nothing is said before the first is done.
 *
 * @param kindOf tasks that can take each other's times for their own.
 */
export function tally(
  phases: readonly Phase[],
  jobs: number,
  kindOf: (task: Task, phase: Phase) => string,
): Tally {
  const kinds = new Map(
    phases.flatMap((phase) => phase.tasks.map((task) => [task, kindOf(task, phase)] as const)),
  );
  const left = new Set([...kinds.keys()].filter((task) => !task.isDone()));
  const failed = new Set<Task>();
  const times = new Map<string, number[]>();
  const expected = (kind: string): number => mean(times.get(kind) ?? [...times.values()].flat());
  const done = (): number => kinds.size - left.size - failed.size;
  return {
    done,
    text() {
      const seconds = [...left].reduce((sum, task) => sum + expected(kinds.get(task)!), 0);
      const parts = [
        `${done()}/${kinds.size} done`,
        failed.size === 0 ? "" : `${failed.size} failed`,
        left.size === 0 || Number.isNaN(seconds)
          ? ""
          : `${duration(seconds / Math.min(jobs, left.size))} left`,
      ];
      return parts.filter((part) => part !== "").join(", ");
    },
    did(task, seconds) {
      left.delete(task);
      const kind = kinds.get(task)!;
      if (seconds !== undefined) times.set(kind, [...(times.get(kind) ?? []), seconds]);
    },
    failed(task) {
      left.delete(task);
      failed.add(task);
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
