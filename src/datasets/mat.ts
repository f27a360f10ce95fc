import { inflateSync } from "node:zlib";
import { check, InputError } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { SourceFile } from "./entry.ts";

/** A numeric array as MATLAB keeps it: the first axis runs fastest. */
export interface MatArray {
  readonly shape: Shape;
  /** Bytes are not copied; numbers of other types are. */
  readonly values: Uint8Array | Float64Array;
}

/** Text, version and byte order, before the first element. */
const HEADER = 128;
const TAG = 8;
const MATRIX = 14;
const COMPRESSED = 15;

type Read = (view: DataView, at: number, little: boolean) => number;

/** Types of stored numbers, by their code: MAT-File Format, table 1-1. */
const numberTypes: ReadonlyMap<number, { readonly bytes: number; readonly read: Read }> = new Map([
  [1, { bytes: 1, read: (view, at) => view.getInt8(at) }],
  [2, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [3, { bytes: 2, read: (view, at, little) => view.getInt16(at, little) }],
  [4, { bytes: 2, read: (view, at, little) => view.getUint16(at, little) }],
  [5, { bytes: 4, read: (view, at, little) => view.getInt32(at, little) }],
  [6, { bytes: 4, read: (view, at, little) => view.getUint32(at, little) }],
  [7, { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) }],
  [9, { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) }],
]);
const UNSIGNED_BYTES = 2;

/** Codes of the array classes that hold numbers: double, single, and whole numbers of 8, 16 and 32 bits. */
const NUMERIC_CLASSES = { from: 6, to: 13 };

/** A stretch of a file, or of what was unpacked of it. */
interface Bytes {
  /** Names it in messages. */
  readonly where: string;
  readonly view: DataView;
  readonly little: boolean;
}

/** One data element: its type and where its data lie. */
interface Element {
  readonly type: number;
  readonly from: number;
  readonly length: number;
  /** Where the next one begins. */
  readonly end: number;
}

/**
 * Numeric arrays of a MATLAB file of version 5, as `save -v6` and `save -v7` write it (MAT-File Format, chapter 1). Other
 * variables are passed over.
 *
 * @param wanted names of the variables to read.
 * @returns the arrays, in the order of `wanted`.
 * @throws InputError for files of another version, cut off or damaged, and where a variable is missing or is no array of
 *   real numbers.
 */
export function matArrays({ path, bytes }: SourceFile, wanted: readonly string[]): MatArray[] {
  const file = checkedFile(path, bytes);
  const found = new Map<string, MatArray | undefined>();
  for (let at = HEADER; at < bytes.length && !wanted.every((name) => found.has(name));) {
    const element = elementAt(file, at);
    const [source, matrix] = element.type === COMPRESSED ? unpacked(file, element) : [file, element];
    if (matrix.type === MATRIX) {
      const [name, array] = variable(source, matrix, wanted);
      found.set(name, array);
    }
    // What is compressed is not padded to a multiple of 8 bytes, unlike all else.
    at = element.type === COMPRESSED ? element.from + element.length : element.end;
  }
  return wanted.map((name) => {
    const array = found.get(name);
    if (array !== undefined) return array;
    const got = found.has(name)
      ? "another kind of variable by that name"
      : [...found.keys()].join(", ") || "no variables";
    throw new InputError(`${path}: expected a numeric array called ${name}, got ${got}`);
  });
}

function checkedFile(path: string, bytes: Uint8Array): Bytes {
  const text = Buffer.from(bytes.subarray(0, 116)).toString("latin1");
  check(
    !text.startsWith("MATLAB 7.3"),
    () =>
      `${path}: expected a MATLAB file of version 5, got one of version 7.3 (HDF5); save it again, with save(…, "-v7")`,
  );
  const order = Buffer.from(bytes.subarray(126, HEADER)).toString("latin1");
  check(
    bytes.length >= HEADER && (order === "IM" || order === "MI"),
    () =>
      `${path}: expected a MATLAB file of version 5, got ${bytes.length} bytes beginning ` +
      `${JSON.stringify(text.slice(0, 16))}; the file is of another kind, or damaged`,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { where: path, view, little: order === "IM" };
}

/** @throws InputError where it does not end within its bytes. */
function elementAt({ where, view, little }: Bytes, at: number): Element {
  const cut = (): string =>
    `${where}: expected a whole element at byte ${at}, the bytes end at ${view.byteLength}; ` +
    "the file is cut off or damaged: delete it and fetch it again";
  check(at + TAG <= view.byteLength, cut);
  const first = view.getUint32(at, little);
  // Up to four bytes may lie within the tag: its first half then holds length and type in 16 bits each.
  const small = first >>> 16 !== 0;
  const type = small ? first & 0xffff : first;
  const length = small ? first >>> 16 : view.getUint32(at + 4, little);
  const from = small ? at + 4 : at + TAG;
  check(from + length <= view.byteLength && (!small || length <= 4), cut);
  return { type, from, length, end: small ? at + TAG : from + TAG * Math.ceil(length / TAG) };
}

function unpacked({ where, view, little }: Bytes, { from, length }: Element): [Bytes, Element] {
  let bytes: Uint8Array;
  try {
    bytes = inflateSync(new Uint8Array(view.buffer, view.byteOffset + from, length));
  } catch (error) {
    throw new InputError(
      `${where}: the variable at byte ${from} cannot be inflated (${(error as Error).message}); ` +
        "the file is damaged: delete it and fetch it again",
    );
  }
  const inside: Bytes = {
    where: `${where}, in the variable at byte ${from}`,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    little,
  };
  return [inside, elementAt(inside, 0)];
}

/** Name and content of a variable; no content where it is not wanted or none of real numbers. */
function variable(
  source: Bytes,
  matrix: Element,
  wanted: readonly string[],
): [name: string, array: MatArray | undefined] {
  const flags = elementAt(source, matrix.from);
  const axes = elementAt(source, flags.end);
  const named = elementAt(source, axes.end);
  const name = Buffer.from(source.view.buffer, source.view.byteOffset + named.from, named.length).toString(
    "latin1",
  );
  const lead = flags.length < 4 ? 0 : source.view.getUint32(flags.from, source.little);
  const isComplex = (lead & 0x0800) !== 0;
  const code = lead & 0xff;
  const isNumeric = code >= NUMERIC_CLASSES.from && code <= NUMERIC_CLASSES.to;
  if (!wanted.includes(name) || !isNumeric || isComplex) return [name, undefined];
  const shape = Array.from(numbers(source, axes, `${name}: shape`));
  const values = numbers(source, elementAt(source, named.end), name);
  check(
    values.length === sizeOf(shape),
    () =>
      `${source.where}: ${name}: expected ${sizeOf(shape)} numbers (${shape.join("×")}), got ${values.length}; ` +
      "the file is damaged: delete it and fetch it again",
  );
  return [name, { shape, values }];
}

/** The numbers of an element. An array may be stored in a narrower type than its class: doubles that are bytes, as bytes. */
function numbers({ where, view, little }: Bytes, element: Element, name: string): Uint8Array | Float64Array {
  const { type, from, length } = element;
  const stored = numberTypes.get(type);
  check(
    stored !== undefined && length % stored.bytes === 0,
    () =>
      `${where}: ${name}: expected numbers of up to 32 bits or doubles, got ${length} bytes of type ${type}`,
  );
  if (type === UNSIGNED_BYTES) return new Uint8Array(view.buffer, view.byteOffset + from, length);
  return Float64Array.from({ length: length / stored.bytes }, (_, i) =>
    stored.read(view, from + i * stored.bytes, little),
  );
}
