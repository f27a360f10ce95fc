import { createHash } from "node:crypto";
import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { InputError } from "../src/core/errors.ts";
import { readSafetensorsHeader, type SafetensorsHeader } from "../src/formats/safetensors.ts";

/** Stands for the checksum until it is known. */
const UNKNOWN = "0".repeat(64);

/** Metadata of a file that is to be sealed. */
export const toBeSealed = { sha256: UNKNOWN } as const;

/**
 * Writes the checksum of a safetensors file into it, in place: `sha256` in its metadata is the SHA-256 of the whole file with
 * the checksum's own 64 digits as zeros. So it covers names, types, shapes, data, and what else the metadata say.
 *
 * @param file with `toBeSealed` in its metadata.
 * @returns the same bytes.
 */
export function sealed(file: Uint8Array): Uint8Array {
  const digest = createHash("sha256").update(file).digest("hex");
  const { dataStart } = readSafetensorsHeader(file);
  const header = Buffer.from(file.buffer, file.byteOffset, dataStart);
  header.write(digest, placeOf(header, UNKNOWN), "latin1");
  return file;
}

/** What a file must say in its metadata: what it is a file of. */
export type Identity = Readonly<Record<string, string>>;

/** How closely a file is looked at: its length and header alone, or all of it against its checksum. */
export type Depth = "outside" | "whole";

/** A file as it was found. */
export interface Found {
  /** What is wrong with it, in words that go on after its name; none of a file that is as it was written. */
  readonly fault?: string;
}

interface Examination extends Found {
  /** Of the file that was looked at: another one of the same name differs. */
  readonly stamp: string;
  readonly depth: Depth;
}

/** What this process has looked at before. */
const examinations = new Map<string, Examination>();

/**
 * Looks at a sealed file. What was looked at before and has not changed since, by time, size and place on the disk, is not
 * read again.
 *
 * @returns undefined where there is no file.
 */
export function examined(path: string, identity: Identity, depth: Depth): Found | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const stamp = stampOf(stat);
  const before = examinations.get(path);
  const isKnown =
    before?.stamp === stamp &&
    (before.depth === "whole" || depth === "outside" || before.fault !== undefined);
  if (isKnown) return before;
  const found = look(path, identity, depth);
  if (found === undefined) examinations.delete(path);
  else examinations.set(path, found);
  return found;
}

/** Bytes that `examined` would have to read to look at the whole file; 0 where there is none. */
export function unreadBytes(path: string): number {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return 0;
  const before = examinations.get(path);
  const isKnown = before?.depth === "whole" && before.stamp === stampOf(stat);
  return isKnown ? 0 : Math.max(1, Number(stat.size));
}

const stampOf = ({ mtimeNs, size, ino }: BigIntStats): string => `${mtimeNs} ${size} ${ino}`;

function look(path: string, identity: Identity, depth: Depth): Examination | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    // Of the file that is open, whatever has taken its name meanwhile.
    const stat = fstatSync(file, { bigint: true });
    const fault = readable(() => faultOf(file, Number(stat.size), identity, depth));
    return { stamp: stampOf(stat), depth, ...(fault !== undefined && { fault }) };
  } finally {
    closeSync(file);
  }
}

/** What it finds; of a disk that cannot read the file any more, that. */
function readable(find: () => string | undefined): string | undefined {
  try {
    return find();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EIO") throw error;
    return `cannot be read (${message})`;
  }
}

function faultOf(file: number, size: number, identity: Identity, depth: Depth): string | undefined {
  if (size === 0) return "is empty";
  const beginning = beginningOf(file, size);
  let header: SafetensorsHeader;
  try {
    header = readSafetensorsHeader(beginning);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return "is cut short, or no safetensors file";
  }
  const { metadata, entries, dataStart } = header;
  const whole = entries.reduce((end, [, { data_offsets }]) => Math.max(end, data_offsets[1]), 0) + dataStart;
  if (size !== whole)
    return `is ${size < whole ? "cut short" : "too long"}: ${size} bytes instead of ${whole}`;
  const { sha256 } = metadata;
  if (sha256 === undefined) return "has no checksum, as files of earlier versions";
  const other = Object.entries(identity).find(([name, value]) => metadata[name] !== value);
  if (other) return `is of another origin: ${other[0]} ${metadata[other[0]] ?? "unknown"}, not ${other[1]}`;
  if (depth === "whole" && digestOf(file, beginning, sha256) !== sha256) return "does not fit its checksum";
  return undefined;
}

/** The header with its length; less where the file is shorter. */
function beginningOf(file: number, size: number): Buffer {
  const length = Buffer.alloc(Math.min(8, size));
  readSync(file, length, 0, length.length, 0);
  if (size < 8) return length;
  const beginning = Buffer.alloc(Math.min(8 + Number(length.readBigUInt64LE()), size));
  readSync(file, beginning, 0, beginning.length, 0);
  return beginning;
}

/** Bytes read at once: more is no faster, and does not stay in the processor's cache. */
const CHUNK = 2 ** 20;

function digestOf(file: number, beginning: Buffer, sha256: string): string {
  const header = Buffer.from(beginning);
  const place = placeOf(header, sha256);
  if (place >= 0) header.write(UNKNOWN.slice(0, sha256.length), place, "latin1");
  const hash = createHash("sha256").update(header);
  const chunk = Buffer.allocUnsafe(CHUNK);
  let at = header.length;
  for (let read = 1; read > 0; at += read) {
    read = readSync(file, chunk, 0, CHUNK, at);
    hash.update(chunk.subarray(0, read));
  }
  return hash.digest("hex");
}

/** Where the checksum's digits are: elsewhere in JSON, this text would have its quotes escaped. */
function placeOf(header: Buffer, sha256: string): number {
  const key = '"sha256":"';
  const at = header.indexOf(`${key}${sha256}"`, 0, "latin1");
  return at < 0 ? at : at + key.length;
}
