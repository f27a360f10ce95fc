import type { Engine } from "../src/engines/index.ts";
import { distillRun } from "./commands/distill.ts";
import { evaluatedRows, evaluateRun, isEvaluated } from "./commands/evaluate.ts";
import { accuracyText } from "./commands/evaluationText.ts";
import type { Experiment } from "./config.ts";
import { loadData } from "./data/load.ts";
import { Busy } from "./failure.ts";
import { allPreparedFor, hasPart, makePart, type Part, type Prepared, withNeeds } from "./preparation.ts";
import { checkSpace } from "./preparedSpace.ts";
import { isDone, openRun, type RunFolder } from "./runFolder.ts";
import { fitWhitening, sourceFor } from "./source.ts";

/** A piece of work for one process. It leaves a file when it is done, and no two processes are ever at it together. */
export interface Task {
  /** Unique among the tasks of a sweep: "dm_imbalance-50/seed-0", ".../network-3", "experts-1a2b3c4d5e/part-0". */
  readonly id: string;
  /** Whose data, network and engine it takes; of what runs share, one of theirs. */
  readonly experiment: Experiment;
  /** The run that it belongs to; none for what runs share. */
  readonly run?: RunFolder;
  /** The part that it makes of what runs share. */
  readonly part?: Part;
  isDone(): boolean;
  /**
   * Does what is still to do of it.
   *
   * @throws Busy if another process is at it.
   */
  perform(engine: Engine): Promise<void>;
  /** What came of it, in words, when it is done: "41.2 ± 0.8 % over 2 networks". */
  outcome(): string;
}

/** Phases that there may be, in their order. */
export const phaseNames = ["prepare", "run", "distill", "evaluate"] as const;

/** Tasks that do not depend on each other, only on those of the phases before. */
export interface Phase {
  readonly name: (typeof phaseNames)[number];
  readonly tasks: readonly Task[];
}

export interface TaskOptions {
  /** Results folder. */
  readonly results: string;
  /** Folder of what runs share. */
  readonly prepared: string;
  /** Whether every evaluation network is a task of its own, for more processes than there are runs. */
  readonly spread: boolean;
}

/**
 * The work of some experiments as phases: first what they share, each part once, then the runs. Spread, the runs are
 * distilled first, and then each of their evaluation networks is a task.
 *
 * @throws InputError if a run's folder holds a run of other options.
 */
export function phasesOf(experiments: readonly Experiment[], options: TaskOptions): Phase[] {
  const runs = experiments.flatMap((experiment) =>
    experiment.seeds.map((seed) => openRun(options.results, experiment, seed)),
  );
  const preparing = { name: "prepare", tasks: preparingTasks(experiments, options) } as const;
  const running: Phase[] = options.spread
    ? [
        { name: "distill", tasks: runs.map((run) => distilling(run, options)) },
        { name: "evaluate", tasks: runs.flatMap(evaluatingEach) },
      ]
    : [{ name: "run", tasks: runs.map((run) => wholeRun(run, options)) }];
  return [preparing, ...running].filter(({ tasks }) => tasks.length > 0);
}

function preparingTasks(experiments: readonly Experiment[], { prepared: root }: TaskOptions): Task[] {
  const tasks = new Map<string, Task>();
  for (const experiment of experiments) {
    for (const prepared of allPreparedFor(root, experiment)) {
      for (let index = 0; index < prepared.preparation.parts; index++) {
        const task = preparing(prepared, experiment, { index, root });
        tasks.set(task.id, task);
      }
    }
  }
  return [...tasks.values()];
}

function preparing(
  prepared: Prepared,
  experiment: Experiment,
  { index, root }: { readonly index: number; readonly root: string },
): Task {
  const id = `${prepared.name}/part-${index}`;
  return {
    id,
    experiment,
    part: { prepared, index },
    isDone: () => hasPart(prepared, index),
    async perform(engine) {
      const { splits } = await loadData(experiment.data);
      const given = { splits, engine, prepared: root };
      await fitWhitening(experiment, given);
      if (hasPart(prepared, index)) return; // the whitening itself is of images as they are
      const source = await sourceFor(experiment, given);
      checkSpace(withNeeds([prepared]), source);
      if (!(await makePart(prepared, source, index))) {
        const what = prepared.needs.length > 0 ? "this part, or on one that it needs" : "this part";
        throw new Busy(`${id}: another process works on ${what}; wait for it`);
      }
    },
    outcome: () => "prepared",
  };
}

const runId = (run: RunFolder): string => `${run.experiment.name}/seed-${run.seed}`;

function wholeRun(run: RunFolder, options: TaskOptions): Task {
  return {
    id: runId(run),
    experiment: run.experiment,
    run,
    isDone: () => isEvaluated(run),
    async perform(engine) {
      if (!isDone(run)) await distillRun(run, engine, { ...options, force: false });
      await evaluateRun(run, engine, { force: false });
    },
    outcome: () => accuracyText(evaluatedRows(run, { force: false })),
  };
}

function distilling(run: RunFolder, options: TaskOptions): Task {
  return {
    id: runId(run),
    experiment: run.experiment,
    run,
    isDone: () => isDone(run),
    perform: (engine) => distillRun(run, engine, { ...options, force: false }),
    outcome: () => "distilled",
  };
}

function evaluatingEach(run: RunFolder): Task[] {
  return Array.from({ length: run.experiment.evaluation.networks }, (_, only) => ({
    id: `${runId(run)}/network-${only}`,
    experiment: run.experiment,
    run,
    isDone: () => isEvaluated(run, only),
    async perform(engine) {
      await evaluateRun(run, engine, { only, force: false });
    },
    outcome: () => accuracyText(evaluatedRows(run, { only, force: false })),
  }));
}
