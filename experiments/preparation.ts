import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { sortedKeys } from "../src/core/sortedKeys.ts";
import { coresetOf } from "../src/distillers/initialize.ts";
import type { Tree } from "../src/engines/index.ts";
import type { Preparation, Source } from "../src/objectives/objective.ts";
import { objectiveOf, preparationKey, preparationRng } from "../src/runs/setting.ts";
import { difficultyTracker } from "../src/runs/tracking.ts";
import { zcaPreparation } from "../src/runs/zca.ts";
import type { Experiment } from "./config.ts";
import { withoutPlace } from "./data/load.ts";
import { Stopped } from "./failure.ts";
import { acquire, isHeld } from "./lock.ts";
import {
  checkpointOf,
  checkpointPath,
  faultOfPart,
  isThere,
  partFile,
  readPart,
  removeDamaged,
  removePartials,
  writePart,
} from "./partFile.ts";
import { checkSpace } from "./preparedSpace.ts";
import { progressLine } from "./progress.ts";
import { pluralOf } from "./report/labels.ts";
import { unreadBytes } from "./sealedFile.ts";
import { stopSignal } from "./stopSignal.ts";

/** A preparation and the folder that keeps its parts, one file each. */
export interface Prepared {
  readonly preparation: Preparation;
  /** Name of the folder. */
  readonly name: string;
  readonly path: string;
  /** What must be there before it, part by part. */
  readonly needs: readonly Prepared[];
}

/**
 * The folder of a preparation: PREPARED/experts-1a2b3c4d5e, named by a hash of all that the parts depend on. So runs that
 * agree share it, and options that change the parts never meet old ones.
 */
export function preparedFor(root: string, experiment: Experiment, preparation: Preparation): Prepared {
  const { name, options, network = experiment.network } = preparation;
  const needs = (preparation.needs ?? []).map((need) => preparedFor(root, experiment, need));
  // How many parts there are does not count: each is the same among few or many.
  const key = sortedKeys({
    ...{ name, options, network },
    data: withoutPlace(experiment.data),
    needs: needs.map((need) => need.name),
    ...(experiment.zca && { zca: true }),
  });
  const hash = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 10);
  const folder = `${name}-${hash}`;
  return { preparation, name: folder, path: join(root, folder), needs };
}

/** One part of a preparation, for whoever shares the parts out. */
export interface Part {
  readonly prepared: Prepared;
  readonly index: number;
}

/** Whether another process makes a part, as far as this one can tell. */
export function isPartBusy({ prepared, index }: Part): boolean {
  return isHeld(`${partFile(prepared.path, index).path}.lock`);
}

