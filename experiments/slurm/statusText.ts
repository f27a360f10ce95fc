import { duration } from "../progress.ts";
import type { State, TaskStatus } from "./status.ts";

/** Everything that `--status` tells. */
export interface SweepStatus {
  readonly sweep: string;
  readonly counts: Readonly<Record<State, number>>;
  /** Until all is done that runs or waits; null where there is nothing to judge by. */
  readonly secondsLeft: number | null;
  readonly tasks: readonly TaskStatus[];
  /** What does not concern a single task, such as that Slurm does not answer. */
  readonly notes: readonly string[];
}

/** In the order in which people want to know. */
const ORDER: readonly State[] = ["failed", "lost", "running", "unknown", "pending", "open", "done"];

/** How many tasks there are of each state. */
export function countsOf(tasks: readonly TaskStatus[]): Record<State, number> {
  const counts = { done: 0, running: 0, pending: 0, failed: 0, lost: 0, unknown: 0, open: 0 };
  for (const { state } of tasks) counts[state]++;
  return counts;
}

/** Tasks that are alike, of which more than so many are counted, not listed. */
const LISTED = 12;

/** The status as lines for people. */
export function statusLines({ sweep, counts, secondsLeft, tasks, notes }: SweepStatus): string[] {
  const total = tasks.length;
  const parts = [...ORDER]
    .reverse()
    .flatMap((state) => (counts[state] > 0 ? [`${counts[state]} ${state}`] : []));
  const left = secondsLeft === null || secondsLeft === 0 ? "" : `; about ${duration(secondsLeft)} left`;
  const width = Math.max(...tasks.map(({ id }) => id.length));
  const spread = new Set(tasks.map(({ phase }) => phase)).size > 1;
  return [
    `${sweep}: ${total} ${total === 1 ? "task" : "tasks"}: ${parts.join(", ")}${left}`,
    ...ORDER.flatMap((state) => {
      const own = tasks.filter((task) => task.state === state);
      return grouped(own).flatMap((group) => [
        ...group.slice(0, LISTED).flatMap((task) => linesOf(task, width, spread)),
        ...(group.length > LISTED ? [`  and ${group.length - LISTED} more ${state} like these`] : []),
      ]);
    }),
    ...notes,
  ];
}

/** Tasks of one state, those with the same note together. */
function grouped(tasks: readonly TaskStatus[]): TaskStatus[][] {
  const groups = new Map<string, TaskStatus[]>();
  for (const task of tasks) {
    const key = task.state === "running" ? "" : `${task.phase} ${task.note ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), task]);
  }
  return [...groups.values()];
}

function linesOf(task: TaskStatus, width: number, spread: boolean): string[] {
  const { id, phase, state, job = "" } = task;
  const names = `  ${spread ? phase.padEnd(9) : ""}${id.padEnd(width)}`;
  const line = `${names}  ${state.padEnd(7)}  ${job.padEnd(8)}  ${said(task)}`.trimEnd();
  const troubled = state === "failed" || state === "lost";
  return [line, ...(troubled && task.log !== undefined ? [`      log: ${task.log}`] : [])];
}

function said({ node, step, steps, loss, secondsLeft, note }: TaskStatus): string {
  return [
    step === undefined ? "" : `step ${step}/${steps!}`,
    loss === undefined ? "" : `loss ${loss.toPrecision(4)}`,
    secondsLeft === undefined ? "" : `${duration(secondsLeft)} left`,
    note?.split("\n", 1)[0] ?? "",
    node === undefined || node === "" ? "" : `on ${node}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}
