import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { check, InputError } from "../src/core/errors.ts";
import type { Report } from "../src/distillers/distill.ts";
import { datasets } from "../src/datasets/index.ts";
import type { TrackedDifficulty } from "../src/runs/tracking.ts";
import { type Experiment, parseYaml, resolveExperiment } from "./config.ts";
import { writeWhole } from "./files.ts";
import { leavesOf } from "./leaves.ts";
import { removeIfStale } from "./lock.ts";

/**
 * One line of metrics.jsonl. Of a step done: loss and gradientNorm before its update, what the method measures, and what is
 * tracked of the images after it. Of step 0, before the first: what is tracked alone.
 */
export interface Metric {
  readonly step: number;
  readonly [name: string]: number | undefined;
}

/**
 * The folder of one run: one experiment at one seed.
 *
 *     results/runs/EXPERIMENT/seed-0/
 *       config.yaml             every option resolved; the run can be repeated from it alone
 *       machine.json            engine, versions, machine, commit, times, class names
 *       indices.json            which training images a long-tailed subset holds
 *       selection.json          which images it starts from, and how they were chosen
 *       metrics.jsonl           loss and more, a line for each step; where the images are tracked, one of step 0 too
 *       synthetic.safetensors   the result
 *       evaluations/            a file for each network trained on it, PROTOCOL/NETWORK/SEED.json: rows of runs.csv
 *       rankings/               a file for each network trained on it for ranking scores, PROTOCOL/NETWORK/LABELS/SEED-RATE.json
 *       ranking.json            its ranking scores
 *       failure.json            why the last try ended without a result
 *       images.png              the images to look at, renewed as they are learned, and real.png to compare
 *       spectra.json            power spectra of both, overall and of each class
 *       discrepancy.json        how far its features are from those of held-out images, under random networks
 *       frequencies.json        where asked for: errors of spectral estimates of that by the number of frequencies
 *       checkpoint/             what a resumed run goes on from; removed when the run is done
 *
 * Beside it, `seed-0.lock` is there while a process works on it.
 */
export interface RunFolder {
  readonly path: string;
  readonly experiment: Experiment;
  readonly seed: number;
}

const FILES = {
  config: "config.yaml",
  machine: "machine.json",
  indices: "indices.json",
  selection: "selection.json",
  metrics: "metrics.jsonl",
  synthetic: "synthetic.safetensors",
  images: "images.png",
  real: "real.png",
  spectra: "spectra.json",
  discrepancy: "discrepancy.json",
  frequencies: "frequencies.json",
  evaluations: "evaluations",
  rankings: "rankings",
  ranking: "ranking.json",
  failure: "failure.json",
  checkpoint: "checkpoint/latest.safetensors",
} as const;

/** Where one of a run's files is. */
export function fileOf(run: { readonly path: string }, file: keyof typeof FILES): string {
  return join(run.path, FILES[file]);
}

/**
 * The folder of a run, new or taken up again; nothing is written yet. Where the data lie, the engine and how it is
 * evaluated may differ from the run it holds; that keeps the tracking it began with where this one asks for none.
 *
 * @throws InputError for a name that is no folder's, and for a folder with a run of other options unless `force` says to
 *   replace it.
 */
export function openRun(results: string, experiment: Experiment, seed: number, force = false): RunFolder {
  const { name } = experiment;
  check(
    /^\w[\w.+-]*$/.test(name),
    () => `--name: expected letters, digits and any of . + - _, as in dm-short, got ${JSON.stringify(name)}`,
  );
  const run = { path: join(results, "runs", name, `seed-${seed}`), experiment, seed };
  if (force || !(isDone(run) || existsSync(fileOf(run, "checkpoint")))) return run;
  const held = readRun(run.path).experiment;
  const differing = difference(experiment, held);
  check(
    differing.length === 0,
    () =>
      `${run.path}: holds a run of other options (${differing.join("; ")}); ` +
      "give this one another name with --name, or replace that one with --force; " +
      "for a sweep, choose another folder with --results, or remove that one",
  );
  // What began with tracking has it to the end, and what is done stays as it is: its config says what its metrics hold.
  const { tracking: asked, ...others } = experiment;
  const tracking = isDone(run) ? held.tracking : (asked ?? held.tracking);
  return { ...run, experiment: { ...(tracking && { tracking }), ...others } };
}

/** Makes the folder and writes the config; with `force`, what it held is removed first. */
export function prepareRun({ path, experiment, seed }: RunFolder, force: boolean): void {
  if (force) rmSync(path, { recursive: true, force: true });
  writeWhole(join(path, FILES.config), stringify({ ...experiment, seeds: [seed] }));
}

