import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { exportRun } from "../../experiments/commands/export.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { loadData } from "../../experiments/data/load.ts";
import { loadPool, poolOption } from "../../experiments/pool.ts";
import { fileOf, type RunFolder } from "../../experiments/runFolder.ts";
import { readSelection } from "../../experiments/selection.ts";
import { classCounts, type Dataset, normalized, type Splits } from "../../src/datasets/dataset.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { writeNpz } from "../../src/formats/npz.ts";
import { setFrom } from "../../src/runs/storedSet.ts";
import { finishedRun } from "./finishedRun.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const data = { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 4, side: 8 };
const config = {
  data,
  imagesPerClass: 2,
  network: { depth: 1, width: 4 },
  steps: 0,
  evaluation: { protocol: "quick", networks: 1 },
};
const root = mkdtempSync(join(tmpdir(), "distillery-pool-"));
afterAll(() => rmSync(root, { recursive: true }));
let real: Dataset;
let splits: Splits;
/** Random real images, and others. */
let runs: RunFolder[];

beforeAll(async () => {
  const experiment = resolveExperiment("small", { ...config, seeds: [0, 1] });
  ({ splits } = await loadData(experiment.data));
  real = splits.train;
  runs = await distillExperiment(experiment, engine, { results: root, force: false });
}, 60_000);

const sets = (paths: readonly string[], more: object = {}) =>
  poolOption.parse({ name: "sets", paths, ...more });
const imagesOf = (run: RunFolder): Float32Array =>
  setFrom("run", readSafetensors(readFileSync(fileOf(run, "synthetic"))).arrays, {
    mean: [],
    std: [],
    partition: undefined,
  }).images;

describe("a pool of sets", () => {
  test("holds all images of runs, in the order of the paths and in the space of the real ones", async () => {
    const pool = await loadPool(sets([runs[1]!.path, runs[0]!.path]), real, engine);
    expect(pool.record).toMatchObject({ name: "sets", images: 12, perClass: [4, 4, 4] });
    expect(pool.record.sets!.map(({ path }) => path)).toEqual([runs[1]!.path, runs[0]!.path]);
    const found = normalized(
      pool.dataset,
      Array.from({ length: 6 }, (_, i) => i),
    );
    imagesOf(runs[1]!).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
    expect([pool.origin(0), pool.origin(7)]).toEqual([
      { set: 0, image: 0 },
      { set: 1, image: 1 },
    ]);
  });

  test("a pattern stands for folders and files of arrays, and not for what lies beside them", async () => {
    writeFileSync(join(root, "runs", "small", "seed-0.log"), "");
    const byPattern = await loadPool(sets([join(root, "runs", "*", "seed-{0,1}*")]), real, engine);
    const byPath = await loadPool(sets([runs[0]!.path, runs[1]!.path]), real, engine);
    expect(byPattern.record.sha256).toBe(byPath.record.sha256);
  });

  test("an exported folder and its files give the images of the run; a path that is there twice counts once", async () => {
    const { path } = await exportRun(runs[0]!, { force: true });
    const run = await loadPool(sets([runs[0]!.path]), real, engine);
    for (const file of [path, join(path, "data.npz"), join(path, "data.safetensors")]) {
      const pool = await loadPool(sets([file, file]), real, engine);
      expect(pool.dataset.labels).toEqual(run.dataset.labels);
      run.dataset.pixels.forEach((value, i) => expect(pool.dataset.pixels[i]).toBeCloseTo(value, 5));
    }
  }, 60_000);

  test("images in a folder per class are read as bytes, brought to the size of the real ones, and known by their files", async () => {
    const folder = join(root, "elsewhere");
    for (const [label, name] of real.classNames.entries()) {
      mkdirSync(join(folder, name), { recursive: true });
      const background = { r: 50 * label, g: 10, b: 20 };
      for (const [file, side] of [
        ["a.png", 8],
        ["b.png", 20],
      ] as const) {
        const image = sharp({ create: { width: side, height: side + 6, channels: 3, background } });
        await image.png().toFile(join(folder, name, file));
      }
    }
    const { dataset, record, origin } = await loadPool(sets([folder]), real, engine);
    expect(record.perClass).toEqual([2, 2, 2]);
    expect(dataset.pixels).toBeInstanceOf(Uint8Array);
    dataset.labels.forEach((label, i) => {
      expect([...dataset.pixels.subarray(192 * i, 192 * i + 3)]).toEqual([50 * label, 10, 20]);
    });
    const at = dataset.labels.indexOf(1) + 1;
    expect(origin(at)).toEqual({ set: 0, image: at, file: join(folder, real.classNames[1]!, "b.png") });
    const mixed = await loadPool(sets([folder, runs[0]!.path]), real, engine);
    expect(mixed.dataset.pixels).toBeInstanceOf(Float32Array);
    expect(mixed.dataset.pixels[1]).toBeCloseTo(10 / 255, 6);
  });

  test("mosaics are the images that they stand for", async () => {
    const labels = Int32Array.of(0, 1, 2);
    const run = finishedRun(engine, {
      ...{ labels, classNames: real.classNames, imageShape: [8, 8, 3], mean: real.mean, std: real.std },
      images: new Float32Array(3 * 192).fill(0.25),
      partition: { factor: 2, order: "columns" },
    });
    const { record, dataset } = await loadPool(sets([run.path]), real, engine);
    expect(record.perClass).toEqual([4, 4, 4]);
    expect(dataset.pixels[0]).toBeCloseTo(0.25 * real.std[0]! + real.mean[0]!, 6);
  });
});

