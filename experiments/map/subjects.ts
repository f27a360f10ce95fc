import { check } from "../../src/core/errors.ts";
import type { Dataset, Splits } from "../../src/datasets/dataset.ts";
import { datasets } from "../../src/datasets/index.ts";
import { pixelsOfSubject } from "../commands/diagnose.ts";
import type { Experiment } from "../config.ts";
import { loadData } from "../data/load.ts";
import { foreignSubject } from "../judge/foreignSubject.ts";
import { openForeign } from "../judge/foreign.ts";
import { checkFits, type Subject, subjectOf } from "../judge/subject.ts";
import { leavesOf } from "../leaves.ts";
import { methodOf } from "../report/labels.ts";
import { isRun, readRun } from "../runFolder.ts";
import type { MapSubject } from "./record.ts";

/** Synthetic sets of one data set, and the real images beside them. */
export interface MapSubjects {
  readonly subjects: readonly SubjectImages[];
  /** The real data, and the first set's matching network. */
  readonly experiment: Pick<Experiment, "data" | "network">;
  readonly splits: Splits;
}

/** A synthetic set, and what a map says of it. */
export interface SubjectImages extends Omit<MapSubject, "geometry" | "random"> {
  /** As pixels, of mosaics those that they stand for. */
  readonly dataset: Dataset;
}

export interface SubjectArguments {
  /** Runs, exported folders, files of arrays, folders of images. */
  readonly paths: readonly string[];
  /** Real data set of sets without a card; by default that of the others. */
  readonly data?: string | undefined;
  /** `data.…=value`. */
  readonly overrides: readonly string[];
}

/**
 * Reads synthetic sets that are to be on one map.
 *
 * @throws InputError for a path that is none, a set that is named twice, and sets of different real data.
 */
export async function mapSubjects({ paths, data, overrides }: SubjectArguments): Promise<MapSubjects> {
  const twice = paths.find((path, i) => paths.indexOf(path) < i);
  check(twice === undefined, () => `map: expected each set once, got ${twice} twice`);
  const known = paths.filter(knowsItsData).map((path) => ({ path, data: undefined, overrides }));
  const found = new Map<string, Subject>();
  for (const one of known) found.set(one.path, await subjectAt(one));
  const [reference] = found.values();
  const ofOthers = reference && data === undefined ? likeness(reference, overrides) : { data, overrides };
  for (const path of paths) if (!found.has(path)) found.set(path, await subjectAt({ path, ...ofOthers }));
  const all = paths.map((path) => found.get(path)!);
  const { experiment } = all[0]!;
  for (const other of all.slice(1)) checkSameData(all[0]!, other);
  const { splits } = await loadData(experiment.data);
  for (const subject of all) checkFits(subject, splits);
  const labels = labelsOf(all);
  const subjects = all.map((subject, i) => {
    const { columns } = subject;
    const { experiment: name, distillSeed: seed, imagesPerClass, steps } = columns;
    return {
      label: labels[i]!,
      method: methodOf(columns),
      experiment: name,
      seed,
      imagesPerClass,
      steps: Number.isFinite(steps) ? steps : null,
      dataset: pixelsOfSubject(subject, splits),
    };
  });
  return { subjects, experiment, splits };
}

interface At {
  readonly path: string;
  readonly data: string | undefined;
  readonly overrides: readonly string[];
}

async function subjectAt({ path, data, overrides }: At): Promise<Subject> {
  return isRun(path)
    ? subjectOf(readRun(path, overrides))
    : await foreignSubject(path, { data, overrides, force: false });
}

/** Whether a run or a card says what data set the images are of. */
function knowsItsData(path: string): boolean {
  return isRun(path) || openForeign(path).card?.config?.["data"] !== undefined;
}

/** What makes a set without a card one of the same data as another. */
function likeness({ experiment }: Subject, overrides: readonly string[]): Omit<At, "path"> {
  const { name, ...options } = experiment.data;
  const told = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([option, value]) => `data.${option}=${JSON.stringify(value)}`);
  return { data: name, overrides: [...told, ...overrides] };
}

/** @throws InputError where two sets are of other real images; wherever official files lie, they hold the same ones. */
function checkSameData(first: Subject, other: Subject): void {
  const leaves = ({ experiment: { data } }: Subject): Map<string, string> => {
    const { root, ...options } = data;
    return leavesOf(datasets[data.name].from === "images" ? { ...options, root } : options);
  };
  const [expected, got] = [leaves(first), leaves(other)];
  const paths = [...new Set([...expected.keys(), ...got.keys()])];
  const differing = paths.filter((path) => expected.get(path) !== got.get(path));
  const saying = (of: Map<string, string>): string =>
    differing.map((path) => `${path} ${of.get(path) ?? "not set"}`).join(", ");
  check(
    differing.length === 0,
    () =>
      `map: ${other.where}: expected the real data of ${first.where} (${saying(expected)}), got ${saying(got)}; ` +
      "make a map of each",
  );
}

/** The shortest of method, experiment, and experiment with seed by which all sets are told apart. */
function labelsOf(subjects: readonly Subject[]): string[] {
  const ways = [
    subjects.map(({ columns }) => methodOf(columns)),
    subjects.map(({ columns }) => columns.experiment),
    subjects.map(({ columns }) => `${methodOf(columns)} seed ${columns.distillSeed}`),
    subjects.map(({ columns }) => `${columns.experiment} seed ${columns.distillSeed}`),
    subjects.map(({ where }) => where),
  ];
  return ways.find((labels) => new Set(labels).size === subjects.length)!;
}
