import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { InputError } from "../src/core/errors.ts";
import { disposeExcept, type Engine, type Tree } from "../src/engines/index.ts";
import type { NamedArrays } from "../src/formats/array.ts";
import { readSafetensors, writeSafetensors } from "../src/formats/safetensors.ts";
import { decodeTree, encodeTree } from "../src/formats/tree.ts";
import { writeWhole } from "./files.ts";
import { standardError } from "./screen.ts";
import { type Depth, examined, type Identity, sealed, toBeSealed } from "./sealedFile.ts";

/** The files of one part of a preparation. */
export interface PartFile {
  /** Where its arrays are once it is made. */
  readonly path: string;
  /** What the file says that it is a part of. */
  readonly identity: Identity;
}

/** Part `index` of the preparation that a folder keeps. */
export function partFile(folder: string, index: number): PartFile {
  return {
    path: join(folder, `part-${String(index).padStart(4, "0")}.safetensors`),
    identity: { preparation: basename(folder), part: String(index) },
  };
}

/** What is wrong with a part: undefined of one that is as it was written, and of none. */
export function faultOfPart({ path, identity }: PartFile, depth: Depth): string | undefined {
  return examined(path, identity, depth)?.fault;
}

/** Whether a part is there and as it was written, as far as is looked at. */
export function isThere({ path, identity }: PartFile, depth: Depth): boolean {
  const found = examined(path, identity, depth);
  return found !== undefined && found.fault === undefined;
}

/**
 * Removes a part that is not as it was written, and says so. Only the holder of its lock may: by then another process may
 * have made it anew.
 */
export function removeDamaged(file: PartFile): void {
  const fault = faultOfPart(file, "whole");
  if (fault === undefined) return;
  standardError.print(`${file.path}: ${fault}; it is made again`);
  rmSync(file.path, { force: true });
}

/** Writes a part with its checksum. */
export function writePart({ path, identity }: PartFile, arrays: NamedArrays): void {
  writeWhole(path, sealed(writeSafetensors(arrays, { ...identity, ...toBeSealed })));
}

/**
 * Reads a part. Its arrays lie in the bytes of the file, which nothing copies; it is only looked at whole where it has
 * changed since this process did so.
 *
 * @throws InputError for a part that is damaged or gone.
 */
export function readPart({ path, identity }: PartFile): NamedArrays {
  const found = examined(path, identity, "whole");
  const fault = found ? found.fault : "was removed while it was in use";
  if (fault === undefined) return readSafetensors(readFileSync(path), { shared: true }).arrays;
  throw new InputError(`${path}: ${fault}; start the same command again: it makes the part anew and goes on`);
}

/** Removes what processes that were killed have left of writing a part. Only the holder of its lock may. */
export function removePartials({ path }: PartFile): void {
  const folder = dirname(path);
  const own = basename(path, ".safetensors");
  const left = readdirSync(folder).filter((name) => name.startsWith(`${own}.`) && name.endsWith(".partial"));
  for (const name of left) rmSync(join(folder, name), { force: true });
}

/** What a part that is cut off goes on from, in a file beside it. Only the engine that wrote it goes on from it. */
export interface PartCheckpoint {
  /** Undefined where there is none to go on from; one that is damaged is said and not gone on from. */
  read(): Tree | undefined;
  /** Unless that would take too much of the time, or at once. */
  write(state: Tree, now: boolean): void;
  remove(): void;
}

/** Writing checkpoints may take so much of the time of making a part. */
const checkpointShare = 0.05;

/** The file of a part's checkpoint. */
export function checkpointPath({ path }: PartFile): string {
  return path.replace(/\.safetensors$/, ".checkpoint");
}

export function checkpointOf(file: PartFile, engine: Engine): PartCheckpoint {
  const { identity } = file;
  const path = checkpointPath(file);
  let next = 0;
  return {
    read() {
      if (!existsSync(path)) return undefined;
      try {
        return restored(path, identity, engine);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        standardError.print(`${path}: ${error.message}; the part begins anew`);
        return undefined;
      }
    },
    write(state, now) {
      const begin = performance.now();
      if (begin < next && !now) return;
      writeWhole(path, sealed(encodeTree(state, { ...identity, engine: engine.name, ...toBeSealed })));
      const end = performance.now();
      next = end + (end - begin) / checkpointShare;
    },
    remove: () => rmSync(path, { force: true }),
  };
}

/** @throws InputError for what cannot be gone on from. */
function restored(path: string, identity: Identity, engine: Engine): Tree {
  const fault = examined(path, identity, "whole")?.fault;
  if (fault !== undefined) throw new InputError(fault);
  const { tree, metadata } = decodeTree(readFileSync(path), engine);
  if (metadata.engine === engine.name) return tree;
  disposeExcept(tree, null);
  throw new InputError(
    `is of the engine ${metadata.engine}, whose numbers differ from those of ${engine.name}`,
  );
}
