import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import type { z } from "zod";
import { dataCommand } from "../../experiments/commands/data.ts";
import { located } from "../../experiments/data/files.ts";
import { datasetOptions, loadData, parsedDatasetOptions } from "../../experiments/data/load.ts";
import { classCounts, classIndices, countOf, datasets, subset } from "../../src/datasets/index.ts";
import { longTailCounts } from "../../src/datasets/longTail.ts";
import { channelStatistics } from "../../src/datasets/statistics.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "distillery-data-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Writes a file below the root, with its folders. */
function write(path: string, bytes: Uint8Array | string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), bytes);
}

/** `count` CIFAR-10 records with labels in turn. */
function records(count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => Buffer.alloc(3073, i % 256).fill(i % 10, 0, 1)),
  );
}

function writeCifar10(folder: string): void {
  for (let batch = 1; batch <= 5; batch++) write(`${folder}/data_batch_${batch}.bin`, records(20));
  write(`${folder}/test_batch.bin`, records(10));
}

const loaded = (name: keyof typeof datasets, more: Record<string, unknown> = {}) =>
  loadData(parsedDatasetOptions({ name, root, ...more }));

describe("reading files", () => {
  test.each(["cifar-10-batches-bin", "."])("CIFAR-10 is found in ROOT/%s", async (folder) => {
    writeCifar10(folder);
    const { splits, indices } = await loaded("cifar10");
    expect([countOf(splits.train), countOf(splits.test)]).toEqual([100, 10]);
    expect(indices).toBeUndefined();
  });

  test.each(["MNIST/raw", "MNIST", "."])("MNIST is found in ROOT/%s, gzipped or not", async (folder) => {
    const images = Buffer.concat([
      Buffer.from([0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 1]),
      Buffer.alloc(10, 5),
    ]);
    const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 10, ...Array.from({ length: 10 }, (_, i) => i)]);
    write(`${folder}/train-images-idx3-ubyte.gz`, gzipSync(images));
    write(`${folder}/train-labels-idx1-ubyte`, labels);
    write(`${folder}/t10k-images-idx3-ubyte`, images);
    write(`${folder}/t10k-labels-idx1-ubyte.gz`, gzipSync(labels));
    expect(classCounts((await loaded("mnist")).splits.train)).toEqual(new Array(10).fill(1));
  });

  test("a missing file is named, with the folders looked in and the command that fetches it", async () => {
    writeCifar10("cifar-10-batches-bin");
    rmSync(join(root, "cifar-10-batches-bin/data_batch_3.bin"));
    await expect(loaded("cifar10")).rejects.toThrow(
      `looked in ${root}/cifar-10-batches-bin (without data_batch_3.bin), ${root} (without any of them); ` +
        `run: distillery data cifar10 --fetch --root ${root}`,
    );
    await expect(loaded("mnist")).rejects.toThrow(`${root}/MNIST/raw (does not exist)`);
  });

  test("a truncated file is named with its path", async () => {
    writeCifar10("cifar-10-batches-bin");
    write("cifar-10-batches-bin/test_batch.bin", records(10).subarray(0, 30000));
    await expect(loaded("cifar10")).rejects.toThrow(
      `${root}/cifar-10-batches-bin/test_batch.bin: expected a multiple of 3073 bytes`,
    );
  });
});

describe("thinning", () => {
  test("an imbalance thins the training split, tells which images stay, and leaves the test split whole", async () => {
    writeCifar10("cifar-10-batches-bin");
    const full = (await loaded("cifar10")).splits;
    const { splits, indices } = await loaded("cifar10", { imbalance: 5 });
    expect(classCounts(splits.train)).toEqual(longTailCounts(10, 10, 5));
    expect(splits.train).toEqual(subset(full.train, indices!));
    expect(splits.test).toEqual(full.test);
  });

  test("a class size alone takes so many of each class", async () => {
    writeCifar10("cifar-10-batches-bin");
    expect(classCounts((await loaded("cifar10", { classSize: 3 })).splits.train)).toEqual(
      new Array(10).fill(3),
    );
  });

  test("the subset's seed decides which images stay, and is 42 by default", async () => {
    writeCifar10("cifar-10-batches-bin");
    const at = async (more: object) => (await loaded("cifar10", { classSize: 3, ...more })).indices;
    expect(await at({})).toEqual(await at({ subsetSeed: 42 }));
    expect(await at({})).not.toEqual(await at({ subsetSeed: 1 }));
  });

  test("LAD's subset takes the places of NumPy's order, the same in every class", async () => {
    writeCifar10("cifar-10-batches-bin");
    const full = (await loaded("cifar10")).splits.train;
    const { indices } = await loaded("cifar10", { imbalance: 5, subset: "lad" });
    const counts = longTailCounts(10, 10, 5);
    // numpy.random.RandomState(42).permutation(10)
    const places = [8, 1, 5, 0, 7, 2, 9, 4, 3, 6];
    const wanted = classIndices(full).flatMap((members, c) =>
      places.slice(0, counts[c]).map((place) => members[place]!),
    );
    expect([...indices!]).toEqual(wanted.sort((a, b) => a - b));
    expect(indices).not.toEqual((await loaded("cifar10", { imbalance: 5 })).indices);
  });
});