/** What is kept of a part and of those that it needs, as a text that changes whenever it comes further. */
export function stateOfPart({ prepared, index }: Part): string {
  const file = partFile(prepared.path, index);
  const times = [file.path, checkpointPath(file)].map(
    (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return [...times, ...prepared.needs.map((need) => stateOfPart({ prepared: need, index }))].join(" ");
}

/** Whether a part is there, as far as its length and header tell: cheap enough to ask again and again. */
export function hasPart({ path }: Prepared, index: number): boolean {
  return isThere(partFile(path, index), "outside");
}

/** Whether all parts are there, as far as their lengths and headers tell. */
export function hasAllParts(prepared: Prepared): boolean {
  return indicesOf(prepared).every((index) => hasPart(prepared, index));
}

const indicesOf = ({ preparation }: Prepared): number[] =>
  Array.from({ length: preparation.parts }, (_, index) => index);

/**
 * Makes a part unless it is there and fits its checksum, and before it the parts of this number that it needs. Nothing is
 * waited for, so that no two processes can wait for each other.
 *
 * @param progress is told the share of the part that is done; by default a line shows it.
 * @returns whether it is there now; false while another process makes it or what it needs.
 */
export async function makePart(
  prepared: Prepared,
  source: Source,
  index: number,
  progress?: (share: number) => void,
): Promise<boolean> {
  const file = partFile(prepared.path, index);
  if (isThere(file, "whole")) return true;
  for (const need of prepared.needs) if (!(await makePart(need, source, index))) return false;
  const lock = acquire(`${file.path}.lock`);
  if (!lock) return false;
  const stop = stopSignal();
  try {
    if (isThere(file, "whole")) return true;
    removeDamaged(file);
    removePartials(file);
    const line = progress ? undefined : progressLine(partName(prepared, index), 1, { unit: "share" });
    const checkpoint = checkpointOf(file, source.engine);
    const work = workOn({ prepared, index }, source, checkpoint.read());
    let next = work.next();
    for (; !next.done; next = work.next()) {
      const { share, state } = next.value;
      (progress ?? line!.at)(share);
      await setImmediate(); // lets a signal be heard
      const asked = stop.asked();
      if (state !== undefined) checkpoint.write(state, asked);
      if (asked) {
        const way = state === undefined ? "makes it anew" : "goes on with it";
        throw new Stopped(`${prepared.name}: part ${index} stopped; the same command ${way}`);
      }
    }
    lock.check();
    writePart(file, next.value);
    checkpoint.remove();
    line?.end();
    return true;
  } finally {
    stop.release();
    lock.release();
  }
}

/**
 * The work of making a part, from its beginning or from what a report held. The parts of its number that it needs must be
 * there.
 */
export function workOn(
  { prepared, index }: Part,
  source: Source,
  state?: Tree,
): ReturnType<Preparation["part"]> {
  const { preparation, needs } = prepared;
  return preparation.part(readingFrom(needs, source), index, preparationRng(preparation, index), state);
}

/** "experts 3/100". */
const partName = ({ preparation }: Prepared, index: number): string =>
  `${preparation.name} ${index + 1}/${preparation.parts}`;

/** The folders of all that an experiment's runs share, each once and after those that it needs. */
export function allPreparedFor(root: string, experiment: Experiment): Prepared[] {
  return withNeeds(
    preparationsOf(experiment).map((preparation) => preparedFor(root, experiment, preparation)),
  );
}

/** The folders of what an experiment's initial images are chosen by. */
export function initialPreparedFor(root: string, { initialization, ...experiment }: Experiment): Prepared[] {
  const preparations = coresetOf(initialization)?.preparations ?? [];
  return preparations.map((one) => preparedFor(root, { initialization, ...experiment }, one));
}

/** These and what they need, each once, with the most parts asked for, and after what it needs. */
export function withNeeds(all: readonly Prepared[]): Prepared[] {
  const byPath = new Map<string, Prepared>();
  for (const one of all.flatMap((prepared) => [...withNeeds(prepared.needs), prepared])) {
    const found = byPath.get(one.path);
    if (!found || found.preparation.parts < one.preparation.parts) byPath.set(one.path, one);
  }
  return [...byPath.values()];
}

/** The whitening, what its initial images and its method need beforehand, and what its images are tracked under. */
function preparationsOf(experiment: Experiment): readonly Preparation[] {
  const { preparations = [] } = objectiveOf(experiment) ?? {};
  const ofInitial = coresetOf(experiment.initialization)?.preparations ?? [];
  const { tracking, zca } = experiment;
  return [
    ...(zca ? [zcaPreparation()] : []),
    ...ofInitial,
    ...preparations,
    ...(tracking ? difficultyTracker(tracking).preparations : []),
  ];
}

/**
 * Makes all parts of each and of what they need, side by side with other processes that do the same, and gives the source
 * that reads them. Parts that are there are first held against their checksums.
 *
 * @param free bytes that may still be written into a folder.
 * @throws InputError, before anything is made, where they do not fit on the disk.
 */
export async function prepare(
  all: readonly Prepared[],
  source: Source,
  free?: (path: string) => number,
): Promise<Source> {
  const every = withNeeds(all);
  await checkParts(every);
  checkSpace(every, source, free);
  for (const prepared of every) await makeParts(prepared, source);
  return readingFrom(every, source);
}

/** Checking fewer bytes than these is a matter of a second, and not worth a line. */
const SILENT_BYTES = 1e9;

/**
 * Holds all parts that this process has not seen yet against their checksums, and removes damaged ones. What another process
 * is at is left to it.
 */
export async function checkParts(all: readonly Prepared[]): Promise<void> {
  const files = all.flatMap((prepared) => indicesOf(prepared).map((index) => partFile(prepared.path, index)));
  const unread = files
    .map((file) => ({ file, bytes: unreadBytes(file.path) }))
    .filter(({ bytes }) => bytes > 0);
  const total = unread.reduce((sum, { bytes }) => sum + bytes, 0);
  const line = total < SILENT_BYTES ? undefined : progressLine("checking parts", total / 1e6, { unit: "MB" });
  let done = 0;
  for (const { file, bytes } of unread) {
    if (faultOfPart(file, "whole") !== undefined) {
      const lock = acquire(`${file.path}.lock`, { long: false });
      if (lock) removeDamaged(file);
      lock?.release();
    }
    done += bytes;
    line?.at(done / 1e6);
    await setImmediate(); // lets a signal be heard
  }
  line?.end();
}

/** Seconds until parts that other processes make are looked at again. */
const REVISIT = 1;

async function makeParts(prepared: Prepared, source: Source): Promise<void> {
  let open = indicesOf(prepared).filter((index) => !isThere(partFile(prepared.path, index), "whole"));
  if (open.length === 0) return;
  const { name, parts } = prepared.preparation;
  const there = (): number => indicesOf(prepared).filter((index) => hasPart(prepared, index)).length;
  const line = progressLine(name, parts, { unit: "part", start: parts - open.length });
  while (open.length > 0) {
    const busy: number[] = [];
    for (const index of open) {
      const before = there(); // with those that other processes have made meanwhile
      const isMade = await makePart(prepared, source, index, (share) => {
        line.at(before + share);
      });
      if (!isMade) busy.push(index);
    }
    if (busy.length === open.length) {
      line.at(there(), "waiting for other processes");
      await setTimeout(1000 * REVISIT);
    }
    open = busy;
  }
  line.end(pluralOf(parts, "part"));
}

/** The source with parts from these folders and what they need; others it has as before. */
function readingFrom(all: readonly Prepared[], source: Source): Source {
  if (all.length === 0) return source;
  const folders = new Map(withNeeds(all).map((one) => [preparationKey(one.preparation), one]));
  return {
    ...source,
    prepared(preparation, index) {
      const kept = folders.get(preparationKey(preparation));
      return kept ? readPart(partFile(kept.path, index)) : source.prepared!(preparation, index);
    },
  };
}
