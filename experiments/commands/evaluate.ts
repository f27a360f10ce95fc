import { existsSync, statSync } from "node:fs";
import { check, wholeNumber } from "../../src/core/errors.ts";
import { classCounts } from "../../src/datasets/dataset.ts";
import type { Engine } from "../../src/engines/index.ts";
import type { EvaluationPlan } from "../../src/evaluation/evaluate.ts";
import { type ProtocolId, protocols } from "../../src/evaluation/protocols.ts";
import { planOf } from "../../src/runs/plan.ts";
import { loadData } from "../data/load.ts";
import type { ExpectedAccuracy } from "../export/card.ts";
import { Busy } from "../failure.ts";
import { evaluationFile, recordRow, rowsOfRun } from "../gather.ts";
import { type ForeignOptions, foreignSubject } from "../judge/foreignSubject.ts";
import { checkFits, type Subject, subjectOf, type Judging, judgingsOf } from "../judge/subject.ts";
import { rowOf, trainAndTest } from "../judge/train.ts";
import { acquire, describe, ownerOf } from "../lock.ts";
import { type Row, rowFromJson, rowJson } from "../results.ts";
import { fileOf, isDone, lockOf, type RunFolder } from "../runFolder.ts";
import { architecturesOf } from "./evaluationText.ts";
import { diagnoseRun } from "./diagnose.ts";

export interface EvaluateOptions {
  /** Instead of the config's. */
  readonly protocol?: ProtocolId | undefined;
  /** Networks of each architecture, instead of the config's number. */
  readonly networks?: number | undefined;
  /** Names of architectures and of pools of them, instead of the config's architecture. */
  readonly architectures?: readonly string[] | undefined;
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
  const subject = subjectOf(run);
  await diagnoseRun(run, engine, false); // a process that was killed between result and diagnosis has left it out
  return await evaluateSubject(subject, engine, options);
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
  const notes = [
    ...expectations(rows, subject.card?.expected ?? []),
    ...(subject.folder ? [`rows: ${subject.folder.path}`] : []),
  ];
  return { rows, notes };
}

/** What a card says to expect of what was measured, in words. */
function expectations(rows: readonly Row[], expected: readonly ExpectedAccuracy[]): string[] {
  const { protocol } = rows[0]!;
  const { version } = protocols[protocol as ProtocolId];
  const measured = architecturesOf(rows);
  return expected
    .filter((one) => one.protocol === protocol && measured.includes(one.network))
    .map((one) => {
      const on = measured.length > 1 ? ` on ${one.network}` : "";
      return `its card says ${expectation(one, version)}${on}`;
    });
}

function expectation(
  { accuracy, std, networks, protocol, protocolVersion }: ExpectedAccuracy,
  version: number,
): string {
  const spread = std === null ? "" : ` ± ${(100 * std).toFixed(1)}`;
  const said = `${(100 * accuracy).toFixed(1)}${spread} % over ${networks} networks`;
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
  const missing = asked.judgings
    .map((judging) => ({
      judging,
      seeds: asked.seeds.filter((seed) => options.force || !hasRow(folder, judging, seed)),
    }))
    .filter(({ seeds }) => seeds.length > 0);
  const trained = missing.length > 0 ? await trainedOn(subject, missing, { engine, ...options }) : [];
  // As they would be kept, for those that are not.
  return folder ? rowsAsked(folder, asked) : trained.map((row) => rowFromJson(rowJson(row)));
}

/** Rows of the networks that the config or the options ask for, as far as they are trained. */
export function evaluatedRows(run: RunFolder, options: EvaluateOptions): Row[] {
  return rowsAsked(run, askedOf(subjectOf(run), options));
}

/** In order of architectures and seeds, as asked. */
function rowsAsked(
  folder: { readonly path: string },
  { judgings, seeds }: ReturnType<typeof askedOf>,
): Row[] {
  const rows = rowsOfRun(folder);
  return judgings.flatMap(({ protocol, network }) =>
    rows.filter(
      (row) =>
        row.protocol === protocol &&
        row.evaluationNetwork === network.name &&
        seeds.includes(row.evaluationSeed),
    ),
  );
}

