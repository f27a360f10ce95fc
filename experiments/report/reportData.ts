import { existsSync, readFileSync, statSync } from "node:fs";

import { InputError } from "../../src/core/errors.ts";
import type { FeatureDiscrepancy } from "../../src/evaluation/featureDiscrepancy.ts";
import type { KernelErrors } from "../../src/evaluation/frequencyErrors.ts";
import { continualFiles, type ContinualResult, readContinual } from "../continual/result.ts";
import { dataName } from "../data/load.ts";
import { readJson } from "../files.ts";
import { listFolders, rowsFile } from "../gather.ts";
import { isHeld } from "../lock.ts";
import { readMaps } from "../map/files.ts";
import type { Machine } from "../machine.ts";
import { type RankingRecord, readRankings } from "../rank/record.ts";
import { readRow, readRows, type Row } from "../results.ts";
import {
  fileOf,
  isDone,
  listRuns,
  lockOf,
  type Metric,
  readMetrics,
  readRun,
  type RunFolder,
} from "../runFolder.ts";
import { methodName, networkInWords } from "../setting.ts";
import { readSelection } from "../selection.ts";
import type { Spectra } from "../spectra.ts";
import type { RunRecord } from "./data.ts";
import { gridFiles } from "./gridFiles.ts";
import { methodOf } from "./labels.ts";
import { inOrder } from "./order.ts";
import type { PageData, ResolvedConfig, Unfinished, UsedMachine } from "./page/pageData.ts";
import { pictureOf, rowsShown } from "./page/pictures.ts";
import { remembered } from "./remembered.ts";
import { groups, summarize } from "./summarize.ts";

/** A results folder as read: what all its reports are made of. */
export interface Results {
  readonly path: string;
  /** Like the runs: baselines first, then in the order of the table of methods. */
  readonly rows: readonly Row[];
  readonly runs: readonly StudiedRun[];
  /** Of runs and of other sets, in the same order. */
  readonly rankings: readonly RankingRecord[];
  /** Class-incremental learning. */
  readonly continual: readonly ContinualResult[];
  /** Run folders that could not be read, and why. */
  readonly unreadable: readonly string[];
}

/** A run folder, and what a report says of it. */
export interface StudiedRun extends Omit<
  RunRecord,
  "metrics" | "spectra" | "discrepancy" | "frequencies" | "selection"
> {
  readonly folder: RunFolder;
  readonly done: boolean;
  /** Where it was done, and on which classes; none before its first step. */
  readonly machine?: RunMachine;
}

type RunMachine = Machine & { readonly classNames: readonly string[] };

/** Rows and run folders of a results folder. What cannot be read is told of, and all else is shown. */
export function readResults(path: string): Results {
  const unreadable: string[] = [];
  const readable = <T>(places: readonly string[], read: (place: string) => readonly T[]): T[] =>
    places.flatMap((place) => {
      try {
        return read(place);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        unreadable.push(error.message);
        return [];
      }
    });
  const runs = readable(listRuns(path), (folder) => [studied(readRun(folder))]);
  const rankings = readable(listFolders(path), (folder) => readRankings({ path: folder }));
  return {
    path,
    rows: inMethodOrder(readRows(rowsFile(path)), methodOf),
    runs: inMethodOrder(runs, ({ method }) => method),
    rankings: inMethodOrder(rankings, methodOf),
    continual: readable(continualFiles(path), (file) => [readContinual(file)]),
    unreadable,
  };
}

function inMethodOrder<T>(items: readonly T[], methodOfItem: (item: T) => string): T[] {
  const order = inOrder(items.map(methodOfItem));
  return [...items].sort((a, b) => order.indexOf(methodOfItem(a)) - order.indexOf(methodOfItem(b)));
}

function studied(folder: RunFolder): StudiedRun {
  const { name, data, imagesPerClass, plugins } = folder.experiment;
  const objective = methodName(folder.experiment);
  return {
    experiment: name,
    method: methodOf({ objective, plugins: plugins.map((plugin) => plugin.name).join(" ") }),
    dataset: dataName(data),
    imbalance: data.imbalance,
    imagesPerClass,
    seed: folder.seed,
    folder,
    done: isDone(folder),
    ...trackingOf(folder),
    ...machineOf(fileOf(folder, "machine")),
  };
}

