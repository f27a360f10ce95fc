import { gzipSync } from "node:zlib";
import { expect, test } from "@jest/globals";
import { cifar10, cifar100 } from "../../src/datasets/cifar.ts";
import { classCounts, countOf } from "../../src/datasets/dataset.ts";
import type { SourceFile } from "../../src/datasets/entry.ts";

/** A file of records with the given label bytes; the byte of plane c at position p of record i is i + 64c + p mod 251. */
function file(path: string, labels: readonly (readonly number[])[]): SourceFile {
  const records = labels.map((label, i) =>
    Uint8Array.from([
      ...label,
      ...Array.from({ length: 3072 }, (_, q) => byteAt(i, Math.floor(q / 1024), q % 1024)),
    ]),
  );
  return { path, bytes: Uint8Array.from(records.flatMap((record) => [...record])) };
}

const byteAt = (record: number, channel: number, position: number): number =>
  (record + 64 * channel + position) % 251;

const tenLabels = Array.from({ length: 10 }, (_, i) => [9 - i]);
const batches = (): SourceFile[] => [
  file("data_batch_1.bin", tenLabels.slice(0, 5)),
  file("data_batch_2.bin", tenLabels.slice(5)),
  file("test_batch.bin", tenLabels),
];

test("a CIFAR-10 record is a label and three planes, which become pixels with channels last", () => {
  const { train, test: held } = cifar10.read(batches(), {});
  expect([countOf(train), countOf(held)]).toEqual([10, 10]);
  expect([...train.labels]).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(train.imageShape).toEqual([32, 32, 3]);
  for (const [record, row, column, channel] of [
    [0, 0, 0, 0],
    [3, 0, 1, 2],
    [2, 31, 31, 1],
  ] as const) {
    const pixel = train.pixels[((record * 32 + row) * 32 + column) * 3 + channel];
    expect(pixel).toBe(byteAt(record, channel, row * 32 + column));
  }
  // Record 6 of the split is record 1 of the second file.
  expect(train.pixels[6 * 3072]).toBe(byteAt(1, 0, 0));
  expect(train.classNames[train.labels[0]!]).toBe("truck");
});

test("a CIFAR-100 record has a coarse and a fine label, of which either can be learned", () => {
  const labels = Array.from({ length: 100 }, (_, fine) => [fine % 20, fine]);
  const files = [file("train.bin", labels), file("test.bin", labels)];
  const fine = cifar100.read(files, {}).train;
  expect(fine.classNames).toHaveLength(100);
  expect([...fine.labels]).toEqual(labels.map(([, label]) => label));
  expect([fine.classNames[0], fine.classNames[34], fine.classNames[99]]).toEqual(["apple", "fox", "worm"]);
  expect(fine.pixels[7 * 3072]).toBe(byteAt(7, 0, 0));
  const coarse = cifar100.read(files, { labels: "coarse" }).train;
  expect(classCounts(coarse)).toEqual(new Array(20).fill(5));
  expect(coarse.classNames[19]).toBe("vehicles_2");
});

test("CIFAR-100 is normalized by its own constants or, as in NCFM, by those of CIFAR-10", () => {
  const files = [0, 1].map((i) =>
    file(
      `${i}.bin`,
      Array.from({ length: 100 }, (_, fine) => [0, fine]),
    ),
  );
  const ten = cifar10.read(batches(), {}).train;
  expect(cifar100.read(files, {}).train.mean).toEqual([0.5071, 0.4866, 0.4409]);
  const like = cifar100.read(files, { normalization: "cifar10" }).train;
  expect([like.mean, like.std]).toEqual([ten.mean, ten.std]);
});

test("a gzipped file reads as a plain one", () => {
  const packed = batches().map(({ path, bytes }) => ({ path: `${path}.gz`, bytes: gzipSync(bytes) }));
  expect(cifar10.read(packed, {})).toEqual(cifar10.read(batches(), {}));
});

test("a truncated file is named, with the record where it ends", () => {
  const files = batches();
  const whole = files[1]!;
  files[1] = { path: "root/data_batch_2.bin", bytes: whole.bytes.subarray(0, whole.bytes.length - 73) };
  expect(() => cifar10.read(files, {})).toThrow(
    "root/data_batch_2.bin: expected a multiple of 3073 bytes (one record per image), got 15292: record 4 ends after 3000 bytes",
  );
});

test("a file cut off between two records is noticed by its count", () => {
  const [first, second, held] = batches() as [SourceFile, SourceFile, SourceFile];
  const short = { ...second, bytes: second.bytes.subarray(0, 4 * 3073) };
  expect(() => cifar10.read([first, short, held], {})).toThrow(
    "data_batch_2.bin: expected 5 images as in data_batch_1.bin, got 4; one of them is cut off",
  );
});

test("an empty file is refused", () => {
  const files = batches();
  files[0] = { path: "empty.bin", bytes: new Uint8Array(0) };
  expect(() => cifar10.read(files, {})).toThrow("empty.bin: expected a multiple of 3073 bytes");
});

test("a label out of range is named with its file and record", () => {
  const files = batches();
  files[2] = file("test_batch.bin", [[0], [3], [10]]);
  expect(() => cifar10.read(files, {})).toThrow("test_batch.bin: label of record 2: expected 0 to 9, got 10");
});

test("a class without images is an error", () => {
  const files = batches();
  files[2] = file("test_batch.bin", tenLabels.slice(1));
  expect(() => cifar10.read(files, {})).toThrow(
    "cifar10: class 9 (truck): expected at least 1 image, got none",
  );
});

test("an unknown option is an error that lists the known ones", () => {
  expect(() => cifar100.read([], { label: "fine" })).toThrow(
    'cifar100: Unrecognized key: "label" (options: labels, normalization)',
  );
});
