import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { check, Divergence } from "../../src/core/errors.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { decodeProgress, encodeProgress } from "../../src/distillers/checkpoint.ts";
import { begin, distill, type Distillation, type Progress } from "../../src/distillers/distill.ts";
import { initialSet } from "../../src/distillers/initialize.ts";
import { disposeExcept, type Engine, type Tensor } from "../../src/engines/index.ts";
import { type Learned, resultOf, type Source } from "../../src/objectives/objective.ts";
import { distillationRng, imageOptimizerOf, objectiveOf } from "../../src/runs/setting.ts";
import { normalizedValues } from "../../src/runs/space.ts";
import { writeArtifact } from "../artifact.ts";
import type { Experiment } from "../config.ts";
import { loadData } from "../data/load.ts";
import { Busy, recordFailure, Stopped } from "../failure.ts";
import { inFile, writeWhole } from "../files.ts";
import { forgetFailure, removeRows } from "../gather.ts";
import { acquire, describe, type Lock, ownerOf } from "../lock.ts";
import { machine } from "../machine.ts";
import { interimImages, writeImages, writeRealImages } from "../pictures.ts";
import { allPreparedFor, initialPreparedFor, prepare } from "../preparation.ts";
import { loadPool } from "../pool.ts";
import { progressLine } from "../progress.ts";
import { runTracker } from "../tracking.ts";
import {
  appendInitial,
  appendMetric,
  fileOf,
  isDone,
  lockOf,
  openRun,
  prepareRun,
  readMetrics,
  rewindMetrics,
  type RunFolder,
} from "../runFolder.ts";
import { writeSelection } from "../selection.ts";
import { diagnoseRun } from "./diagnose.ts";
import { stopSignal } from "../stopSignal.ts";
import { methodName } from "../setting.ts";
import { sourceFor } from "../source.ts";
import { spectraOf } from "../spectra.ts";

export interface DistillOptions {
  /** Results folder. */
  readonly results: string;
  /** Replaces runs of the same name that were done with other options, and does done ones again. */
  readonly force: boolean;
  /** Folder that keeps what runs share, such as expert trajectories; by default `prepared` in the results folder. */
  readonly prepared?: string | undefined;
}

/**
 * Distils every seed of an experiment that is not done yet; one that was interrupted goes on from its last checkpoint.
 *
 * @returns the folders of its runs, in the order of the seeds.
 */
export async function distillExperiment(
  experiment: Experiment,
  engine: Engine,
  options: DistillOptions,
): Promise<RunFolder[]> {
  const runs = experiment.seeds.map((seed) => openRun(options.results, experiment, seed, options.force));
  for (const run of runs) {
    if (options.force || !isDone(run)) await distillRun(run, engine, options);
    else {
      prepareRun(run, false);
      process.stderr.write(`${experiment.name} seed ${run.seed}  was done before; --force does it again\n`);
    }
  }
  return runs;
}

/**
 * Distils one run, unless it is done. No other process can work on it at the same time. If it fails, the run keeps the
 * reason, and its row says so.
 *
 * @throws Busy if another process is at it.
 */
export async function distillRun(run: RunFolder, engine: Engine, options: DistillOptions): Promise<void> {
  const path = lockOf(run);
  const lock = acquire(path);
  if (!lock) {
    throw new Busy(
      `${run.path}: another process works on this run (${describe(ownerOf(path))}); ` +
        "wait for it, or stop it and start this command again",
    );
  }
  try {
    if (options.force || !isDone(run)) await distilled(run, engine, options, lock);
  } catch (error) {
    if (!(error instanceof Stopped)) recordFailure(run, engine.name, (error as Error).message);
    throw error;
  } finally {
    lock.release();
  }
}

async function distilled(
  run: RunFolder,
  engine: Engine,
  { results, force, prepared = join(results, "prepared") }: DistillOptions,
  lock: Lock,
): Promise<void> {
  const { experiment } = run;
  const { splits, indices } = await loadData(experiment.data);
  const shared = allPreparedFor(prepared, experiment); // before a whitening is made: options that are wrong end here
  const pool = experiment.pool && (await loadPool(experiment.pool, splits.train, engine));
  const whole = await sourceFor(experiment, { splits, engine, prepared });
  const source = pool ? { ...whole, pool: pool.dataset } : whole;
  const chosenBy = await prepare(initialPreparedFor(prepared, experiment), source);
  const initial = initialSet(chosenBy, experiment, distillationRng(run.seed));
  // Only now is there anything to replace an earlier run with.
  if (force) removeRows(run);
  prepareRun(run, force);
  forgetFailure(run);
  if (indices) writeWhole(fileOf(run, "indices"), JSON.stringify(Array.from(indices)));
  writeFacts(run, source);
  await writeRealImages(run, { ...source, real: splits.train });
  if (initial.selection) writeSelection(run, initial.selection, pool);
  const ready = await prepare(shared, source);
  await descend({ run, lock, train: splits.train }, ready, initial.images);
  await diagnoseRun(run, engine);
}

/** A run that this process works on. */
interface Held {
  readonly run: RunFolder;
  readonly lock: Lock;
  /** Its real images as they were read: pixels, where those of the source are whitened. */
  readonly train: Dataset;
}