/** Whether every network that the config asks for has its row, or the one that is asked for. */
export function isEvaluated(run: RunFolder, only?: number): boolean {
  if (!isDone(run)) return false;
  const { judgings, seeds } = askedOf(subjectOf(run), { only, force: false });
  return judgings.every((judging) => seeds.every((seed) => hasRow(run, judging, seed)));
}

/** What is to be trained, how, and by which seeds. */
function askedOf(subject: Subject, { protocol, networks, architectures, only }: EvaluateOptions) {
  const judgings = judgingsOf(subject, architectures).map((asked) => ({
    ...asked,
    protocol: protocol ?? asked.protocol,
  }));
  const count = wholeNumber("--count", networks ?? subject.experiment.evaluation.networks, 1);
  const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only];
  return { judgings, seeds };
}

function hasRow(folder: Subject["folder"], { network, protocol }: Judging, evaluationSeed: number): boolean {
  if (!folder) return false;
  return existsSync(evaluationFile(folder, { protocol, evaluationNetwork: network.name, evaluationSeed }));
}

/** Networks of one architecture to train. */
interface Missing {
  readonly judging: Judging;
  readonly seeds: readonly number[];
}

/**
 * Trains networks on a subject, with its rows where they are kept.
 *
 * @throws Busy once all others are trained, if some are with another process.
 */
async function trainedOn(
  subject: Subject,
  missing: readonly Missing[],
  { engine, force }: { readonly engine: Engine; readonly force: boolean },
): Promise<Row[]> {
  const { set, experiment, folder } = subject;
  const { splits } = await loadData(experiment.data);
  checkFits(subject, splits);
  const [{ judging }] = missing as [Missing];
  const protocol = protocols[judging.protocol];
  const shared = planOf(set, splits.test, { network: judging.network, protocol }, engine);
  const counts = classCounts(splits.train);
  const images = folder && stampOf(folder);
  const rows: Row[] = [];
  const busy: string[] = [];
  try {
    for (const { judging, seeds } of missing) {
      const plan: EvaluationPlan = { ...shared, network: judging.network };
      const called = missing.length > 1 ? judging.network.name : "network";
      const train = async (seed: number): Promise<Row> => {
        const more = seeds.length - 1 - seeds.indexOf(seed);
        const outcome = await trainAndTest(plan, seed, `${subject.label}, ${called} ${seed}`, more);
        return rowOf(subject.columns, plan, counts, outcome);
      };
      if (folder) busy.push(...(await recorded(folder, plan, { seeds, images, force, train })));
      else rows.push(...(await eachOf(seeds, train)));
    }
  } finally {
    shared.dispose();
  }
  if (busy.length > 0) {
    throw new Busy(
      `${subject.where}: ${busy.length} networks are still being trained elsewhere (${busy[0]})`,
    );
  }
  return rows;
}

/** One after another. */
async function eachOf(seeds: readonly number[], train: (seed: number) => Promise<Row>): Promise<Row[]> {
  const rows: Row[] = [];
  for (const seed of seeds) rows.push(await train(seed));
  return rows;
}

/**
 * Records the row of every network of one architecture as it is trained; networks that another process is at are left to it.
 *
 * @returns whose locks these are, in words.
 */
async function recorded(
  folder: { readonly path: string },
  { protocol, network }: EvaluationPlan,
  {
    seeds,
    images,
    force,
    train,
  }: {
    readonly seeds: readonly number[];
    /** Stamp of the images that they are trained on. */
    readonly images: string | undefined;
    readonly force: boolean;
    readonly train: (seed: number) => Promise<Row>;
  },
): Promise<string[]> {
  const busy: string[] = [];
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
    } finally {
      lock.release();
    }
  }
  return busy;
}

/** Tells the images of a run from others that take their place; empty for a set that lies elsewhere. */
export function stampOf(folder: { readonly path: string }): string {
  const file = fileOf(folder, "synthetic");
  if (!existsSync(file)) return "";
  const { ino, mtimeMs, size } = statSync(file);
  return `${ino} ${mtimeMs} ${size}`;
}
