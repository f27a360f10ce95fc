import { z } from "zod";
import { check, InputError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { arrayFrom, bytesOf, elementTypeNamed, elementTypeOf, type NamedArrays } from "./array.ts";

export type { NamedArrays };

const metadataKey = "__metadata__";
const length = z.number().int().nonnegative();
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(length),
  data_offsets: z.tuple([length, length]),
});

/**
 * Writes named arrays and a table of strings as safetensors (github.com/huggingface/safetensors): eight bytes of header length, a JSON header
 * padded with spaces to a multiple of eight, then the arrays one after another.
 *
 * Wider element types come first and names follow in alphabetical order, so that every array is aligned and equal
 * contents give equal bytes.
 *
 * @throws InputError for an array whose length does not fit its shape, or one called `__metadata__`.
 */
export function writeSafetensors(
  arrays: Readonly<NamedArrays>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  check(
    !(metadataKey in arrays),
    () => `safetensors: ${metadataKey} is reserved; give the array another name`,
  );
  const entries = Object.entries(arrays)
    .map(([name, array]) => ({ name, array, type: elementTypeOf(`safetensors: ${name}`, array) }))
    .sort((a, b) => b.type.bytes - a.type.bytes || (a.name < b.name ? -1 : 1));

  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header[metadataKey] = metadata;
  let end = 0;
  for (const { name, array, type } of entries) {
    const begin = end;
    end += array.data.byteLength;
    header[name] = { dtype: type.safetensors, shape: array.shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const dataStart = 8 + 8 * Math.ceil(json.length / 8);

  const file = new Uint8Array(dataStart + end).fill(0x20, 8, dataStart);
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  file.set(json, 8);
  let at = dataStart;
  for (const { array } of entries) {
    file.set(bytesOf(array), at);
    at += array.data.byteLength;
  }
  return file;
}

/**
 * Reads a safetensors file. Each array is a copy; `shared` ones may be views of the file's bytes, so that nothing is copied,
 * and any one of them keeps the file in memory.
 *
 * @throws InputError where the file is cut short or has bytes too many, the header is no JSON of the right form, an
 * element type is unknown, or the arrays overlap, leave a gap or do not fit their shapes.
 */
export function readSafetensors(
  file: Uint8Array,
  { shared = false }: { readonly shared?: boolean } = {},
): {
  readonly arrays: NamedArrays;
  readonly metadata: Record<string, string>;
} {
  const { metadata, entries, dataStart } = readSafetensorsHeader(file);
  const data = file.subarray(dataStart);
  let expected = 0;
  const arrays = entries.map(([name, { dtype, shape, data_offsets }]) => {
    const where = `safetensors: ${name}`;
    const [begin, end] = data_offsets;
    const type = elementTypeNamed(where, "safetensors", dtype);
    check(begin === expected, () => `${where}: expected its data to begin at byte ${expected}, got ${begin}`);
    check(end - begin === sizeOf(shape) * type.bytes, () => {
      const bytes = sizeOf(shape) * type.bytes;
      return `${where}: expected ${bytes} bytes for ${dtype} [${shape.join(", ")}], got ${end - begin}`;
    });
    check(
      end <= data.length,
      () => `${where}: expected ${end} bytes of data, got ${data.length}; the file is cut short`,
    );
    expected = end;
    return [name, arrayFrom(type, shape, data.subarray(begin, end), shared)] as const;
  });
  check(
    expected === data.length,
    () => `safetensors: expected ${expected} bytes of data, got ${data.length}`,
  );
  return { arrays: Object.fromEntries(arrays), metadata };
}

/** Where an array lies in a safetensors file. */
export type SafetensorsEntry = z.infer<typeof entrySchema>;

/** What stands before the arrays of a safetensors file. */
export interface SafetensorsHeader {
  readonly metadata: Record<string, string>;
  /** Arrays by name, in order of their data. */
  readonly entries: readonly (readonly [name: string, entry: SafetensorsEntry])[];
  /** Bytes before the arrays. */
  readonly dataStart: number;
}

/**
 * Reads the header alone.
 *
 * @param file a safetensors file or its beginning, at least as far as the header goes.
 * @throws InputError where it is cut short, or no JSON of the right form.
 */
export function readSafetensorsHeader(file: Uint8Array): SafetensorsHeader {
  check(file.length >= 8, () => `safetensors: expected at least 8 bytes, got ${file.length}`);
  const stated = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  check(
    stated <= BigInt(file.length - 8),
    () =>
      `safetensors: expected a header of ${stated} bytes, got ${file.length - 8}; cut short, or another format`,
  );
  const dataStart = 8 + Number(stated);
  const { [metadataKey]: strings = {}, ...arrays } = parsedObject(file.subarray(8, dataStart));
  const metadata = z.record(z.string(), z.string()).safeParse(strings);
  check(metadata.success, () => `safetensors: ${metadataKey}: expected strings only`);
  const entries = Object.entries(arrays).map(([name, value]) => {
    const entry = entrySchema.safeParse(value);
    if (entry.success) return [name, entry.data] as const;
    throw new InputError(`safetensors: ${name}: ${z.prettifyError(entry.error).replaceAll("\n", " ")}`);
  });
  entries.sort(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  );
  return { metadata: metadata.data, entries, dataStart };
}

function parsedObject(json: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    throw new InputError(`safetensors: expected a JSON header: ${(error as Error).message}`);
  }
  throw new InputError("safetensors: expected a JSON object as header");
}
