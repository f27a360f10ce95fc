import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { check, InputError } from "../core/errors.ts";

/** Files of an archive by name, in order. */
export type Entries = readonly (readonly [name: string, bytes: Uint8Array])[];

// Signatures and fixed header lengths of APPNOTE.TXT 4.3.7, 4.3.12 and 4.3.16.
const local = { signature: 0x04034b50, length: 30 };
const central = { signature: 0x02014b50, length: 46 };
const ending = { signature: 0x06054b50, length: 22 };
const stored = 0;
const deflated = 8;
const utf8Names = 0x0800;
const encrypted = 0x0001;
/** 1980-01-01, the first day a zip can name: equal contents give equal bytes. */
const date = 0x0021;
const limit = 0xffffffff;

/**
 * Writes a zip archive, stored or deflated.
 *
 * @throws InputError from 4 GiB on, where the 32-bit fields used here end.
 */
export function writeZip(entries: Entries, compress: boolean): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, bytes] of entries) {
    const encoded = new TextEncoder().encode(name);
    const body = compress ? deflateRawSync(bytes) : bytes;
    const method = compress ? deflated : stored;
    const sizes = [crc32(bytes), body.length, bytes.length];
    const lead = fields([
      [4, local.signature],
      [2, 20], // version needed: 2.0, deflate
      ...common(method, sizes, encoded.length),
    ]);
    directory.push(
      fields([
        [4, central.signature],
        [2, 20], // version made by
        [2, 20],
        ...common(method, sizes, encoded.length),
        [2, 0], // comment length
        [2, 0], // disk
        [2, 0], // internal attributes
        [4, 0], // external attributes
        [4, offset],
      ]),
      encoded,
    );
    parts.push(lead, encoded, body);
    offset += lead.length + encoded.length + body.length;
    check(offset < limit, () => `zip: expected less than 4 GiB, got ${offset} bytes; write several files`);
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0);
  const tail = fields([
    [4, ending.signature],
    [2, 0], // disk
    [2, 0], // disk of the directory
    [2, entries.length],
    [2, entries.length],
    [4, directoryBytes],
    [4, offset],
    [2, 0], // comment length
  ]);
  return new Uint8Array(Buffer.concat([...parts, ...directory, tail]));
}

type Field = readonly [bytes: 2 | 4, value: number];

/** The fields that local and central headers share. */
function common(method: number, sizes: readonly number[], nameBytes: number): Field[] {
  return [
    [2, utf8Names],
    [2, method],
    [2, 0], // time
    [2, date],
    ...sizes.map((size): Field => [4, size]),
    [2, nameBytes],
    [2, 0], // extra field length
  ];
}

function fields(list: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(list.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of list) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}

/**
 * Reads a zip archive with stored or deflated entries.
 *
 * @throws InputError where it is cut short, damaged (by its checksums), encrypted, or uses what is not read here
 * (more than 4 GiB, other compression).
 */
export function readZip(file: Uint8Array): Entries {
  return [...zipEntries(file)];
}

/** The same, entry by entry, for archives whose contents would not all fit in memory. Folders are entries ending in "/". */
export function* zipEntries(file: Uint8Array): Generator<readonly [name: string, bytes: Uint8Array]> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const tail = endingOf(view);
  const directory = view.getUint32(tail + 16, true);
  const length = view.getUint32(tail + 12, true);
  check(
    directory !== limit && length !== limit && directory + length <= tail,
    () =>
      `zip: expected a directory of ${length} bytes at byte ${directory}; the file is damaged or beyond 4 GiB`,
  );
  // The directory's length is relied upon, not the number of entries, which has 16 bits: Tiny ImageNet has more of them.
  for (let i = 0, at = directory; at < directory + length; i++) {
    const where = `zip: entry ${i}`;
    expectSignature(view, at, central, where);
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const commentBytes = view.getUint16(at + 32, true);
    const name = new TextDecoder().decode(
      file.subarray(at + central.length, at + central.length + nameBytes),
    );
    yield [name, entryBytes(file, view, at, name)];
    at += central.length + nameBytes + extraBytes + commentBytes;
  }
}

/** Position of the end-of-directory record, which a comment of up to 65535 bytes may follow. */
function endingOf(view: DataView): number {
  const last = view.byteLength - ending.length;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) === ending.signature) return at;
  }
  throw new InputError("zip: expected an end-of-directory record, got none; the file is cut short or no zip");
}

function expectSignature(view: DataView, at: number, header: typeof local, where: string): void {
  check(
    at + header.length <= view.byteLength && view.getUint32(at, true) === header.signature,
    () => `${where}: expected a header at byte ${at}; the file is cut short, damaged or of ZIP64 form`,
  );
}

/** Contents of the entry whose central header is at `at`, checked against its length and checksum. */
function entryBytes(file: Uint8Array, view: DataView, at: number, name: string): Uint8Array {
  const where = `zip: ${name}`;
  const method = view.getUint16(at + 10, true);
  const checksum = view.getUint32(at + 16, true);
  const packed = view.getUint32(at + 20, true);
  const size = view.getUint32(at + 24, true);
  const start = view.getUint32(at + 42, true);
  check((view.getUint16(at + 8, true) & encrypted) === 0, () => `${where}: is encrypted`);
  check(method === stored || method === deflated, () => `${where}: expected method 0 or 8, got ${method}`);
  check(![packed, size, start].includes(limit), () => `${where}: ZIP64 is not read here`);
  expectSignature(view, start, local, where);
  // The local header's own name and extra lengths: writers may pad them differently than in the directory.
  const body = start + local.length + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  check(body + packed <= file.length, () => `${where}: expected ${packed} bytes; the file is cut short`);
  const bytes = unpacked(file.subarray(body, body + packed), method, size, where);
  check(bytes.length === size, () => `${where}: expected ${size} bytes, got ${bytes.length}`);
  check(crc32(bytes) === checksum, () => `${where}: its checksum differs; the file is damaged`);
  return bytes;
}

function unpacked(body: Uint8Array, method: number, size: number, where: string): Uint8Array {
  if (method === stored) return body;
  try {
    return inflateRawSync(body, { maxOutputLength: Math.max(1, size) });
  } catch (error) {
    throw new InputError(`${where}: cannot be inflated (${(error as Error).message}); the file is damaged`);
  }
}
