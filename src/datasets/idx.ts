import { check } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { SourceFile } from "./entry.ts";
import { gunzipped } from "./gzip.ts";

/** An array of bytes with its shape. */
export interface ByteArray {
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Uint8Array;
}

/** Third byte of an IDX file of unsigned bytes. */
const UNSIGNED_BYTE = 0x08;

/**
 * Content of an IDX file (LeCun's MNIST page): two zero bytes, the element type, the number of axes, their lengths as
 * 32-bit big-endian numbers, then the elements row-major.
 *
 * @param file plain or gzipped.
 * @param axes how many axes the array must have.
 * @throws InputError where the gzip stream is cut, the beginning is another, or the length does not agree.
 */
export function idx(file: SourceFile, axes: number): ByteArray {
  const { path, bytes } = gunzipped(file);
  const header = 4 + 4 * axes;
  const magic = Buffer.from(bytes.subarray(0, 4)).toString("hex");
  const expected = Buffer.from([0, 0, UNSIGNED_BYTE, axes]).toString("hex");
  check(
    magic === expected && bytes.length >= header,
    () =>
      `${path}: expected an IDX file of bytes with ${axes} axes (beginning ${expected}), got ${bytes.length} bytes ` +
      `beginning ${magic || "with nothing"}; images and labels may be swapped, or the file is of another kind`,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  check(
    bytes.length - header === sizeOf(shape),
    () =>
      `${path}: expected ${sizeOf(shape)} bytes after the header (${shape.join("×")}), got ${bytes.length - header}; ` +
      "the file is damaged: delete it and fetch it again",
  );
  return { shape, values: bytes.subarray(header) };
}
