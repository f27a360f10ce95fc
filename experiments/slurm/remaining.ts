import { mean } from "../../src/evaluation/statistics.ts";
import { rowsOfRun } from "../gather.ts";
import type { Phase, Task } from "../tasks.ts";
import type { TaskStatus } from "./status.ts";

/**
 * Seconds until a sweep is done, from how long its done tasks took, how far those that run have come, and how many run
 * at once. An estimate: it knows neither the queue nor the other nodes' speed.
 *
 * @param throttle how many may run at once, where that is limited.
 * @returns NaN where nothing of a phase is done yet by which to judge the rest of it.
 */
export function remainingSeconds(
  phases: readonly Phase[],
  tasks: readonly TaskStatus[],
  throttle = Infinity,
): number {
  const running = tasks.filter(({ state }) => state === "running").length;
  const atOnce = Math.max(1, Math.min(throttle, running));
  const seconds = phases.map(({ name, tasks: own }) => {
    const states = tasks.filter(({ phase }) => phase === name);
    const left = states.filter(({ state }) => state === "running" || state === "pending");
    if (left.length === 0) return 0;
    const done = own.filter((_, i) => states[i]!.state === "done");
    const times = done.map((task) => secondsOf(task, name));
    const distil = meanOrNaN(times.map((time) => time.distil));
    const evaluate = meanOrNaN(times.map((time) => time.evaluate));
    const work = left.map(({ state, note, secondsLeft }) => {
      if (state === "pending") return distil + evaluate;
      // Halfway, where a task cannot tell how far it is.
      if (secondsLeft === undefined) return (note === "evaluation" ? evaluate : distil + evaluate) / 2;
      return secondsLeft + (name === "run" ? evaluate : 0);
    });
    const longest = Math.max(...work);
    return Math.max(longest, work.reduce((sum, one) => sum + one, 0) / Math.min(atOnce, left.length));
  });
  return seconds.reduce((sum, one) => sum + one, 0);
}

const meanOrNaN = (values: readonly number[]): number => (values.length === 0 ? NaN : mean(values));

/** What a done task took, from its rows. A preparation keeps no time. */
function secondsOf({ run, id }: Task, phase: string): { readonly distil: number; readonly evaluate: number } {
  const rows = run ? rowsOfRun(run) : [];
  const distil = phase === "evaluate" ? 0 : (rows[0]?.distillSeconds ?? NaN);
  if (phase === "distill") return { distil, evaluate: 0 };
  const seed = /\/network-(\d+)$/.exec(id)?.[1];
  const own =
    seed === undefined ? rows : rows.filter(({ evaluationSeed }) => evaluationSeed === Number(seed));
  return { distil, evaluate: own.reduce((sum, { evaluationSeconds }) => sum + evaluationSeconds, 0) };
}