describe("what is refused", () => {
  const three = (): object => ({
    ...{ labels: Int32Array.of(0, 1, 2), classNames: real.classNames, imageShape: [8, 8, 3] as const },
    ...{ mean: real.mean, std: real.std, images: new Float32Array(3 * 192) },
  });
  const learnt = (changes: object): string => finishedRun(engine, { ...three(), ...changes } as never).path;

  test("a pattern that nothing fits, a run that is not done, and a folder of something else", async () => {
    await expect(loadPool(sets([join(root, "absent-*")]), real, engine)).rejects.toThrow(
      /pool\.paths: expected synthetic sets, found none at .*absent-\*/,
    );
    rmSync(fileOf(runs[1]!, "synthetic"), { force: false });
    await expect(loadPool(sets([runs[1]!.path]), real, engine)).rejects.toThrow("expected a finished run");
    await expect(loadPool(sets([join(root, "runs")]), real, engine)).rejects.toThrow(
      /expected a run's folder/,
    );
  });

  test("other classes, other sizes, and a class without images", async () => {
    await expect(loadPool(sets([learnt({ classNames: ["x", "y", "z"] })]), real, engine)).rejects.toThrow(
      /expected the classes of procedural, .*, got x, y, z; it is a set of another data set/,
    );
    await expect(
      loadPool(sets([learnt({ imageShape: [4, 4, 3], images: new Float32Array(144) })]), real, engine),
    ).rejects.toThrow(/expected images of 8×8×3, as procedural has, got 4×4×3/);
    await expect(loadPool(sets([learnt({ labels: Int32Array.of(0, 2, 2) })]), real, engine)).rejects.toThrow(
      /pool: class 1 \(.*\): expected images of every class, got none; add a set that has some/,
    );
  });

  test("learned labels, unless the config says to drop them, which the run then records", async () => {
    const images = new Float32Array(3 * 192).fill(-1);
    const path = join(root, "soft.npz");
    const soft = Float32Array.from([1, 0, 0, 0, 0.5, 0.5, 0, 0, 1]);
    writeFileSync(
      path,
      writeNpz({
        images: { shape: [3, 3, 8, 8], data: images },
        labels: { shape: [3], data: BigInt64Array.of(0n, 1n, 2n) },
        soft_labels: { shape: [3, 3], data: soft },
      }),
    );
    await expect(loadPool(sets([path]), real, engine)).rejects.toThrow(
      /expected images with classes alone, got labels that were learned with them.*set pool\.softLabels to drop/,
    );
    const { record } = await loadPool(sets([path], { softLabels: "drop" }), real, engine);
    expect(record.sets![0]!.left).toBe("learned labels");
  });

  test.each([
    ["whitening", { zca: true }, /pool: expected none beside zca, got augmented/],
    [
      "noise",
      { initialization: "noise" },
      /pool: expected an initialization that chooses images, .* got noise/,
    ],
  ])("a pool beside %s", (_, more, message) => {
    expect(() => resolveExperiment("small", { ...config, pool: "augmented", ...more })).toThrow(message);
  });
});

