import { existsSync, statSync } from "node:fs";
import { check, wholeNumber } from "../../src/core/errors.ts";
import { classCounts } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import { type ProtocolId, protocols } from "../../src/evaluation/protocols.ts";
import { mean, sampleStandardDeviation } from "../../src/evaluation/statistics.ts";
import { type OpenPlan, planOf } from "../../src/runs/plan.ts";
import { loadData } from "../data/load.ts";
import type { ExpectedAccuracy } from "../export/card.ts";
import { Busy } from "../failure.ts";
import { evaluationFile, recordRow, rowsOfRun } from "../gather.ts";
import { type ForeignOptions, foreignSubject } from "../judge/foreignSubject.ts";
import { checkFits, type Subject, subjectOf, type Judging, judgingOf } from "../judge/subject.ts";
import { rowOf, trainAndTest } from "../judge/train.ts";
import { acquire, describe, ownerOf } from "../lock.ts";
import { pluralOf } from "../report/labels.ts";
import { type Row, rowFromJson, rowJson } from "../results.ts";
import { fileOf, isDone, lockOf, type RunFolder } from "../runFolder.ts";

export interface EvaluateOptions {
  /** Instead of the config's. */
  readonly protocol?: ProtocolId | undefined;
  readonly networks?: number | undefined;
  /** Trains this one only, of them. */
  readonly only?: number | undefined;
  /** Trains networks again whose rows are there already. */
  readonly force: boolean;
}

/**
 * Trains fresh networks on a run's synthetic set and records a row for each. Several processes can do so at once: each
 * takes the networks that no other is at.
 *
 * @returns the rows, those recorded before among them.
 * @throws InputError if the run is not done, Busy if the last networks are still with another process.
 */
export async function evaluateRun(run: RunFolder, engine: Engine, options: EvaluateOptions): Promise<Row[]> {
  return await evaluateSubject(subjectOf(run), engine, options);
}

/**
 * The same for a synthetic set of anyone's: an exported folder, a file of arrays, or a folder of images.
 *
 * @returns the rows, and what its user should know: which accuracy its card says to expect, and where rows are kept.
 * @throws InputError where it cannot be read or does not fit its real data set.
 */
export async function evaluateForeign(
  path: string,
  engine: Engine,
  options: EvaluateOptions & ForeignOptions,
): Promise<{ readonly rows: Row[]; readonly notes: readonly string[] }> {
  const subject = await foreignSubject(path, options);
  const rows = await evaluateSubject(subject, engine, options);
  const [{ protocol, evaluationNetwork }] = rows as [Row];
  const expected = subject.card?.expected?.find(
    (one) => one.protocol === protocol && one.network === evaluationNetwork,
  );
  const { version } = protocols[protocol as ProtocolId];
  const notes = [
    ...(expected ? [expectation(expected, version)] : []),
    ...(subject.folder ? [`rows: ${subject.folder.path}`] : []),
  ];
  return { rows, notes };
}

/** What a card says to expect, in words. */
function expectation(
  { accuracy, std, networks, protocol, protocolVersion }: ExpectedAccuracy,
  version: number,
): string {
  const spread = std === null ? "" : ` ± ${(100 * std).toFixed(1)}`;
  const said = `its card says ${(100 * accuracy).toFixed(1)}${spread} % over ${networks} networks`;
  return protocolVersion === version
    ? said
    : `${said}, but by version ${protocolVersion} of ${protocol}; this is version ${version}, and the two do not compare`;
}

/** The same for any synthetic set. Without a folder to keep rows in, all networks are trained, and nothing is recorded. */
export async function evaluateSubject(
  subject: Subject,
  engine: Engine,
  options: EvaluateOptions,
): Promise<Row[]> {
  const { folder } = subject;
  const asked = askedOf(subject, options);
  const { training, seeds } = asked;
  const missing = seeds.filter((seed) => options.force || !hasRow(folder, training, seed));
  const trained =
    missing.length > 0 ? await trainedOn(subject, training, missing, { engine, ...options }) : [];
  // As they would be kept, for those that are not.
  return folder ? rowsAsked(folder, asked) : trained.map((row) => rowFromJson(rowJson(row)));
}

/** Rows of the networks that the config or the options ask for, as far as they are trained. */
export function evaluatedRows(run: RunFolder, options: EvaluateOptions): Row[] {
  return rowsAsked(run, askedOf(subjectOf(run), options));
}

