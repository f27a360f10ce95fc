import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { check } from "../../src/core/errors.ts";
import { normalized, type Splits } from "../../src/datasets/dataset.ts";
import { decodeProgress, encodeProgress } from "../../src/distillers/checkpoint.ts";
import { begin, distill, type Distillation, type Progress } from "../../src/distillers/distill.ts";
import { initialImages } from "../../src/distillers/initialize.ts";
import { disposeExcept, type Engine } from "../../src/engines/index.ts";
import type { Source } from "../../src/objectives/objective.ts";
import { optimizerOf } from "../../src/optimizers/index.ts";
import { writeArtifact } from "../artifact.ts";
import type { Experiment } from "../config.ts";
import { loadData } from "../data/load.ts";
import { writeWhole } from "../files.ts";
import { imageGrid } from "../images.ts";
import { machine } from "../machine.ts";
import { progressLine } from "../progress.ts";
import { appendMetric, fileOf, isDone, openRun, rewindMetrics, type RunFolder } from "../runFolder.ts";
import { distillationRng, methodName, objectiveOf, sourceOf } from "../setting.ts";

export interface DistillOptions {
  /** Results folder. */
  readonly results: string;
  /** Replaces runs of the same name that were done with other options, and does done ones again. */
  readonly force: boolean;
}

/**
 * Distils every seed of an experiment that is not done yet; one that was interrupted goes on from its last checkpoint.
 *
 * @returns the folders of its runs, in the order of the seeds.
 */
export async function distillExperiment(
  experiment: Experiment,
  engine: Engine,
  { results, force }: DistillOptions,
): Promise<RunFolder[]> {
  const runs = experiment.seeds.map((seed) => openRun(results, experiment, seed, force));
  const open = runs.filter((run) => !isDone(run));
  if (open.length === 0) return runs;
  const { splits, indices } = await loadData(experiment.data);
  for (const run of open) {
    if (indices) writeWhole(fileOf(run, "indices"), JSON.stringify(Array.from(indices)));
    await distillRun(run, splits, engine);
  }
  return runs;
}

async function distillRun(run: RunFolder, splits: Splits, engine: Engine): Promise<void> {
  const { experiment, seed } = run;
  const source = sourceOf(experiment, splits, engine);
  const rng = distillationRng(seed);
  const objective = objectiveOf(experiment);
  const start = (): Progress["learned"]["images"] => initialImages(source, experiment, rng);
  const label = `${experiment.name} seed ${seed}`;
  if (!objective) {
    const images = start();
    await finish(run, source, { learned: { images }, seconds: 0 });
    images.dispose();
    return;
  }
  const optimizer = optimizerOf(experiment.optimizer);
  const distillation: Distillation = { source, objective, optimizer, steps: experiment.steps, rng };
  const resumed = readCheckpoint(run, engine);
  let progress = resumed?.progress ?? begin(distillation, start());
  rewindMetrics(run, progress.step);
  const line = progressLine(label, experiment.steps, progress.step);
  const begun = performance.now();
  const seconds = (): number => (resumed?.seconds ?? 0) + (performance.now() - begun) / 1000;
  try {
    for (const report of distill(distillation, progress)) {
      progress = report.progress;
      appendMetric(run, report);
      line.at(progress.step, `step ${progress.step}/${experiment.steps}  loss ${report.loss.toPrecision(4)}`);
      if (progress.step % experiment.checkpointEvery === 0) writeCheckpoint(run, progress, seconds());
    }
  } catch (error) {
    writeCheckpoint(run, progress, seconds());
    throw error;
  }
  line.end(`${methodName(experiment)}, ${experiment.steps} steps`);
  await finish(run, source, { learned: progress.learned, seconds: seconds() });
  disposeExcept(progress, null);
}

/** Writes the result last: it is what marks the run as done. */
async function finish(
  run: RunFolder,
  source: Source,
  { learned, seconds }: { readonly learned: Progress["learned"]; readonly seconds: number },
): Promise<void> {
  const { real, labels, engine, classes, imagesPerClass } = source;
  const { imageShape, classNames, mean, std } = real;
  const about = machine(engine);
  const facts = { ...about, distillSeconds: seconds, classNames };
  writeWhole(fileOf(run, "machine"), `${JSON.stringify(facts, null, 2)}\n`);
  const grid = (images: ArrayLike<number>): Promise<Buffer> =>
    imageGrid({ images, imageShape, labels, classes: classNames.length, mean, std });
  writeWhole(fileOf(run, "images"), await grid(learned.images.values()));
  const firsts = classes.flatMap((members) =>
    Array.from({ length: imagesPerClass }, (_, i) => members[i % members.length]!),
  );
  writeWhole(fileOf(run, "real"), await grid(normalized(real, firsts)));
  writeArtifact(run, learned, { real, labels, network: source.network.name, machine: about, seconds });
  rmSync(dirname(fileOf(run, "checkpoint")), { recursive: true, force: true });
}

function writeCheckpoint(run: RunFolder, progress: Progress, seconds: number): void {
  const { engine } = progress.learned.images;
  writeWhole(
    fileOf(run, "checkpoint"),
    encodeProgress(progress, { seconds: String(seconds), engine: engine.name }),
  );
}

function readCheckpoint(
  run: RunFolder,
  engine: Engine,
): { readonly progress: Progress; readonly seconds: number } | undefined {
  const file = fileOf(run, "checkpoint");
  if (!existsSync(file)) return undefined;
  const { progress, metadata } = decodeProgress(readFileSync(file), engine);
  check(
    metadata.engine === engine.name,
    () =>
      `${file}: expected a checkpoint of ${engine.name}, got one of ${metadata.engine}, whose numbers differ; ` +
      `go on with --engine ${metadata.engine}, or start anew with --force`,
  );
  return { progress, seconds: Number(metadata.seconds) };
}
