import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { check, InputError, oneOf } from "../../src/core/errors.ts";
import { datasets } from "../../src/datasets/index.ts";
import { cellsOf } from "../../src/datasets/partition.ts";
import { decodedSet, type StoredSet } from "../../src/runs/storedSet.ts";
import { bytes, sha256 } from "../artifact.ts";
import { type Experiment, experimentSchema, resolveExperiment } from "../config.ts";
import { dataName, loadData } from "../data/load.ts";
import type { Card } from "../export/card.ts";
import { readJson, writeWhole } from "../files.ts";
import { optionsText } from "../leaves.ts";
import { artifactFolder, SOURCE } from "../gather.ts";
import { type ClassedSet, inOrder } from "./classOrder.ts";
import { type Foreign, nameOf, openForeign } from "./foreign.ts";
import type { Subject, SubjectColumns } from "./subject.ts";

export interface ForeignOptions {
  /** Real data set whose test images judge it; by default the card's. */
  readonly data?: string | undefined;
  /** `data.…=value` and `evaluation.…=value`. */
  readonly overrides: readonly string[];
  /** What to call it; by default what its card or its folder does. */
  readonly name?: string | undefined;
  /** Results folder that keeps its rows; without one they are not kept. */
  readonly results?: string | undefined;
  /** Replaces another set that was kept under the name, with its rows. */
  readonly force: boolean;
}

/** A set of anyone's as the subject of an evaluation, and what its card says. */
export interface ForeignSubject extends Subject {
  readonly card: Card | undefined;
}

/**
 * A synthetic set of anyone's, as the subject of an evaluation.
 *
 * @throws InputError where it cannot be read, or its real data set is not known.
 */
export async function foreignSubject(path: string, options: ForeignOptions): Promise<ForeignSubject> {
  const foreign = openForeign(path);
  const { card } = foreign;
  const name = options.name ?? nameOf(foreign);
  const experiment = experimentOf(foreign, options);
  const { splits } = await loadData(experiment.data);
  const real = splits.train;
  const read = { set: await foreign.read(real), classNames: card?.classNames ?? real.classNames };
  const { set, classNames } = inOrder(read, real.classNames);
  const columns = columnsOf(name, { set, classNames }, card, experiment);
  const { results, force } = options;
  return {
    where: foreign.path,
    label: name,
    set,
    classNames,
    experiment,
    columns,
    card,
    ...(results !== undefined && { folder: keptIn(results, columns, { foreign, set, force }) }),
  };
}

/** The data set and the evaluation that the card or the caller asks for. */
function experimentOf(
  { path, card }: Foreign,
  { data: asked, overrides }: ForeignOptions,
): Pick<Experiment, "data" | "network" | "evaluation"> {
  const { data, network, evaluation } = (card?.config ?? {}) as Record<string, unknown>;
  const held = typeof data === "object" && data !== null ? (data as { readonly name?: unknown }) : undefined;
  const other = overrides.find((text) => !/^(data|evaluation)\./.test(text));
  check(
    other === undefined,
    () => `override: expected data.…=value or evaluation.…=value, got ${JSON.stringify(other)}`,
  );
  if (asked !== undefined) oneOf("--data", datasets, asked);
  const chosen = asked === undefined || asked === held?.name ? held : { name: asked };
  check(
    chosen !== undefined,
    () =>
      `${path}: expected --data NAME, the real data set whose test images judge it, as in ` +
      `--data cifar10 data.root=DIR, got none; the set has no card that names it`,
  );
  const resolved = resolveExperiment(path, { data: chosen, network, evaluation, steps: 0 }, overrides);
  return { data: resolved.data, network: resolved.network, evaluation: resolved.evaluation };
}

/** What rows say of a set, as far as its card does. */
function columnsOf(
  name: string,
  { set, classNames }: ClassedSet,
  card: Card | undefined,
  experiment: Pick<Experiment, "data">,
): SubjectColumns {
  const config = experimentSchema.safeParse(card?.config);
  return {
    experiment: name,
    dataset: dataName(experiment.data),
    imbalance: experiment.data.imbalance,
    imagesPerClass: Math.round(storedCount(set, card) / classNames.length),
    objective: card?.method ?? name, // what a table calls it
    plugins: (card?.plugins ?? []).join(" "),
    network: card?.network?.name ?? "unknown",
    steps: Number(card?.config?.steps ?? NaN),
    options: config.success ? optionsText({ ...config.data, name }) : "",
    distillSeed: card?.seed ?? 0,
    distillSeconds: card?.distillSeconds ?? NaN,
    peakMegabytes: card?.peakMegabytes ?? NaN,
  };
}

/** Images that a set counts: the mosaics, where it holds the cells of some. */
function storedCount({ labels, partition }: StoredSet, card: Card | undefined): number {
  const isDecoded = partition === undefined && card?.partition !== undefined;
  return isDecoded ? labels.length / cellsOf(card.partition!) : labels.length;
}

/** The folder below a results folder that keeps a set's rows. */
function keptIn(
  results: string,
  { experiment: name, distillSeed }: SubjectColumns,
  { foreign, set, force }: { readonly foreign: Foreign; readonly set: StoredSet; readonly force: boolean },
): { readonly path: string } {
  check(
    /^\w[\w.+-]*$/.test(name),
    () => `--name: expected letters, digits and any of . + - _, as in dm-short, got ${JSON.stringify(name)}`,
  );
  const run = join(results, "runs", name, `seed-${distillSeed}`);
  check(!existsSync(run), () => `${run}: is a run of this name; call the set something else with --name`);
  const folder = artifactFolder(results, name, distillSeed);
  const file = join(folder, SOURCE);
  const { images, labels, softLabels } = decodedSet(set);
  const hash = sha256(bytes(images), bytes(labels), bytes(softLabels ?? new Float32Array(0)));
  const source = { path: resolve(foreign.path), sha256: hash };
  if (existsSync(file)) {
    const before = readJson(file) as typeof source;
    if (before.sha256 !== hash && !force) {
      throw new InputError(
        `${folder}: holds rows of another set (${before.path}); call this one something else with --name, ` +
          "or replace those with --force",
      );
    }
    if (before.sha256 !== hash) rmSync(folder, { recursive: true });
  }
  writeWhole(file, `${JSON.stringify({ ...source, card: foreign.card }, null, 2)}\n`);
  return { path: folder };
}