function rowsAsked(
  folder: { readonly path: string },
  { training, seeds }: ReturnType<typeof askedOf>,
): Row[] {
  return rowsOfRun(folder).filter(
    ({ protocol, evaluationNetwork, evaluationSeed }) =>
      protocol === training.protocol &&
      evaluationNetwork === training.network.name &&
      seeds.includes(evaluationSeed),
  );
}

/** Whether every network that the config asks for has its row, or the one that is asked for. */
export function isEvaluated(run: RunFolder, only?: number): boolean {
  if (!isDone(run)) return false;
  const { training, seeds } = askedOf(subjectOf(run), { only, force: false });
  return seeds.every((seed) => hasRow(run, training, seed));
}

/** What is to be trained, how, and by which seeds. */
function askedOf(subject: Subject, { protocol, networks, only }: EvaluateOptions) {
  const asked = judgingOf(subject);
  const training: Judging = { ...asked, protocol: protocol ?? asked.protocol };
  const count = wholeNumber("--networks", networks ?? subject.experiment.evaluation.networks, 1);
  const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only];
  return { training, seeds };
}

function hasRow(folder: Subject["folder"], { network, protocol }: Judging, evaluationSeed: number): boolean {
  if (!folder) return false;
  return existsSync(evaluationFile(folder, { protocol, evaluationNetwork: network.name, evaluationSeed }));
}

/** Trains the networks of some seeds on a subject, with its rows where they are kept. */
async function trainedOn(
  subject: Subject,
  training: Judging,
  seeds: readonly number[],
  { engine, force }: { readonly engine: Engine; readonly force: boolean },
): Promise<Row[]> {
  const { set, experiment, folder } = subject;
  const { splits } = await loadData(experiment.data);
  checkFits(subject, splits);
  const protocol = protocols[training.protocol];
  const plan = planOf(set, splits.test, { network: training.network, protocol }, engine);
  const train = async (seed: number): Promise<Row> => {
    const more = seeds.length - 1 - seeds.indexOf(seed);
    const outcome = await trainAndTest(plan, seed, `${subject.label}, network ${seed}`, more);
    return rowOf(subject.columns, plan, classCounts(splits.train), outcome);
  };
  try {
    if (folder) return await recorded(folder, plan, { seeds, force, train });
    const rows: Row[] = [];
    for (const seed of seeds) rows.push(await train(seed));
    return rows;
  } finally {
    plan.dispose();
  }
}

/** Records the row of every network as it is trained; networks that another process is at are left to it. */
async function recorded(
  folder: { readonly path: string },
  { protocol, network }: OpenPlan,
  {
    seeds,
    force,
    train,
  }: {
    readonly seeds: readonly number[];
    readonly force: boolean;
    readonly train: (seed: number) => Promise<Row>;
  },
): Promise<Row[]> {
  const busy: string[] = [];
  const rows: Row[] = [];
  const images = stampOf(folder);
  for (const seed of seeds) {
    const path = lockOf(folder, `${protocol.id}.${network.name}.${seed}`);
    const lock = acquire(path);
    if (!lock) {
      busy.push(describe(ownerOf(path)));
      continue;
    }
    try {
      // Another process may have trained it since the list was made.
      if (!force && hasRow(folder, { network, protocol: protocol.id as ProtocolId }, seed)) continue;
      const row = await train(seed);
      lock.check();
      check(
        stampOf(folder) === images,
        () => `${folder.path}: its images were replaced while networks were trained on them; evaluate again`,
      );
      recordRow(folder, row);
      rows.push(row);
    } finally {
      lock.release();
    }
  }
  if (busy.length > 0) {
    throw new Busy(`${folder.path}: ${busy.length} networks are still being trained elsewhere (${busy[0]})`);
  }
  return rows;
}

/** Tells the images of a run from others that take their place; empty for a set that lies elsewhere. */
function stampOf(folder: { readonly path: string }): string {
  const file = fileOf(folder, "synthetic");
  if (!existsSync(file)) return "";
  const { ino, mtimeMs, size } = statSync(file);
  return `${ino} ${mtimeMs} ${size}`;
}

/** Accuracy of rows as text: mean and spread over networks, in percent. */
export function accuracyText(rows: readonly Row[]): string {
  const accuracies = rows.map((row) => 100 * row.accuracy).filter(Number.isFinite);
  if (accuracies.length === 0) return `no accuracy: ${rows[0]?.status ?? "no network was trained"}`;
  const spread = accuracies.length > 1 ? ` ± ${sampleStandardDeviation(accuracies).toFixed(1)}` : "";
  return `${mean(accuracies).toFixed(1)}${spread} % over ${pluralOf(accuracies.length, "network")}`;
}