describe("options", () => {
  test("a bare name takes all defaults", () => {
    expect(datasetOptions.parse("cifar100")).toEqual({
      name: "cifar100",
      root: "data",
      imbalance: 1,
      subsetSeed: 42,
      labels: "fine",
      normalization: "cifar100",
    });
  });

  test("an unknown option is an error that lists the known ones", () => {
    expect(() => parsedDatasetOptions({ name: "cifar10", imbalanced: 3 })).toThrow(
      'dataset: Unrecognized key: "imbalanced" (options of cifar10: root, imbalance, classSize, subsetSeed, subset, onlyLabels)',
    );
  });

  test("an option of another data set is unknown", () => {
    expect(() => parsedDatasetOptions({ name: "cifar10", side: 32 })).toThrow('Unrecognized key: "side"');
  });
});

describe.each(Object.entries(datasets))("data set %s", (name, { options, summary }) => {
  test("every option is described, and the defaults are valid", () => {
    for (const [option, schema] of Object.entries<z.ZodType>(options.shape)) {
      expect(`${option}: ${schema.description ?? ""}`).toMatch(/: .{10,}\.$/);
    }
    expect(() => datasetOptions.parse(name)).not.toThrow();
    expect(summary.length).toBeGreaterThan(10);
  });
});

describe("image folders", () => {
  /** An image of one color. */
  async function picture(path: string, color: readonly [number, number, number], side = 4): Promise<void> {
    mkdirSync(join(root, path, ".."), { recursive: true });
    const [r, g, b] = color;
    await sharp({ create: { width: side, height: side, channels: 3, background: { r, g, b } } })
      .webp({ lossless: true })
      .jpeg({ quality: 100, force: false })
      .toFile(join(root, path));
  }

  async function twoClasses(parent: string): Promise<void> {
    await picture(`${parent}cat/1.png`, [255, 0, 0]);
    await picture(`${parent}cat/2.webp`, [0, 255, 0]);
    await picture(`${parent}dog/1.jpg`, [0, 0, 255]);
    await picture(`${parent}dog/2.PNG`, [10, 20, 30]);
  }

  test("train and test folders are the splits; PNG, WebP and JPEG are read", async () => {
    await twoClasses("train/");
    await twoClasses("test/");
    write("train/cat/notes.txt", "not an image");
    const { train, test: held } = (await loaded("folder")).splits;
    expect(train.classNames).toEqual(["cat", "dog"]);
    expect([...train.labels]).toEqual([0, 0, 1, 1]);
    expect(train.imageShape).toEqual([4, 4, 3]);
    const first = (i: number): number[] => [...train.pixels.subarray(i * 48, i * 48 + 3)];
    expect([first(0), first(1), first(3)]).toEqual([
      [255, 0, 0],
      [0, 255, 0],
      [10, 20, 30],
    ]);
    expect(first(2)[2]!).toBeGreaterThan(250);
    expect(countOf(held)).toBe(4);
  });

  test("a folder of classes alone is split by the fraction asked for", async () => {
    await twoClasses("");
    const { train, test: held } = (await loaded("folder", { testFraction: 0.5 })).splits;
    expect([classCounts(train), classCounts(held)]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    await expect(loaded("folder")).rejects.toThrow("folder.testFraction: expected a fraction");
  });

  test("images of two sizes are an error that names two files, and side resizes them", async () => {
    await twoClasses("");
    await picture("dog/3.png", [9, 9, 9], 6);
    await expect(loaded("folder", { testFraction: 0.3 })).rejects.toThrow(
      /expected images of one size, got .*4×4×3 .*set side to resize them all/,
    );
    const { train } = (await loaded("folder", { testFraction: 0.3, side: 5 })).splits;
    expect(train.imageShape).toEqual([5, 5, 3]);
  });

  test("one channel reads as gray", async () => {
    await twoClasses("");
    const { train } = (await loaded("folder", { testFraction: 0.5, channels: 1 })).splits;
    expect(train.imageShape).toEqual([4, 4, 1]);
    expect(train.pixels).toHaveLength(32);
  });

  test("16 bits are reduced to 8, and transparent parts become white", async () => {
    await twoClasses("train/");
    await twoClasses("test/");
    const wide = sharp(
      Uint16Array.from({ length: 48 }, () => 257 * 100),
      { raw: { width: 4, height: 4, channels: 3 } },
    );
    await wide.toColourspace("rgb16").png().toFile(join(root, "train/cat/1.png"));
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    await sharp({ create: { width: 4, height: 4, channels: 4, background: clear } })
      .png()
      .toFile(join(root, "train/dog/2.PNG"));
    const { train } = (await loaded("folder")).splits;
    expect([...train.pixels.subarray(0, 3)]).toEqual([100, 100, 100]);
    expect([...train.pixels.subarray(3 * 48, 3 * 48 + 3)]).toEqual([255, 255, 255]);
  });

  test("a file that is no image, an empty class and a missing folder are named", async () => {
    await twoClasses("");
    write("cat/3.png", "hello");
    await expect(loaded("folder", { testFraction: 0.5 })).rejects.toThrow(
      `${root}/cat/3.png: expected an image, got`,
    );
    rmSync(join(root, "cat/3.png"));
    mkdirSync(join(root, "eel"));
    await expect(loaded("folder", { testFraction: 0.5 })).rejects.toThrow(
      `folder: class eel: expected PNG, JPEG or WebP files in ${root}/eel, got none`,
    );
    await expect(loaded("folder", { root: join(root, "none") })).rejects.toThrow(
      "none, which does not exist",
    );
  });
});

describe("the data command", () => {
  async function printed(more: object): Promise<string[]> {
    const lines: string[] = [];
    await dataCommand({ name: "cifar10", root, ...more }, (line) => lines.push(line));
    return lines;
  }

  test("prints classes, shape, statistics and images per class under each imbalance", async () => {
    writeCifar10("cifar-10-batches-bin");
    const lines = await printed({ imbalance: [1, 10, 50] });
    expect(lines[0]).toBe("cifar10: 10 classes, 100 + 10 images of 32×32×3");
    expect(lines[1]).toMatch(/^mean {2}0\.\d{4} 0\.\d{4} 0\.\d{4} {2}normalized by 0\.4914 0\.4822 0\.4465$/);
    const columns = (line: string): string[] => line.trim().split(/\s+/);
    expect(lines.slice(4, 6).map(columns)).toEqual([
      ["class", "train", "test", "1:1", "1:10"],
      ["airplane", "10", "1", "10", "10"],
    ]);
    // 10·10^(−c/9) rounded down: 10 + 7 + 5 + 4 + 3 + 2 + 2 + 1 + 1 + 1.
    expect(columns(lines[15]!)).toEqual(["total", "100", "10", "100", "36"]);
    expect(lines.at(-1)).toBe("1:50 needs 50 images in every class, the smallest has 10");
  });

  test("takes a data set's own options", async () => {
    const options = { classes: 2, trainPerClass: 3, testPerClass: 1, side: 8 };
    expect((await printed({ name: "procedural", options }))[0]).toBe(
      "procedural: 2 classes, 6 + 2 images of 8×8×3",
    );
  });

  test("says that there is nothing to fetch where the files are there, or are not downloaded", async () => {
    writeCifar10("cifar-10-batches-bin");
    expect((await printed({ fetch: true }))[0]).toBe(`nothing to fetch: ${root} has the files`);
    const options = { classes: 2, trainPerClass: 1, testPerClass: 1 };
    expect((await printed({ name: "procedural", fetch: true, options }))[0]).toMatch(
      /^procedural is not downloaded/,
    );
  });

  test("an unknown name is an error with the nearest one", async () => {
    await expect(printed({ name: "cifar11" })).rejects.toThrow("did you mean cifar10?");
  });
});

/** Folder with official files; without them, the tests on them are skipped. */
const real = process.env["DISTILLERY_DATA"];

describe("official files", () => {
  const published = [
    { name: "cifar10", count: 50_000, shape: [32, 32, 3], means: [0.4914, 0.4822, 0.4465] },
    { name: "cifar100", count: 50_000, shape: [32, 32, 3], means: [0.5071, 0.4866, 0.4409] },
    { name: "mnist", count: 60_000, shape: [28, 28, 1], means: [0.1307] },
    { name: "fashionMnist", count: 60_000, shape: [28, 28, 1], means: [0.2861] },
    { name: "svhn", count: 73_257, held: 26_032, shape: [32, 32, 3], means: [0.4377, 0.4438, 0.4728] },
  ] as const;

  for (const { name, count, shape, means, ...others } of published) {
    const there = real !== undefined && located(datasets[name].distribution, real) !== undefined;
    (there ? test : test.skip)(`${name} has the published counts and means`, async () => {
      const { train, test: held } = (await loaded(name, { root: real })).splits;
      expect([countOf(train), countOf(held)]).toEqual([count, "held" in others ? others.held : 10_000]);
      expect(train.imageShape).toEqual(shape);
      const measured = channelStatistics(train.pixels, shape[2]).mean;
      // The published means have four digits, of which some were cut off and not rounded.
      measured.forEach((mean, c) => expect(Math.abs(mean - means[c]!)).toBeLessThan(1e-4));
    });
  }
});
