import { check, InputError } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";

/** Element types that the formats here can hold. */
export type ArrayData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** A dense array, row-major. */
export interface HostArray {
  /** Lengths of its axes, outermost first. */
  readonly shape: Shape;
  /** Its elements. */
  readonly data: ArrayData;
}

/** Arrays by name. */
export type NamedArrays = Record<string, HostArray>;

interface ElementType {
  /** Name in a safetensors header. */
  readonly safetensors: string;
  /** Name in an npy header: byte order, kind, bytes. */
  readonly npy: string;
  readonly bytes: number;
  readonly view: (buffer: ArrayBuffer, begin?: number, length?: number) => ArrayData;
  readonly holds: (data: ArrayData) => boolean;
}

const elementTypes: readonly ElementType[] = [
  {
    safetensors: "F32",
    npy: "<f4",
    bytes: 4,
    view: (...place) => new Float32Array(...place),
    holds: (data) => data instanceof Float32Array,
  },
  {
    safetensors: "F64",
    npy: "<f8",
    bytes: 8,
    view: (...place) => new Float64Array(...place),
    holds: (data) => data instanceof Float64Array,
  },
  {
    safetensors: "I32",
    npy: "<i4",
    bytes: 4,
    view: (...place) => new Int32Array(...place),
    holds: (data) => data instanceof Int32Array,
  },
  {
    safetensors: "I64",
    npy: "<i8",
    bytes: 8,
    view: (...place) => new BigInt64Array(...place),
    holds: (data) => data instanceof BigInt64Array,
  },
  {
    safetensors: "U8",
    npy: "|u1",
    bytes: 1,
    view: (...place) => new Uint8Array(...place),
    holds: (data) => data instanceof Uint8Array,
  },
];

/** The element type that a format calls `name`. */
export function elementTypeNamed(where: string, format: "safetensors" | "npy", name: string): ElementType {
  const found = elementTypes.find((type) => type[format] === name);
  if (found !== undefined) return found;
  const known = elementTypes.map((type) => type[format]).join(", ");
  throw new InputError(`${where}: expected an element type among ${known}, got ${JSON.stringify(name)}`);
}

/** The element type of an array, whose length must fit its shape. */
export function elementTypeOf(where: string, { shape, data }: HostArray): ElementType {
  check(
    data.length === sizeOf(shape),
    () => `${where}: expected ${sizeOf(shape)} values for shape [${shape.join(", ")}], got ${data.length}`,
  );
  const found = elementTypes.find((type) => type.holds(data));
  if (found === undefined) throw new Error(`internal: ${where}: unknown kind of array`);
  return found;
}

/**
 * The bytes of an array as the files hold them: little-endian, the order of every machine that Node runs on but s390x.
 */
export function bytesOf({ data }: HostArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * An array from a copy of file bytes, so that it neither keeps the file in memory nor depends on alignment; `shared`, from
 * the bytes themselves where they are aligned.
 */
export function arrayFrom(type: ElementType, shape: Shape, bytes: Uint8Array, shared = false): HostArray {
  const { buffer, byteOffset, byteLength } = bytes;
  const inPlace = shared && buffer instanceof ArrayBuffer && byteOffset % type.bytes === 0;
  const data = inPlace
    ? type.view(buffer, byteOffset, byteLength / type.bytes)
    : type.view(new Uint8Array(bytes).buffer);
  return { shape, data };
}
