import { gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { idx } from "../../src/datasets/idx.ts";
import { fashionMnist, mnist } from "../../src/datasets/mnist.ts";

/** An IDX file of unsigned bytes. */
function idxBytes(shape: readonly number[], values: readonly number[]): Uint8Array {
  const lengths = shape.flatMap((length) => [0, 0, length >> 8, length & 255]);
  return Uint8Array.from([0, 0, 8, shape.length, ...lengths, ...values]);
}

describe("idx", () => {
  test("reads the shape and the bytes", () => {
    const file = { path: "a", bytes: idxBytes([2, 1, 3], [1, 2, 3, 4, 5, 6]) };
    const { shape, values } = idx(file, 3);
    expect(shape).toEqual([2, 1, 3]);
    expect([...values]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("lengths are big-endian", () => {
    const file = { path: "a", bytes: idxBytes([258], new Array<number>(258).fill(7)) };
    expect(idx(file, 1).shape).toEqual([258]);
  });

  test("a gzipped file reads as a plain one", () => {
    const bytes = idxBytes([2, 2], [9, 8, 7, 6]);
    expect([...idx({ path: "a.gz", bytes: gzipSync(bytes) }, 2).values]).toEqual([9, 8, 7, 6]);
  });

  test("a view into a larger buffer reads as a copy", () => {
    const bytes = idxBytes([3], [1, 2, 3]);
    const larger = new Uint8Array(50);
    larger.set(bytes, 5);
    const { values } = idx({ path: "a", bytes: larger.subarray(5, 5 + bytes.length) }, 1);
    expect([...values]).toEqual([1, 2, 3]);
  });

  test("another number of axes is a wrong beginning", () => {
    expect(() => idx({ path: "labels", bytes: idxBytes([3], [1, 2, 3]) }, 3)).toThrow(
      "labels: expected an IDX file of bytes with 3 axes (beginning 00000803), got 11 bytes beginning 00000801",
    );
  });

  test("an empty file is refused", () => {
    expect(() => idx({ path: "a", bytes: new Uint8Array(0) }, 1)).toThrow(
      "got 0 bytes beginning with nothing",
    );
  });

  test("a header cut off is refused", () => {
    expect(() => idx({ path: "a", bytes: Uint8Array.of(0, 0, 8, 3, 0, 0) }, 3)).toThrow(
      "got 6 bytes beginning",
    );
  });

  test("missing bytes are counted", () => {
    expect(() => idx({ path: "a", bytes: idxBytes([2, 2], [1, 2, 3]) }, 2)).toThrow(
      "a: expected 4 bytes after the header (2×2), got 3",
    );
  });

  test("a gzip stream that is cut off is named", () => {
    const bytes = gzipSync(idxBytes([100], new Array<number>(100).fill(1)));
    expect(() => idx({ path: "cut.gz", bytes: bytes.subarray(0, -4) }, 1)).toThrow(
      "cut.gz: expected a whole gzip file, got",
    );
  });
});

describe.each([
  ["mnist", mnist, "7", 0.1307],
  ["fashionMnist", fashionMnist, "sneaker", 0.2861],
] as const)("%s", (name, entry, seventh, mean) => {
  const labels = Array.from({ length: 10 }, (_, i) => i);
  const images = idxBytes(
    [10, 2, 3],
    Array.from({ length: 60 }, (_, i) => i),
  );
  const files = (labelBytes = idxBytes([10], labels)) => [
    { path: "train-images", bytes: images },
    { path: "train-labels", bytes: labelBytes },
    { path: "test-images", bytes: gzipSync(images) },
    { path: "test-labels", bytes: gzipSync(idxBytes([10], labels)) },
  ];

  test("reads gray images and their labels", () => {
    const splits = entry.read(files(), {});
    for (const split of [splits.train, splits.test]) {
      expect(split.name).toBe(name);
      expect(split.imageShape).toEqual([2, 3, 1]);
      expect([...split.pixels.subarray(6, 12)]).toEqual([6, 7, 8, 9, 10, 11]);
      expect(split.classNames[split.labels[7]!]).toBe(seventh);
      expect(split.mean).toEqual([mean]);
    }
  });

  test("needs a label per image", () => {
    expect(() => entry.read(files(idxBytes([9], labels.slice(1))), {})).toThrow(
      "train-labels: expected 10 labels, one per image of train-images, got 9",
    );
  });

  test("refuses a label above 9", () => {
    expect(() => entry.read(files(idxBytes([10], [10, ...labels.slice(1)])), {})).toThrow(
      `${name}: label of image 0: expected 0 to 9, got 10`,
    );
  });
});
