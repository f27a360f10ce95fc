import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import sharp from "sharp";
import { parseDocument } from "yaml";
import { exportRun } from "../../experiments/commands/export.ts";
import { cardSchema } from "../../experiments/export/card.ts";
import { eightBit, folderName, pngLoss } from "../../experiments/export/png.ts";
import { recordRow } from "../../experiments/gather.ts";
import type { RunFolder } from "../../experiments/runFolder.ts";
import { toPixels } from "../../src/runs/space.ts";
import { type ImageShape, sizeOf } from "../../src/core/shape.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { readNpz } from "../../src/formats/npz.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { finishedRun, type Learnt } from "./finishedRun.ts";
import { row, rowsOf } from "./rows.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

/** Sets of any image shape, class names of any letters, and any number of images in each class, in any order. */
const learnt: fc.Arbitrary<Learnt> = fc
  .record({
    imageShape: fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(1, 3),
    ),
    classNames: fc.array(fc.string({ unit: "binary", maxLength: 70 }), { minLength: 1, maxLength: 4 }),
  })
  .chain(({ imageShape, classNames }) => {
    const channels = imageShape[2];
    const label = fc.integer({ min: 0, max: classNames.length - 1 });
    const numbers = (min: number, max: number) =>
      fc.array(fc.double({ min, max, noNaN: true }), { minLength: channels, maxLength: channels });
    return fc.array(label, { minLength: 1, maxLength: 6 }).chain((labels) => {
      const length = labels.length * sizeOf(imageShape);
      return fc.record({
        imageShape: fc.constant<ImageShape>(imageShape),
        classNames: fc.constant(classNames),
        labels: fc.constant(Int32Array.from(labels)),
        mean: numbers(0, 1),
        std: numbers(0.05, 0.5),
        images: fc.float32Array({ minLength: length, maxLength: length, min: -4, max: 4, noNaN: true }),
      });
    });
  });

async function exported(set: Learnt): Promise<string> {
  return (await exportRun(finishedRun(engine, set), { force: false })).path;
}

const plain = (): Learnt => ({
  imageShape: [2, 2, 1],
  classNames: ["cat", "dog"],
  labels: Int32Array.of(0, 1),
  mean: [0.5],
  std: [0.25],
  // Pixels 0.5 + 0.25 x: 0, 1, 0.5, 2 and 0.1875, 0.5, 0.5, 0.5.
  images: Float32Array.of(-2, 2, 0, 6, -1.25, 0, 0, 0),
});

test("every file holds the set: tensors to the bit, PNGs and parquet to the byte they round to", async () => {
  await fc.assert(
    fc.asyncProperty(learnt, async (set) => {
      const folder = await exported(set);
      const { arrays, metadata } = readSafetensors(readFileSync(join(folder, "data.safetensors")));
      const [height, width, channels] = set.imageShape;
      const n = set.labels.length;
      expect(arrays.images!.shape).toEqual([n, channels, height, width]);
      expect(arrays.labels!.data).toEqual(BigInt64Array.from(set.labels, BigInt));
      for (let i = 0; i < set.images.length; i++) {
        const [x, y, c] = [
          Math.floor(i / channels) % width,
          Math.floor(i / channels / width) % height,
          i % channels,
        ];
        const first = Math.floor(i / sizeOf(set.imageShape)) * channels + c;
        expect(arrays.images!.data[(first * height + y) * width + x]).toBe(set.images[i]);
      }
      expect(readNpz(readFileSync(join(folder, "data.npz")))).toEqual(arrays);
      const card = cardSchema.parse(JSON.parse(readFileSync(join(folder, "card.json"), "utf8")));
      expect(JSON.parse(metadata.card!)).toEqual(card);
      expect(card).toMatchObject({ classNames: set.classNames, mean: set.mean, std: set.std });

      const bytes = eightBit(toPixels(set.images, set, set.imageShape));
      await expectFiles(folder, set, bytes);
    }),
    { numRuns: 25, seed: 7 },
  );
});

