import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { InputError } from "../../src/core/errors.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { namedArrays, oneOfEach } from "./arrays.ts";

/** A file with this header text and these data bytes. */
function fileOf(header: string, data: readonly number[] = []): Uint8Array {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

const fails = (file: Uint8Array, message: RegExp): void => {
  expect(() => readSafetensors(file)).toThrow(message);
  expect(() => readSafetensors(file)).toThrow(InputError);
};

test("one vector of two bytes is the file that the specification describes", () => {
  const header = `{"__metadata__":{"k":"v"},"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`; // 78 bytes
  const written = writeSafetensors({ x: { shape: [2], data: Uint8Array.of(7, 9) } }, { k: "v" });
  expect(written).toEqual(fileOf(header.padEnd(80), [7, 9]));
});

test("what was written is read back to the bit, with the metadata", () => {
  fc.assert(
    fc.property(namedArrays, fc.dictionary(fc.string(), fc.string()), (arrays, metadata) => {
      expect(readSafetensors(writeSafetensors(arrays, metadata))).toEqual({ arrays, metadata });
    }),
    { seed: 1 },
  );
});

test("every array begins at a multiple of its element size", () => {
  const file = writeSafetensors(oneOfEach);
  const headerBytes = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerBytes))) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  for (const [name, { data }] of Object.entries(oneOfEach)) {
    expect((8 + headerBytes + header[name]!.data_offsets[0]) % data.BYTES_PER_ELEMENT).toBe(0);
  }
});

test("the order in which arrays are given does not change the file", () => {
  const reversed = Object.fromEntries(Object.entries(oneOfEach).reverse());
  expect(writeSafetensors(reversed)).toEqual(writeSafetensors(oneOfEach));
});

test("a view into a larger buffer is written alone", () => {
  const view = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
  const { arrays } = readSafetensors(writeSafetensors({ view: { shape: [2], data: view } }));
  expect(arrays.view!.data).toEqual(Float32Array.of(2, 3));
});

test("a file inside a larger buffer is read alone, and the arrays do not share its memory", () => {
  const file = writeSafetensors({ x: { shape: [1], data: Float32Array.of(5) } });
  const shifted = new Uint8Array(file.length + 3);
  shifted.set(file, 3);
  const { arrays } = readSafetensors(shifted.subarray(3));
  shifted.fill(0);
  expect(arrays.x!.data).toEqual(Float32Array.of(5));
});

describe("an error names what is wrong", () => {
  test("when writing", () => {
    expect(() => writeSafetensors({ x: { shape: [3], data: new Float32Array(2) } })).toThrow(
      "safetensors: x: expected 3 values for shape [3], got 2",
    );
    expect(() => writeSafetensors({ __metadata__: { shape: [0], data: new Float32Array(0) } })).toThrow(
      "reserved",
    );
  });

  test("for a file cut anywhere", () => {
    const file = writeSafetensors(oneOfEach, { k: "v" });
    for (let length = 0; length < file.length; length++)
      fails(file.subarray(0, length), /expected|cut short/);
  });

  test("for bytes too many", () => {
    const file = writeSafetensors(oneOfEach);
    fails(Buffer.concat([file, Buffer.of(0)]), /expected 52 bytes of data, got 53/);
  });

  test("for a header that is no object or no JSON", () => {
    fails(fileOf("[1]"), /expected a JSON object/);
    fails(fileOf("{nope"), /expected a JSON header/);
    fails(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 123), /another format/);
  });

  test("for entries that do not hold together", () => {
    const entry = (dtype: string, shape: string, offsets: string): string =>
      `{"x":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`;
    fails(fileOf(entry("BF16", "[1]", "[0,2]"), [0, 0]), /element type among F32, .*, got "BF16"/);
    fails(fileOf(entry("U8", "[3]", "[0,2]"), [0, 0]), /x: expected 3 bytes for U8 \[3\], got 2/);
    fails(fileOf(entry("U8", "[2]", "[1,3]"), [0, 0, 0]), /x: expected its data to begin at byte 0, got 1/);
    fails(fileOf(entry("U8", "[-1]", "[0,1]"), [0]), /x: .*shape/);
    fails(fileOf(entry("U8", "[2]", "[0]"), [0, 0]), /x: .*data_offsets/);
    fails(fileOf(`{"__metadata__":{"k":1}}`), /__metadata__: expected strings only/);
  });

  test("for arrays that overlap", () => {
    const header =
      `{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},` +
      `"y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`;
    fails(fileOf(header, [0, 0, 0]), /y: expected its data to begin at byte 2, got 1/);
  });
});

test("arrays that may share the file's memory do, but where their elements are not aligned", () => {
  const file = writeSafetensors(oneOfEach);
  const { arrays } = readSafetensors(file, { shared: true });
  expect(arrays).toEqual(oneOfEach);
  for (const { data } of Object.values(arrays)) expect(data.buffer).toBe(file.buffer);
  const shifted = new Uint8Array(file.length + 1).subarray(1);
  shifted.set(file);
  const moved = readSafetensors(shifted, { shared: true }).arrays;
  expect(moved).toEqual(oneOfEach);
  for (const { data } of Object.values(moved)) {
    expect(data.buffer === shifted.buffer).toBe(data.BYTES_PER_ELEMENT === 1);
  }
});
