import type { Learned, Source } from "../src/objectives/objective.ts";
import { learnedSet } from "../src/runs/learned.ts";
import { difficultyTracker, type TrackedDifficulty } from "../src/runs/tracking.ts";
import type { Experiment } from "./config.ts";

/** Columns of metrics.jsonl that tracking adds, in the order of the report. */
export const trackedColumns = [
  "difficulty",
  "difficultyPerClass",
  "gradn",
  "misclassified",
  "syntheticLoss",
] as const satisfies readonly (keyof TrackedDifficulty)[];
/** Name of one of them. */
export type TrackedColumn = (typeof trackedColumns)[number];

/** Measures the difficulty of a run's images now and then. */
export interface RunTracker {
  /** What there is to log of the images after so many steps; nothing where no measurement is due. */
  measuredAt(step: number, learned: Learned): Partial<TrackedDifficulty>;
  /** Time that measuring took: no part of what the method costs. */
  readonly seconds: number;
}

/** The tracker of one run; it never measures where the experiment does not ask for it. */
export function runTracker({ tracking, objective, steps }: Experiment, source: Source): RunTracker {
  const tracker = tracking && difficultyTracker(tracking);
  const last = objective ? steps : 0;
  let seconds = 0;
  return {
    measuredAt(step, learned) {
      if (!tracker || (step % tracking.every !== 0 && step !== last)) return {};
      const begun = performance.now();
      const measured = tracker.measured(source, learnedSet(learned, source));
      seconds += (performance.now() - begun) / 1000;
      return measured;
    },
    get seconds() {
      return seconds;
    },
  };
}