/** That PNG folder and parquet file hold these pixels under the set's labels. */
async function expectFiles(folder: string, set: Learnt, bytes: Uint8Array): Promise<void> {
  const size = sizeOf(set.imageShape);
  const train = join(folder, "png", "train");
  const rows: Record<string, string>[] = parse(readFileSync(join(train, "metadata.csv")), { columns: true });
  expect(rows.map(({ label }) => Number(label))).toEqual([...set.labels]);
  expect(new Set(rows.map(({ file_name }) => file_name)).size).toBe(rows.length);
  for (const [i, { file_name }] of rows.entries()) {
    const image = sharp(join(train, file_name!));
    const { channels } = await image.metadata();
    expect(channels).toBe(set.imageShape[2]);
    const decoded = await image
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer();
    expect(new Uint8Array(decoded)).toEqual(bytes.slice(i * size, (i + 1) * size));
  }
  // Loaders of class folders number them in order of their names.
  const present = [...new Set(set.labels)].sort((a, b) => a - b);
  const folders = readdirSync(train).filter((name) => name !== "metadata.csv");
  expect(folders.sort()).toEqual(present.map((label) => folderName(label, set.classNames[label]!)));

  const file = readFileSync(join(folder, "train-00000-of-00001.parquet"));
  expect(file.subarray(0, 4).toString() + file.subarray(-4).toString()).toBe("PAR1PAR1");
  const buffer = new Uint8Array(file).buffer;
  const read = (await parquetReadObjects({ file: buffer, utf8: false })) as {
    image: { bytes: Uint8Array; path: string };
    label: bigint;
  }[];
  expect(read.map(({ label }) => Number(label))).toEqual([...set.labels]);
  read.forEach(({ image }, i) => {
    expect(image.path).toBe(rows[i]!.file_name);
    expect(Buffer.compare(image.bytes, readFileSync(join(train, image.path)))).toBe(0);
  });
  const { key_value_metadata } = parquetMetadata(buffer);
  const hub = JSON.parse(key_value_metadata!.find(({ key }) => key === "huggingface")!.value!) as unknown;
  expect(hub).toEqual({
    info: {
      features: { image: { _type: "Image" }, label: { _type: "ClassLabel", names: set.classNames } },
    },
  });
}

test("what PNG loses is counted", () => {
  // 0 and 1 are bytes; 2 is cut to 1; 0.2 is 51/255, and 0.5 becomes 128/255, as 127.5 is rounded up.
  const half = 128 / 255 - 0.5;
  const { outside, maxError, rmsError } = pngLoss(Float32Array.of(0, 1, 2, 0.5));
  expect([outside, maxError]).toEqual([1 / 4, 1]);
  expect(rmsError).toBeCloseTo(Math.sqrt((1 + half * half) / 4), 12);
  expect(eightBit(Float32Array.of(-3, 0, 0.2, 0.5, 1, 7))).toEqual(Uint8Array.of(0, 0, 51, 128, 255, 255));
});

test("images_pixel are the images without normalization, and not clipped", async () => {
  const folder = await exported(plain());
  const { images_pixel } = readNpz(readFileSync(join(folder, "data.npz")));
  expect(images_pixel!.shape).toEqual([2, 1, 2, 2]);
  expect(images_pixel!.data).toEqual(Float32Array.of(0, 1, 0.5, 2, 0.1875, 0.5, 0.5, 0.5));
  const card = cardSchema.parse(JSON.parse(readFileSync(join(folder, "card.json"), "utf8")));
  expect(card.png!.outside).toBe(1 / 8);
  expect(card.png!.note).toMatch(
    /^PNG is lossy: 12\.5 % of pixel values lie outside \[0, 1\].*largest error is 1\.0/,
  );
});

test("the card says how networks are trained by the protocol, of this data set", async () => {
  const trained = async (...changes: string[]): Promise<unknown> => {
    const run = finishedRun(engine, plain(), ["evaluation.protocol=dc-300", ...changes]);
    const { path } = await exportRun(run, { force: false });
    return (JSON.parse(readFileSync(join(path, "card.json"), "utf8")) as { evaluation: unknown }).evaluation;
  };
  expect(await trained()).toMatchObject({ protocol: "dc-300", epochs: 301, augmentation: [] });
  expect(await trained("data=mnist")).toMatchObject({
    protocol: "dc-300",
    epochs: 1001,
    augmentation: { condensation: ["crop", "scale", "rotate"] },
  });
});

test("the card says which accuracies to expect: mean and deviation of each protocol and architecture", async () => {
  const run = finishedRun(engine, plain());
  const kinds = { protocol: "quick", evaluationNetwork: "convNet-d3" };
  const failed = { accuracy: NaN, evaluationSeed: 3, status: "train: expected a finite loss" };
  for (const one of [...rowsOf([0.25, 0.5, 0.75], kinds), row({ ...kinds, ...failed })]) recordRow(run, one);
  recordRow(run, row({ ...kinds, evaluationNetwork: "convNet-d2", accuracy: 0.5, evaluationSeed: 0 }));
  const { card } = await exportRun(run, { force: false });
  const alone = {
    protocol: "quick",
    protocolVersion: 1,
    network: "convNet-d2",
    networks: 1,
    accuracies: [0.5],
  };
  expect(card.expected).toEqual([
    { ...alone, accuracy: 0.5, std: null },
    { ...alone, network: "convNet-d3", networks: 3, accuracies: [0.25, 0.5, 0.75], accuracy: 0.5, std: 0.25 },
  ]);
});

