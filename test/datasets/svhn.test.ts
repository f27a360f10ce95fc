import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { augmentationFor } from "../../src/datasets/augment.ts";
import { matArrays } from "../../src/datasets/mat.ts";
import { svhn } from "../../src/datasets/svhn.ts";

/** Codes of the types and classes written here, from the format's own description. */
const types = { int8: 1, uint8: 2, int32: 5, uint32: 6, double: 9, matrix: 14, compressed: 15 };
const classes = { char: 4, double: 6, uint8: 9 };

function u32(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeInt32LE(value, 4 * i));
  return bytes;
}

/** A data element: its tag, then its data up to a multiple of 8 bytes; up to 4 bytes go into the tag. */
function element(type: number, data: Uint8Array, mayBeSmall = true): Buffer {
  if (mayBeSmall && data.length > 0 && data.length <= 4) {
    return Buffer.concat([u32([(data.length << 16) | type]), data, Buffer.alloc(4 - data.length)]);
  }
  return Buffer.concat([u32([type, data.length]), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

interface Variable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
  readonly type?: number;
  readonly class?: number;
}

function matrix({ name, shape, data, type = types.uint8, class: kind = classes.uint8 }: Variable): Buffer {
  const parts = [
    element(types.uint32, u32([kind, 0])),
    element(types.int32, u32(shape)),
    element(types.int8, Buffer.from(name, "latin1")),
    element(type, data),
  ];
  return element(types.matrix, Buffer.concat(parts), false);
}

function compressed(variable: Variable): Buffer {
  const data = deflateSync(matrix(variable));
  return Buffer.concat([u32([types.compressed, data.length]), data]);
}

function mat(elements: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(128);
  header.write("MATLAB 5.0 MAT-file, made by a test".padEnd(116), "latin1");
  header.writeUInt16LE(0x0100, 124);
  header.write("IM", 126);
  return Buffer.concat([header, ...elements]);
}

const doubles = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);

/** X of so many images, where the byte at a row, column, channel and image is a number of all four. */
const byteAt = (row: number, column: number, channel: number, image: number): number =>
  (3 * row + 7 * column + 50 * channel + 11 * image) % 256;
function pixels(count: number): Variable {
  const data = new Uint8Array(32 * 32 * 3 * count);
  for (let i = 0; i < data.length; i++) {
    data[i] = byteAt(i % 32, (i >> 5) % 32, (i >> 10) % 3, Math.floor(i / 3072));
  }
  return { name: "X", shape: [32, 32, 3, count], data };
}
const digits = (values: readonly number[]): Variable => ({
  name: "y",
  shape: [values.length, 1],
  data: doubles(values),
  type: types.double,
  class: classes.double,
});

const everyDigit = [10, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const whole = mat([compressed(pixels(10)), compressed(digits(everyDigit))]);
const read = (train: Uint8Array, path = "train_32x32.mat") =>
  svhn.read(
    [
      { path, bytes: train },
      { path: "test_32x32.mat", bytes: whole },
    ],
    {},
  ).train;

const file = (bytes: Uint8Array) => ({ path: "a.mat", bytes });

describe("matArrays", () => {
  test("reads arrays in the order asked for, packed or not, in the tag or behind it", () => {
    const one: Variable = { name: "one", shape: [1, 1], data: Uint8Array.of(7) };
    const six: Variable = { name: "a_longer_name", shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    for (const packed of [matrix, compressed]) {
      const arrays = matArrays(file(mat([packed(one), packed(six)])), ["a_longer_name", "one"]);
      expect(arrays.map(({ shape }) => shape)).toEqual([
        [2, 3],
        [1, 1],
      ]);
      expect(arrays.map(({ values }) => [...values])).toEqual([[1, 2, 3, 4, 5, 6], [7]]);
    }
  });

  test("reads numbers of other types than bytes", () => {
    const third = { name: "d", shape: [1, 3], data: doubles([0.5, -2, 1e300]), type: types.double, class: 6 };
    const whole = { name: "i", shape: [2, 1], data: u32([-5, 70_000]), type: types.int32, class: 12 };
    const arrays = matArrays(file(mat([matrix(third), compressed(whole)])), ["d", "i"]);
    expect(arrays.map(({ values }) => [...values])).toEqual([
      [0.5, -2, 1e300],
      [-5, 70_000],
    ]);
  });

  test("passes over text, and says so where it is what was asked for", () => {
    const text = { name: "y", shape: [1, 2], data: Buffer.from("ab"), class: classes.char };
    const one = { name: "x", shape: [1, 1], data: Uint8Array.of(7) };
    expect(matArrays(file(mat([matrix(text), matrix(one)])), ["x"])).toHaveLength(1);
    expect(() => matArrays(file(mat([matrix(text), matrix(one)])), ["y"])).toThrow(
      "a.mat: expected a numeric array called y, got another kind of variable by that name",
    );
  });

  test("a variable that is not there is named, beside those that are", () => {
    const one = { name: "x", shape: [1, 1], data: Uint8Array.of(7) };
    expect(() => matArrays(file(mat([matrix(one)])), ["x", "y"])).toThrow(
      "a.mat: expected a numeric array called y, got x",
    );
    expect(() => matArrays(file(mat([])), ["x"])).toThrow("called x, got no variables");
  });

  test("a shape that does not fit its numbers is an error", () => {
    const wrong = { name: "x", shape: [2, 2], data: Uint8Array.of(1, 2, 3) };
    expect(() => matArrays(file(mat([matrix(wrong)])), ["x"])).toThrow("x: expected 4 numbers (2×2), got 3");
  });

  test("files of version 7.3 and of other kinds are told from damaged ones", () => {
    const hdf5 = Buffer.alloc(600);
    hdf5.write("MATLAB 7.3 MAT-file, Platform: GLNXA64");
    expect(() => matArrays(file(hdf5), ["x"])).toThrow(
      'of version 7.3 (HDF5); save it again, with save(…, "-v7")',
    );
    expect(() => matArrays(file(Buffer.from("<!DOCTYPE html><html>".padEnd(200))), ["x"])).toThrow(
      'a.mat: expected a MATLAB file of version 5, got 200 bytes beginning "<!DOCTYPE html><"',
    );
    expect(() => matArrays(file(new Uint8Array(0)), ["x"])).toThrow("got 0 bytes");
  });

  test.each([129, 140, 200, whole.length - 1])(
    "a file cut off after %d bytes is an error that says so",
    (length) => {
      expect(() => matArrays(file(whole.subarray(0, length)), ["X", "y"])).toThrow(
        /a\.mat: expected a whole element at byte \d+, the bytes end at \d+; the file is cut off or damaged/,
      );
    },
  );

  test("a damaged variable is an error", () => {
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 150, 180);
    expect(() => matArrays(file(damaged), ["X"])).toThrow(
      /a\.mat: the variable at byte 136 cannot be inflated \(.+\); the file is damaged/,
    );
  });
});

describe("svhn", () => {
  test("images have channels last and rows before columns, and 10 is the digit 0", () => {
    const dataset = read(whole);
    expect(dataset.imageShape).toEqual([32, 32, 3]);
    expect([...dataset.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const at = (image: number, row: number, column: number, channel: number): number =>
      dataset.pixels[((image * 32 + row) * 32 + column) * 3 + channel]!;
    for (const [image, row, column, channel] of [
      [0, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
      [9, 31, 30, 2],
    ] as const) {
      expect(at(image, row, column, channel)).toBe(byteAt(row, column, channel, image));
    }
    expect([dataset.mean, dataset.std]).toEqual([
      [0.4377, 0.4438, 0.4728],
      [0.198, 0.201, 0.197],
    ]);
  });

  test("plain and gzipped files read as packed ones", () => {
    const plain = mat([matrix(digits(everyDigit)), matrix(pixels(10))]);
    expect(read(plain)).toEqual(read(whole));
    expect(read(gzipSync(whole))).toEqual(read(whole));
  });

  test("its classes are digits, of which no mirror images are made", () => {
    expect(
      augmentationFor(["flip", "crop"], svhn.read([file(whole), file(whole)], {}).train.classNames),
    ).toEqual(["crop"]);
  });

  test("other images, labels and counts are refused", () => {
    const gray = { ...pixels(10), shape: [32, 32, 10, 3] };
    expect(() => read(mat([compressed(gray), compressed(digits(everyDigit))]))).toThrow(
      "train_32x32.mat: X: expected images of 32×32×3, one after another (32×32×3×n), got 32×32×10×3",
    );
    const floats = { ...pixels(1), data: doubles(new Array<number>(3072).fill(0.5)), type: types.double };
    expect(() => read(mat([matrix(floats), matrix(digits([1]))]))).toThrow(
      "X: expected bytes, got other numbers",
    );
    expect(() => read(mat([matrix(pixels(2)), matrix(digits([1, 2, 3]))]))).toThrow(
      "train_32x32.mat: y: expected 2 labels, one per image of X, got 3",
    );
    for (const wrong of [0, 11, 1.5]) {
      expect(() => read(mat([matrix(pixels(2)), matrix(digits([1, wrong]))]))).toThrow(
        `y: label of image 1: expected 1 to 10, where 10 is the digit 0, got ${wrong}`,
      );
    }
  });

  test("a digit without images is an error", () => {
    expect(() => read(mat([matrix(pixels(1)), matrix(digits([4]))]))).toThrow(
      "svhn: class 0 (0): expected at least 1 image, got none",
    );
  });
});
