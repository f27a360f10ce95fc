import type { Phase, Task } from "../tasks.ts";
import { costKind } from "./kind.ts";
import type { KnownCost } from "./costs.ts";
import type { RunState } from "./state.ts";

/** What is left of a sweep takes so much. What is not known is NaN. */
export interface Estimate {
  /** From now to the end, with the jobs side by side. */
  readonly seconds: number;
  /** Of all tasks one after another. */
  readonly work: number;
  /** Of each experiment's runs, one after another. */
  readonly byExperiment: ReadonlyMap<string, number>;
  /** Of the largest processes that can be there at once, in 10⁶ bytes. */
  readonly megabytes: number;
  /** Files yet to be written, with the checkpoints of the runs under way. */
  readonly bytes: number;
}

export interface EstimateOptions {
  readonly jobs: number;
  /** By `costKind`. */
  readonly costs: ReadonlyMap<string, KnownCost>;
  readonly stateOf: (task: Task) => RunState;
}

/** Bytes of an evaluation network's row, in its file and in runs.csv. */
const ROW_BYTES = 2500;

/** Time, memory and disk that the tasks left need, but for those of a kind that fails. */
export function estimate(phases: readonly Phase[], { jobs, costs, stateOf }: EstimateOptions): Estimate {
  const byExperiment = new Map<string, number>();
  const memory: number[] = [];
  const checkpoints: number[] = [];
  let [seconds, work, bytes] = [0, 0, 0];
  for (const phase of phases) {
    const times = phase.tasks
      .filter((task) => !task.isDone())
      .map((task) => ({ task, cost: costs.get(costKind(task.experiment))! }))
      .filter(({ cost }) => cost.failure === undefined)
      .map(({ task, cost }) => {
        const state = task.run ? stateOf(task) : undefined;
        const own = secondsOf(task, phase, cost, state);
        const { name } = task.experiment;
        if (task.run) byExperiment.set(name, (byExperiment.get(name) ?? 0) + own);
        memory.push(cost.megabytes);
        if (!state) bytes += cost.partBytes || 0; // unknown where it was measured by an earlier version
        if (state && phase.name !== "evaluate") {
          checkpoints.push(cost.checkpointBytes);
          bytes += bytesOf(task, cost, state);
        }
        return own;
      });
    work += times.reduce((sum, time) => sum + time, 0);
    seconds += makespan(times, jobs);
  }
  return {
    seconds,
    work,
    byExperiment,
    megabytes: largest(memory, jobs),
    bytes: bytes + largest(checkpoints, jobs),
  };
}

function secondsOf(task: Task, { name }: Phase, cost: KnownCost, state: RunState | undefined): number {
  if (!state) return cost.startSeconds + cost.partSeconds;
  const { steps, evaluation } = task.experiment;
  const distilling = (steps - state.step) * cost.stepSeconds;
  const evaluating = (evaluation.networks - state.networks) * cost.networkSeconds;
  if (name === "evaluate") return cost.startSeconds + cost.networkSeconds;
  return cost.startSeconds + distilling + (name === "run" ? evaluating : 0);
}

function bytesOf({ experiment }: Task, cost: KnownCost, state: RunState): number {
  const rows = (experiment.evaluation.networks - state.networks) * ROW_BYTES;
  const folder = state.step < experiment.steps || state.is === "new" ? cost.bytes : 0;
  return folder + (experiment.steps - state.step) * cost.bytesPerStep + rows;
}

/** When tasks that are started in order, so many at a time, are all done. */
function makespan(times: readonly number[], jobs: number): number {
  const free = new Array<number>(jobs).fill(0);
  for (const time of times) {
    const next = free.indexOf(Math.min(...free));
    free[next]! += time;
  }
  return Math.max(...free);
}

/** Sum of the `count` largest. */
function largest(values: readonly number[], count: number): number {
  return [...values]
    .sort((a, b) => b - a)
    .slice(0, count)
    .reduce((sum, value) => sum + value, 0);
}