describe("what a method learns beside images has a plain name", () => {
  const arraysOf = async (beside: Learnt["beside"]) =>
    readNpz(readFileSync(join(await exported({ ...plain(), beside: beside! }), "data.npz")));

  test("soft labels, the step size, and anything else under its own", async () => {
    const softLabels = engine.tensor([2, 2], [0.75, 0.25, 0.5, 0.5]);
    const arrays = await arraysOf({
      softLabels,
      stepSize: engine.fill([], 0.125),
      temperature: engine.fill([2], 3),
    });
    expect(arrays.soft_labels).toEqual({ shape: [2, 2], data: Float32Array.of(0.75, 0.25, 0.5, 0.5) });
    expect(arrays.lr).toEqual({ shape: [1], data: Float32Array.of(0.125) });
    expect(arrays.temperature).toEqual({ shape: [2], data: Float32Array.of(3, 3) });
    expect(Object.keys(arrays)).not.toContain("softLabels");
  });

  test("logits of labels are written as the probabilities that they stand for", async () => {
    const labelLogits = engine.tensor([2, 2], [Math.log(3), 0, 1000, 1000]);
    const { soft_labels } = await arraysOf({ labelLogits });
    const expected = [0.75, 0.25, 0.5, 0.5];
    soft_labels!.data.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
  });
});

test("README.md begins with the features by which the Hugging Face hub reads the parquet file", async () => {
  const names = ["no", "12", "a: b", "\u2028é", ""];
  const set = { ...plain(), classNames: names };
  const text = readFileSync(join(await exported(set), "README.md"), "utf8");
  const front = parseDocument(text.split("\n---\n")[0]!.replace("---\n", "")).toJS() as Record<
    string,
    unknown
  >;
  expect(front).toMatchObject({
    license: "unknown",
    dataset_info: {
      features: [
        { name: "image", dtype: "image" },
        { name: "label", dtype: { class_label: { names: Object.fromEntries(names.entries()) } } },
      ],
      splits: [{ name: "train", num_examples: 2 }],
    },
    configs: [{ data_files: [{ split: "train", path: "train-00000-of-00001.parquet" }] }],
  });
});

test("a class folder sorts by label and has a name that every system takes", () => {
  const names = ["Ärger/../x", "", "con.", "a b", "💥", "n".repeat(99), "-9"];
  expect(names.map((name, label) => folderName(label, name))).toEqual([
    "00000_Ärger_x",
    "00001",
    "00002_con",
    "00003_a_b",
    "00004",
    `00005_${"n".repeat(60)}`,
    "00006_-9",
  ]);
  const order = [2, 10, 99_999].map((label) => folderName(label, "z"));
  expect([...order].sort()).toEqual(order);
});

describe("the folder appears whole or not at all", () => {
  const options = (run: RunFolder, force = false) => ({ out: join(run.path, "..", "out"), force });

  test("one that is there stays, but for an earlier export that --force replaces", async () => {
    const run = finishedRun(engine, plain());
    const { path } = await exportRun(run, options(run));
    writeFileSync(join(path, "mine.txt"), "kept until replaced");
    await expect(exportRun(run, options(run))).rejects.toThrow(/is there already; replace it with --force/);
    expect(existsSync(join(path, "mine.txt"))).toBe(true);
    await exportRun(run, { ...options(run, true), formats: ["npz"] });
    expect(readdirSync(path).sort()).toEqual(["card.json", "data.npz", "load.py"]);
  });

  test("a folder that is no export is never replaced", async () => {
    const out = mkdtempSync(join(tmpdir(), "distillery-mine-"));
    writeFileSync(join(out, "thesis.tex"), "");
    const run = finishedRun(engine, plain());
    await expect(exportRun(run, { out, force: true })).rejects.toThrow(
      /expected an earlier export to replace/,
    );
    expect(readdirSync(out)).toEqual(["thesis.tex"]);
  });

  test("an export that fails leaves nothing behind", async () => {
    const set = { ...plain(), imageShape: [1, 2, 2] as const, mean: [0, 0], std: [1, 1] };
    const run = finishedRun(engine, set);
    const { out } = options(run);
    mkdirSync(join(out, ".."), { recursive: true });
    const before = readdirSync(join(out, ".."));
    await expect(exportRun(run, { out, force: false })).rejects.toThrow(
      "expected images of 1 or 3 channels for PNG, got 2; leave out png and parquet",
    );
    expect(readdirSync(join(out, ".."))).toEqual(before);
    await exportRun(run, { out, force: false, formats: ["npz", "safetensors"] });
    expect(existsSync(join(out, "data.safetensors"))).toBe(true);
  });
});