/** Whether a folder is a run's. */
export function isRun(path: string): boolean {
  return existsSync(join(path, FILES.config));
}

/** The run in an existing folder, with overrides `evaluation.a=value` of how it is judged, and of where its data lie. */
export function readRun(path: string, overrides: readonly string[] = []): RunFolder {
  const file = join(path, FILES.config);
  if (!isRun(path)) {
    throw new InputError(
      `${path}: expected the folder of a run, with ${FILES.config} in it, as in results/runs/NAME/seed-0`,
    );
  }
  const { name, ...config } = parseYaml(file) as Record<string, unknown>;
  const other = overrides.find((text) => !/^(evaluation\.|data\.root=)/.test(text));
  check(
    other === undefined,
    () =>
      `override: expected evaluation.…=value or data.root=DIR, as the run is done, got ${JSON.stringify(other)}`,
  );
  const experiment = resolveExperiment(String(name), config, overrides, file);
  return { path: resolve(path), experiment, seed: experiment.seeds[0]! };
}

/** Runs below a results folder, in order of their names. */
export function listRuns(results: string): string[] {
  return foldersIn(join(results, "runs")).flatMap(foldersIn).filter(isRun);
}

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(path, entry.name))
    .sort();
}

/** The results folder that a run lies in. */
export function resultsOf(run: { readonly path: string }): string {
  return resolve(run.path, "../../..");
}

/** Whether the run has come to its end. */
export function isDone(run: RunFolder): boolean {
  return existsSync(fileOf(run, "synthetic"));
}

/** The lock of whoever distils the run; with an evaluation's name, of whoever trains that network. */
export function lockOf(run: { readonly path: string }, part = ""): string {
  return `${run.path}${part === "" ? "" : `.${part}`}.lock`;
}

/** Removes locks beside runs that killed processes have left. */
export function removeStaleLocks(results: string): void {
  for (const folder of foldersIn(join(results, "runs"))) {
    for (const file of readdirSync(folder)) if (file.endsWith(".lock")) removeIfStale(join(folder, file));
  }
}

/** Adds a step's line to metrics.jsonl, with what is tracked of the images that it left. */
export function appendMetric(
  run: RunFolder,
  { progress, loss, gradientNorm, metrics }: Report,
  tracked: Partial<TrackedDifficulty> = {},
): void {
  appendLine(run, { step: progress.step, loss, gradientNorm, ...metrics, ...tracked });
}

/** Adds the line of step 0, where something is tracked of the initial images. */
export function appendInitial(run: RunFolder, tracked: Partial<TrackedDifficulty>): void {
  if (Object.keys(tracked).length > 0) appendLine(run, { step: 0, ...tracked });
}

function appendLine(run: RunFolder, line: Metric): void {
  appendFileSync(fileOf(run, "metrics"), `${JSON.stringify(line)}\n`);
}

/** All whole lines of metrics.jsonl. A line cut short by a kill or a full disk is left out. */
export function readMetrics(run: { readonly path: string }): Metric[] {
  const file = fileOf(run, "metrics");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").flatMap(metricOf);
}

function metricOf(line: string): Metric[] {
  try {
    return [JSON.parse(line) as Metric];
  } catch {
    return [];
  }
}

/** Drops the lines after a step, those that a resumed run writes again; all of them before the first step. */
export function rewindMetrics(run: RunFolder, step: number): void {
  const kept = readMetrics(run).filter((metric) => step > 0 && metric.step <= step);
  writeWhole(fileOf(run, "metrics"), kept.map((metric) => `${JSON.stringify(metric)}\n`).join(""));
}

/** What differs between two configs, but for what does not change the images: "steps: 20 there, 30 here". */
function difference(here: Experiment, there: Experiment): string[] {
  const [asked, held] = [here, there].map((experiment) => {
    const { checkpointEvery, engine, evaluation, seeds } = here;
    // Without one or the other nothing is mixed up; values under different networks would be.
    const tracking = here.tracking && there.tracking && { networks: experiment.tracking?.networks };
    // Official files hold the same images wherever they lie; a folder's images are known by the folder alone.
    const official = datasets[experiment.data.name].from !== "images";
    const data = official ? { ...experiment.data, root: here.data.root } : experiment.data;
    return leavesOf({ ...experiment, data, checkpointEvery, engine, evaluation, seeds, tracking });
  }) as [Map<string, string>, Map<string, string>];
  return [...new Set([...held.keys(), ...asked.keys()])]
    .filter((path) => held.get(path) !== asked.get(path))
    .map((path) => `${path}: ${held.get(path) ?? "nothing"} there, ${asked.get(path) ?? "nothing"} here`);
}