describe("an augmented pool", () => {
  const asked = poolOption.parse({ name: "augmented", perClass: 12, augmentation: "flip" });

  test("holds random real images of each class, augmented, and knows which they are", async () => {
    const { dataset, origin, record } = await loadPool(asked, real, engine);
    expect(classCounts(dataset)).toEqual([12, 12, 12]);
    expect(record.sets).toBeUndefined();
    const row = (pixels: ArrayLike<number>, from: number): number[] =>
      Array.from({ length: 24 }, (_, i) => Math.round(255 * pixels[from + i]!) / 255);
    const turned = (values: readonly number[]): number[] =>
      Array.from({ length: 8 }, (_, x) => values.slice(3 * (7 - x), 3 * (7 - x) + 3)).flat();
    const kept = Array.from(dataset.labels, (label, i) => {
      const { real: at } = origin(i) as { real: number };
      expect(real.labels[at]).toBe(label);
      const [found, own] = [
        row(dataset.pixels, 192 * i),
        row(
          Float64Array.from(real.pixels, (b) => b / 255),
          192 * at,
        ),
      ];
      const isSame = found.every((value, x) => Math.abs(value - own[x]!) < 1e-6);
      if (!isSame) turned(own).forEach((value, x) => expect(found[x]).toBeCloseTo(value, 6));
      return isSame;
    });
    expect(new Set(kept).size).toBe(2);
  });

  test("is the same for every seed of a run, and another for another seed of its own", async () => {
    const again = await loadPool({ ...asked }, { ...real }, engine);
    const first = await loadPool(asked, real, engine);
    expect(again.record).toEqual(first.record);
    const other = await loadPool({ ...asked, seed: 1 } as typeof asked, real, engine);
    expect(other.record.sha256).not.toBe(first.record.sha256);
  });
});

test("a run keeps which images it chose of a pool, where they are from, and how hard they are", async () => {
  const experiment = resolveExperiment("guided", {
    ...config,
    pool: { name: "sets", paths: [runs[0]!.path] },
    imagesPerClass: 1,
    initialization: {
      name: "difficultyGuided",
      scorer: { name: "underFit", models: 1, epochs: 1, batchSize: 8 },
    },
  });
  const [run] = await distillExperiment(experiment, engine, { results: root, force: false });
  const kept = readSelection(run!)!;
  expect(kept).toMatchObject({ from: "pool", shape: "scale", search: "codeEps", pool: { images: 6 } });
  expect(kept.origins).toEqual(kept.positions.map((image) => ({ set: 0, image })));
  expect(kept.classes!.map(({ difficulty }) => difficulty.length)).toEqual([1, 1, 1]);
  const pool = imagesOf(runs[0]!);
  const chosen = imagesOf(run!);
  kept.positions.forEach((at, i) => {
    expect(Math.floor(at / 2)).toBe(i);
    pool
      .subarray(192 * at, 192 * (at + 1))
      .forEach((value, p) => expect(chosen[192 * i + p]).toBeCloseTo(value, 5));
  });
}, 60_000);
