import { execFileSync, spawnSync } from "node:child_process";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { InputError } from "../../src/core/errors.ts";
import { readNpy, readNpz, writeNpy, writeNpz } from "../../src/formats/npz.ts";
import { readZip, writeZip } from "../../src/formats/zip.ts";
import { namedArrays, oneOfEach } from "./arrays.ts";

const hasNumpy = spawnSync("python3", ["-c", "import numpy"]).status === 0;

/** Runs Python with these bytes on its standard input, and returns what it prints, as bytes. */
function python(code: string, input: Uint8Array = new Uint8Array(0)): Buffer {
  return execFileSync("python3", ["-c", `import io, sys, numpy as np\n${code}`], { input });
}

/** An npy file of version 1 with this header and these data bytes. */
function npyOf(header: string, data: readonly number[] = []): Buffer {
  const lead = Buffer.from("\x93NUMPY\x01\x00\x00\x00", "latin1");
  lead.writeUInt16LE(header.length, 8);
  return Buffer.concat([lead, Buffer.from(header), Buffer.from(data)]);
}

describe("npy", () => {
  test("a vector of two floats is the file that numpy.lib.format describes", () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".padEnd(117) + "\n"; // 10 + 118 = 2 · 64
    const expected = npyOf(header, [0, 0, 128, 63, 0, 0, 0, 64]); // 1 = 0x3f800000, 2 = 0x40000000
    expect(Buffer.from(writeNpy({ shape: [2], data: Float32Array.of(1, 2) }))).toEqual(expected);
  });

  test("data begins at a multiple of 64 bytes, for headers of every length", () => {
    for (let axes = 0; axes < 40; axes++) {
      const file = writeNpy({ shape: Array<number>(axes).fill(1), data: Uint8Array.of(1) });
      expect((file.length - 1) % 64).toBe(0);
      expect(readNpy(file).shape).toHaveLength(axes);
    }
  });

  test("errors name what is wrong", () => {
    const header = (descr: string, order: string, shape: string): string =>
      `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
    const fails = (file: Uint8Array, message: string): void => {
      expect(() => readNpy(file)).toThrow(message);
      expect(() => readNpy(file)).toThrow(InputError);
    };
    fails(Buffer.from("PK\x03\x04 and more than that"), "npy: array: is no npy file");
    fails(npyOf(header("<f4", "True", "(2, 2)"), Array<number>(16).fill(0)), "Fortran order");
    fails(npyOf(header(">f4", "False", "(1,)"), [0, 0, 0, 0]), 'among <f4, <f8, <i4, <i8, |u1, got ">f4"');
    fails(npyOf(header("<f4", "False", "(2,)"), [0, 0, 0, 0]), "expected 8 bytes for shape [2], got 4");
    fails(npyOf("{'shape': (2,)}"), "expected a header of descr, fortran_order and shape");
    fails(npyOf(header("|u1", "False", "(1,)"), [0]).subarray(0, 30), "cut short");
    fails(npyOf(header("|u1", "False", "(1,)"), [0]).fill(9, 6, 7), "expected version 1 to 3, got 9");
  });
});

describe.each([false, true])("npz, compressed: %p", (compress) => {
  test("what was written is read back to the bit", () => {
    fc.assert(
      fc.property(namedArrays, (arrays) => {
        expect(readNpz(writeNpz(arrays, compress))).toEqual(arrays);
      }),
      { seed: 2 },
    );
  });

  test("equal contents give equal bytes", () => {
    expect(writeNpz(oneOfEach, compress)).toEqual(writeNpz(oneOfEach, compress));
  });

  test("a file cut anywhere is an error", () => {
    const file = writeNpz(oneOfEach, compress);
    for (let length = 0; length < file.length; length++) {
      expect(() => readNpz(file.subarray(0, length))).toThrow(InputError);
    }
  });

  test("a flipped bit in an array is an error", () => {
    const file = writeNpz({ x: { shape: [4], data: Float32Array.of(1, 2, 3, 4) } }, compress);
    file[30 + "x.npy".length + 60]! ^= 1;
    expect(() => readNpz(file)).toThrow(
      /x.npy: (its checksum differs|cannot be inflated|expected \d+ bytes)/,
    );
  });

  (hasNumpy ? test : test.skip)("NumPy reads the same arrays (needs python3 with numpy)", () => {
    const code = [
      "d = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)",
      "for k in d.files: print(k, d[k].dtype, d[k].shape, d[k].tobytes().hex())",
    ].join("\n");
    // Each array fills its buffer.
    const hex = (name: string): string => Buffer.from(oneOfEach[name]!.data.buffer).toString("hex");
    expect(python(code, writeNpz(oneOfEach, compress)).toString().split("\n").slice(0, -1)).toEqual([
      `f32 float32 (2, 3) ${hex("f32")}`,
      `f64 float64 (1,) ${hex("f64")}`,
      `i32 int32 () ${hex("i32")}`,
      `i64 int64 (2,) ${hex("i64")}`,
      "u8 uint8 (0, 4) ",
    ]);
  });

  (hasNumpy ? test : test.skip)("files that NumPy writes are read (needs python3 with numpy)", () => {
    const save = compress ? "savez_compressed" : "savez";
    const code = `np.${save}(sys.stdout.buffer, a=np.arange(6, dtype="<i8").reshape(2, 3), b=np.float64(2.5))`;
    expect(readNpz(python(code))).toEqual({
      a: { shape: [2, 3], data: BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n) },
      b: { shape: [], data: Float64Array.of(2.5) },
    });
  });
});

describe("zip", () => {
  test("more entries than 16 bits count are all there", () => {
    const entries = Array.from(
      { length: 0x10000 + 3 },
      (_, i) => [String(i), Uint8Array.of(i % 251)] as const,
    );
    const read = readZip(writeZip(entries, false));
    expect(read).toHaveLength(entries.length);
    expect(read.at(-1)).toEqual(entries.at(-1));
  });

  const file = writeZip([["a", Buffer.from("aaaaaaaaaa")]], true);
  const directory = file.length - 22 - 47; // one central header of 46 bytes and a name of one

  const patched = (at: number, value: number): Uint8Array => {
    const copy = file.slice();
    copy[at] = value;
    return copy;
  };

  test("a comment after the directory is skipped", () => {
    const comment = Buffer.from("made by hand");
    const commented = Buffer.concat([file, comment]);
    commented.writeUInt16LE(comment.length, file.length - 2);
    expect(readZip(commented)).toEqual(readZip(file));
  });

  test("what is not read is named", () => {
    expect(() => readZip(patched(directory + 8, 1))).toThrow("zip: a: is encrypted");
    expect(() => readZip(patched(directory + 10, 12))).toThrow("zip: a: expected method 0 or 8, got 12");
  });

  test("an entry that inflates to more than it states is an error, not a flood", () => {
    const flood = deflateRawSync(Buffer.alloc(1_000_000));
    const small = writeZip([["a", flood]], false);
    const view = new DataView(small.buffer);
    const at = small.length - 22 - 47;
    view.setUint16(at + 10, 8, true); // says deflated
    view.setUint32(at + 24, 10, true); // and ten bytes long
    expect(() => readZip(small)).toThrow("zip: a: cannot be inflated");
  });
});
