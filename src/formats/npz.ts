import { check } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import {
  arrayFrom,
  bytesOf,
  elementTypeNamed,
  elementTypeOf,
  type HostArray,
  type NamedArrays,
} from "./array.ts";
import { readZip, writeZip } from "./zip.ts";

const magic = "\x93NUMPY";
/** Where the data of an npy file begins is a multiple of this, so that it can be mapped into memory aligned. */
const alignment = 64;

/**
 * Writes one array as npy, version 1.0 (numpy.lib.format).
 *
 * @throws InputError for an array whose length does not fit its shape.
 */
export function writeNpy(array: HostArray, name = "array"): Uint8Array {
  const type = elementTypeOf(`npy: ${name}`, array);
  const axes = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(", ");
  const dictionary = `{'descr': '${type.npy}', 'fortran_order': False, 'shape': (${axes}), }`;
  const lead = magic.length + 4; // two bytes of version, two of header length
  const dataStart = alignment * Math.ceil((lead + dictionary.length + 1) / alignment);
  const header = dictionary.padEnd(dataStart - lead - 1) + "\n";

  const file = new Uint8Array(dataStart + array.data.byteLength);
  file.set(Buffer.from(magic, "latin1"));
  file[magic.length] = 1;
  new DataView(file.buffer).setUint16(magic.length + 2, header.length, true);
  file.set(Buffer.from(header, "latin1"), lead);
  file.set(bytesOf(array), dataStart);
  return file;
}

/**
 * Reads an npy file of version 1, 2 or 3.
 *
 * @throws InputError where it is cut short or no npy, the element type is not one of ours, or it is in Fortran order.
 */
export function readNpy(file: Uint8Array, name = "array"): HostArray {
  const where = `npy: ${name}`;
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  check(
    bytes.length >= 12 && bytes.toString("latin1", 0, magic.length) === magic,
    () => `${where}: is no npy file`,
  );
  const version = bytes[magic.length]!;
  check(version >= 1 && version <= 3, () => `${where}: expected version 1 to 3, got ${version}`);
  const headerStart = version === 1 ? 10 : 12;
  const headerBytes = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  const dataStart = headerStart + headerBytes;
  check(
    dataStart <= bytes.length,
    () => `${where}: expected a header of ${headerBytes} bytes; the file is cut short`,
  );

  const header = bytes.toString("utf8", headerStart, dataStart);
  const form = /^\{'descr': '([^']+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\),? ?\}\s*$/.exec(
    header,
  );
  check(
    form !== null,
    () => `${where}: expected a header of descr, fortran_order and shape, got ${header.trim()}`,
  );
  const [, descr, fortranOrder, axes] = form;
  const type = elementTypeNamed(where, "npy", descr!);
  const shape = axes!
    .split(",")
    .map((axis) => axis.trim())
    .filter((axis) => axis !== "")
    .map(Number);
  check(
    fortranOrder === "False" || shape.length < 2,
    () => `${where}: is in Fortran order; save it in C order`,
  );
  const expected = sizeOf(shape) * type.bytes;
  const got = bytes.length - dataStart;
  check(
    got === expected,
    () => `${where}: expected ${expected} bytes for shape [${shape.join(", ")}], got ${got}`,
  );
  return arrayFrom(type, shape, bytes.subarray(dataStart));
}

/** Writes named arrays as npz, which `numpy.load` opens; deflated if `compress`. */
export function writeNpz(arrays: Readonly<NamedArrays>, compress = false): Uint8Array {
  return writeZip(
    Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array, name)] as const),
    compress,
  );
}

/**
 * Reads an npz file.
 *
 * @throws InputError where the archive or an array in it is damaged or of a kind not read here.
 */
export function readNpz(file: Uint8Array): NamedArrays {
  return Object.fromEntries(
    readZip(file).map(([entry, bytes]) => {
      const name = entry.replace(/\.npy$/, "");
      return [name, readNpy(bytes, name)];
    }),
  );
}
