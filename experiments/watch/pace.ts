import { type Rate, recentRate } from "../rate.ts";
import type { Unfinished } from "../report/page/pageData.ts";

/** A run as it was seen before. */
interface Seen {
  readonly rate: Rate;
  step: number;
  /** When its last step was written, in seconds. */
  readonly clock: { time: number };
}

/**
 * Tells the time left of runs under way, by the steps that they do while they are watched: their own files say what was
 * done, not when.
 */
export function pace(): (run: Unfinished) => Unfinished {
  const known = new Map<string, Seen>();
  return (run) => {
    const { experiment, seed, step, steps, updated, busy } = run;
    if (!busy || updated === undefined) return run;
    const time = Date.parse(updated) / 1000;
    const key = `${experiment}/${seed}`;
    const before = known.get(key);
    // A run that was started anew goes back.
    if (before === undefined || before.step > step) {
      const clock = { time };
      known.set(key, { clock, step, rate: recentRate(() => clock.time, step) });
      return run;
    }
    if (step > before.step) {
      before.step = step;
      before.clock.time = time;
      before.rate.mark(step);
    }
    const secondsLeft = (steps - step) / before.rate.perSecond();
    return Number.isFinite(secondsLeft) ? { ...run, secondsLeft } : run;
  };
}