function trackingOf({ experiment }: RunFolder): Pick<RunRecord, "tracking"> {
  const { tracking, network } = experiment;
  if (!tracking) return {};
  const { models, epochs, network: own = network } = tracking.networks;
  return { tracking: { models, epochs, network: networkInWords(own) } };
}

function machineOf(file: string): { readonly machine?: RunMachine } {
  return existsSync(file) ? { machine: readJson(file) as RunMachine } : {};
}

/** All that the page of a results folder shows, methods held against a baseline; see `pairedComparisons`. */
export async function reportData(results: Results, baseline?: string): Promise<PageData> {
  const { rows, runs, rankings, unreadable } = results;
  const done = runs.filter((run) => run.done);
  const machines = runs.flatMap(({ machine }) => machine ?? []);
  const files = gridFiles(results);
  const grids = files.map(async ({ source, classes, ...grid }) => ({
    ...grid,
    picture: await pictureOf(source, classes, rowsShown(files.length)),
  }));
  return {
    rows,
    summaries: summarize(rows),
    classNames: Object.fromEntries(
      runs.flatMap(({ dataset, machine }) => (machine ? [[dataset, machine.classNames]] : [])),
    ),
    runs: done.map(recordOf),
    ...(rankings.length > 0 && { rankings }),
    continual: results.continual,
    maps: readMaps(results.path),
    grids: await Promise.all(grids),
    unfinished: runs.filter((run) => !run.done).map(unfinishedOf),
    machines: machinesOf(machines),
    configs: configsOf(runs),
    unreadable,
    baseline,
  };
}

function recordOf(run: StudiedRun): RunRecord {
  const [spectra, discrepancy, frequencies] = (["spectra", "discrepancy", "frequencies"] as const).map(
    (file) => fileOf(run.folder, file),
  ) as [string, string, string];
  const selection = readSelection(run.folder);
  return {
    ...run,
    metrics: metricsOf(run.folder),
    ...(selection && { selection }),
    ...(existsSync(spectra) && { spectra: readJson(spectra) as Spectra }),
    ...(existsSync(discrepancy) && { discrepancy: readJson(discrepancy) as FeatureDiscrepancy }),
    ...(existsSync(frequencies) && { frequencies: readJson(frequencies) as KernelErrors[] }),
  };
}

function unfinishedOf(run: StudiedRun): Unfinished {
  const { folder } = run;
  const metrics = metricsOf(folder);
  const [logged, failure] = [fileOf(folder, "metrics"), fileOf(folder, "failure")];
  return {
    ...run,
    step: metrics.at(-1)?.step ?? 0,
    steps: folder.experiment.steps,
    metrics,
    busy: isHeld(lockOf(folder)),
    ...(existsSync(logged) && { updated: statSync(logged).mtime.toISOString() }),
    ...(existsSync(failure) && { failure: readRow(failure).status }),
  };
}

function metricsOf(folder: RunFolder): readonly Metric[] {
  const file = fileOf(folder, "metrics");
  return existsSync(file) ? knownMetrics(file, folder.path) : [];
}

const knownMetrics = remembered((_, path: string) => readMetrics({ path }));

/** What makes two machines one line of the table. */
const sameMachine = [
  "processor",
  "cores",
  "memoryGiB",
  "engineDescription",
  "distillery",
  "commit",
  "node",
] as const satisfies readonly (keyof Machine)[];

function machinesOf(machines: readonly RunMachine[]): UsedMachine[] {
  return [...groups(machines, sameMachine).values()].map((alike) => ({
    ...alike.reduce((a, b) => (b.date > a.date ? b : a)),
    runs: alike.length,
  }));
}

/** One config for all seeds of an experiment. */
function configsOf(runs: readonly StudiedRun[]): ResolvedConfig[] {
  return [...groups(runs, ["experiment"]).values()].map((all) => ({
    experiment: all[0]!.experiment,
    dataset: all[0]!.dataset,
    seeds: all.map(({ seed }) => seed).sort((a, b) => a - b),
    text: readFileSync(fileOf(all[0]!.folder, "config"), "utf8"),
  }));
}
