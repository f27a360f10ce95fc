import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { InputError } from "../src/core/errors.ts";
import { datasets } from "../src/datasets/index.ts";
import { disposeExcept, type Engine, type Tree } from "../src/engines/index.ts";
import { readSafetensors, writeSafetensors } from "../src/formats/safetensors.ts";
import { decodeTree, encodeTree } from "../src/formats/tree.ts";
import type { Preparation, Source } from "../src/objectives/objective.ts";
import { objectiveOf, preparationRng } from "../src/runs/setting.ts";
import { difficultyTracker } from "../src/runs/tracking.ts";
import type { Experiment } from "./config.ts";
import { Stopped } from "./failure.ts";
import { inFile, writeWhole } from "./files.ts";
import { acquire } from "./lock.ts";
import { progressLine } from "./progress.ts";
import { stopSignal } from "./stopSignal.ts";

/** A preparation and the folder that keeps its parts, one file each. */
export interface Prepared {
  readonly preparation: Preparation;
  /** Name of the folder. */
  readonly name: string;
  readonly path: string;
}

/**
 * The folder of a preparation: PREPARED/experts-1a2b3c4d5e, named by a hash of all that the parts depend on. So runs that
 * agree share it, and options that change the parts never meet old ones.
 */
export function preparedFor(root: string, experiment: Experiment, preparation: Preparation): Prepared {
  const { data, network } = experiment;
  // Official files hold the same images wherever they lie.
  const { root: where, ...set } = data;
  const place = datasets[data.name].from === "images" ? { root: where } : {};
  const key = JSON.stringify(
    sorted({ network, ...preparation, part: undefined, data: { ...set, ...place } }),
  );
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 10);
  const name = `${preparation.name}-${hash}`;
  return { preparation, name, path: join(root, name) };
}

/** Whether a part is there. */
export function hasPart({ path }: Prepared, index: number): boolean {
  return existsSync(partFile(path, index));
}

/** Whether all parts are there. */
export function hasAllParts(prepared: Prepared): boolean {
  return Array.from({ length: prepared.preparation.parts }, (_, index) => hasPart(prepared, index)).every(
    Boolean,
  );
}

/**
 * Makes a part unless it is there.
 *
 * @returns whether it is there now; false while another process makes it.
 */
export async function makePart(prepared: Prepared, source: Source, index: number): Promise<boolean> {
  const { preparation, path } = prepared;
  if (hasPart(prepared, index)) return true;
  const file = partFile(path, index);
  const lock = acquire(`${file}.lock`);
  if (!lock) return false;
  const stop = stopSignal();
  try {
    if (hasPart(prepared, index)) return true;
    const label = `${preparation.name} ${index + 1}/${preparation.parts}`;
    const line = progressLine(label, 1, { unit: "share", more: preparation.parts - 1 - index });
    const checkpoint = checkpointOf(file, source.engine);
    const work = preparation.part(source, index, preparationRng(preparation, index), checkpoint.read());
    let next = work.next();
    for (; !next.done; next = work.next()) {
      const { share, state } = next.value;
      line.at(share);
      await setImmediate(); // lets a signal be heard
      const asked = stop.asked();
      if (state !== undefined) checkpoint.write(state, asked);
      if (asked) {
        const way = state === undefined ? "makes it anew" : "goes on with it";
        throw new Stopped(`${prepared.name}: part ${index} stopped; the same command ${way}`);
      }
    }
    lock.check();
    writeWhole(file, writeSafetensors(next.value, { preparation: preparation.name, part: String(index) }));
    checkpoint.remove();
    line.end();
    return true;
  } finally {
    stop.release();
    lock.release();
  }
}

/** Writing checkpoints may take so much of the time of making a part. */
const checkpointShare = 0.05;

/** What a part that is cut off goes on from, in a file beside it. Only the engine that wrote it goes on from it. */
function checkpointOf(
  partFile: string,
  engine: Engine,
): {
  read(): Tree | undefined;
  /** Unless that would take too much of the time, or at once. */
  write(state: Tree, now: boolean): void;
  remove(): void;
} {
  const file = partFile.replace(/\.safetensors$/, ".checkpoint");
  let next = 0;
  return {
    read() {
      if (!existsSync(file)) return undefined;
      try {
        const { tree, metadata } = decodeTree(readFileSync(file), engine);
        if (metadata.engine === engine.name) return tree;
        disposeExcept(tree, null);
        return undefined;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        throw new InputError(`${file}: ${error.message}; remove it, and the part is made anew`);
      }
    },
    write(state, now) {
      const begin = performance.now();
      if (begin < next && !now) return;
      writeWhole(file, encodeTree(state, { engine: engine.name }));
      const end = performance.now();
      next = end + (end - begin) / checkpointShare;
    },
    remove: () => rmSync(file, { force: true }),
  };
}

/** The folders of all that an experiment's runs share. */
export function allPreparedFor(root: string, experiment: Experiment): Prepared[] {
  const all = preparationsOf(experiment).map((preparation) => preparedFor(root, experiment, preparation));
  return [...new Map(all.map((prepared) => [prepared.path, prepared])).values()];
}

/** What its method needs beforehand, and what its images are tracked under. */
function preparationsOf(experiment: Experiment): readonly Preparation[] {
  const { preparations = [] } = objectiveOf(experiment) ?? {};
  const { tracking } = experiment;
  return tracking ? [...preparations, ...difficultyTracker(tracking).preparations] : preparations;
}

/** Makes all parts of each, side by side with other processes that do the same, and gives the source that reads them. */
export async function prepare(all: readonly Prepared[], source: Source): Promise<Source> {
  for (const prepared of all) await makeParts(prepared, source);
  if (all.length === 0) return source;
  return {
    ...source,
    prepared(preparation, index) {
      const { path } = all.find((one) => isSame(one.preparation, preparation))!;
      const file = partFile(path, index);
      return inFile(file, () => readSafetensors(readFileSync(file)).arrays);
    },
  };
}

async function makeParts(prepared: Prepared, source: Source): Promise<void> {
  let open = Array.from({ length: prepared.preparation.parts }, (_, index) => index);
  while (open.length > 0) {
    const busy: number[] = [];
    for (const index of open) if (!(await makePart(prepared, source, index))) busy.push(index);
    open = busy;
    if (open.length > 0) await setTimeout(1000);
  }
}

/** Whether two make the same, of the same run's data and network. */
function isSame(a: Preparation, b: Preparation): boolean {
  const [one, other] = [a, b].map(({ name, options, network }) =>
    JSON.stringify(sorted([name, options, network])),
  );
  return one === other;
}

function partFile(path: string, index: number): string {
  return join(path, `part-${String(index).padStart(4, "0")}.safetensors`);
}

/** Objects with their keys in alphabetical order, so that equal ones are equal as text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)]));
}