/** From the initial images to the result. */
async function descend(held: Held, source: Source, images: Tensor): Promise<void> {
  const { experiment, seed } = held.run;
  const objective = objectiveOf(experiment);
  if (!objective) {
    rewindMetrics(held.run, 0);
    appendInitial(held.run, runTracker(experiment, source).measuredAt(0, { images }));
    await finish(held, source, { learned: { images }, seconds: 0 });
    images.dispose();
    return;
  }
  const optimizer = imageOptimizerOf(experiment, source);
  const rng = distillationRng(seed);
  const distillation: Distillation = { source, objective, optimizer, steps: experiment.steps, rng };
  const { progress, seconds } = await steps(held, distillation, images);
  await finish(held, source, { learned: resultOf(objective, progress), seconds });
  disposeExcept(progress, null);
}

interface Interim {
  readonly progress: Progress;
  /** Time since the first step without what tracking took, over all parts of a resumed run. */
  readonly seconds: number;
}

/** Runs the loop from the last checkpoint or the initial images to the end, and keeps record. */
async function steps(held: Held, distillation: Distillation, images: Tensor): Promise<Interim> {
  const { run } = held;
  const { experiment } = run;
  const resumed = readCheckpoint(run, distillation.source.engine);
  let progress = resumed?.progress ?? begin(distillation, images);
  if (resumed) images.dispose();
  rewindMetrics(run, progress.step);
  const label = `${experiment.name} seed ${run.seed}`;
  if (resumed) process.stderr.write(`${label}  goes on from step ${progress.step}\n`);
  const line = progressLine(label, experiment.steps, { start: progress.step });
  const tracker = runTracker(experiment, distillation.source);
  const begun = performance.now();
  const seconds = (): number =>
    (resumed?.seconds ?? 0) + (performance.now() - begun) / 1000 - tracker.seconds;
  const showImages = interimImages(run, distillation.source);
  const result = (): Learned => resultOf(distillation.objective, progress);
  const stop = stopSignal();
  let lastSkipped: string | undefined;
  try {
    await showImages(result().images);
    if (progress.step === 0) appendInitial(run, tracker.measuredAt(0, result()));
    for (const report of distill(distillation, progress)) {
      progress = report.progress;
      lastSkipped = report.skipped ?? lastSkipped;
      appendMetric(run, report, tracker.measuredAt(progress.step, result()));
      line.at(progress.step, `loss ${report.loss.toPrecision(4)}`);
      if (progress.step % experiment.checkpointEvery === 0) {
        writeCheckpoint(held, progress, seconds());
        await showImages(result().images);
      }
      await setImmediate(); // lets a signal be heard
      if (stop.asked()) {
        throw new Stopped(`${label}: stopped at step ${progress.step}; the same command goes on from there`);
      }
    }
  } catch (error) {
    // What diverges now does so again from here; an earlier checkpoint is the better state to keep.
    if (!(error instanceof Divergence) || !existsSync(fileOf(run, "checkpoint"))) {
      writeCheckpoint(held, progress, seconds());
    }
    throw error;
  } finally {
    stop.release();
  }
  line.end(`${methodName(experiment)}, ${experiment.steps} steps${skippedText(run, lastSkipped)}`);
  return { progress, seconds: seconds() };
}

/** How many steps of a run changed nothing, in words; a part of it that was done before keeps its reasons to itself. */
function skippedText(run: RunFolder, last: string | undefined): string {
  const skipped = readMetrics(run).filter((metric) => metric.skipped === 1).length;
  if (skipped === 0) return "";
  return `, ${skipped} of which were skipped${last === undefined ? "" : ` (the last for ${last})`}`;
}

/** Writes the result last: it is what marks the run as done. */
async function finish(
  { run, lock, train }: Held,
  source: Source,
  { learned, seconds }: { readonly learned: Learned; readonly seconds: number },
): Promise<void> {
  const { real, labels, engine, network } = source;
  writeFacts(run, source, seconds);
  await writeImages(run, source, learned.images);
  const pixels = { ...train, mean: real.mean, std: real.std };
  const spectra = spectraOf({ ...source, real: pixels }, normalizedValues(learned.images, real));
  writeWhole(fileOf(run, "spectra"), JSON.stringify(spectra));
  lock.check();
  writeArtifact(run, learned, { real, train, labels, network, machine: machine(engine), seconds });
  rmSync(dirname(fileOf(run, "checkpoint")), { recursive: true, force: true });
}

/** Says where the run is done, and what it took once it is. */
function writeFacts(run: RunFolder, { engine, real }: Source, distillSeconds?: number): void {
  const facts = { ...machine(engine), distillSeconds, classNames: real.classNames };
  writeWhole(fileOf(run, "machine"), `${JSON.stringify(facts, null, 2)}\n`);
}

function writeCheckpoint({ run, lock }: Held, progress: Progress, seconds: number): void {
  lock.check();
  const { engine } = progress.learned.images;
  writeWhole(
    fileOf(run, "checkpoint"),
    encodeProgress(progress, { seconds: String(seconds), engine: engine.name }),
  );
}

function readCheckpoint(run: RunFolder, engine: Engine): Interim | undefined {
  const file = fileOf(run, "checkpoint");
  if (!existsSync(file)) return undefined;
  const { progress, metadata } = inFile(file, () => decodeProgress(readFileSync(file), engine));
  check(
    metadata.engine === engine.name,
    () =>
      `${file}: expected a checkpoint of ${engine.name}, got one of ${metadata.engine}, whose numbers differ; ` +
      `go on with --engine ${metadata.engine}, or start anew with --force`,
  );
  return { progress, seconds: Number(metadata.seconds) };
}
