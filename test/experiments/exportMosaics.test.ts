import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import sharp from "sharp";
import { findPython } from "../../experiments/bench/workers.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateForeign, evaluateRun } from "../../experiments/commands/evaluate.ts";
import { type Export, exportRun } from "../../experiments/commands/export.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { eightBit } from "../../experiments/export/png.ts";
import { foreignSubject } from "../../experiments/judge/foreignSubject.ts";
import { gridFiles } from "../../experiments/report/gridFiles.ts";
import { readResults } from "../../experiments/report/reportData.ts";
import type { Row } from "../../experiments/results.ts";
import type { RunFolder } from "../../experiments/runFolder.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import { readNpz } from "../../src/formats/npz.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { cellOrders, decodedValues } from "../../src/datasets/partition.ts";
import { channelsFirst, channelsLast, toPixels } from "../../src/runs/space.ts";
import { decodedSet } from "../../src/runs/storedSet.ts";
import { finishedRun } from "./finishedRun.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const config = {
  data: { name: "procedural", classes: 3, trainPerClass: 12, testPerClass: 40, side: 8 },
  imagesPerClass: 2,
  partition: { factor: 2, order: "rows" },
  network: { depth: 1, width: 4 },
  objective: { name: "dm", realBatch: 4 },
  steps: 2,
  evaluation: { protocol: "quick", networks: 1 },
};
const [mean, std] = [
  [0.5, 0.4, 0.3],
  [0.2, 0.2, 0.1],
] as const;

describe("a run whose images are mosaics", () => {
  const results = mkdtempSync(join(tmpdir(), "distillery-mosaics-"));
  let run: RunFolder;
  let rows: Row[];
  let out: Export;
  let arrays: NamedArrays;
  let stored: NamedArrays;

  beforeAll(async () => {
    const experiment = resolveExperiment("mosaics", config);
    [run] = (await distillExperiment(experiment, engine, { results, force: false })) as [RunFolder];
    rows = await evaluateRun(run, engine, { force: false });
    out = await exportRun(run, { force: false, checkPng: { engine, networks: 1 } });
    arrays = readNpz(readFileSync(join(out.path, "data.npz")));
    stored = readSafetensors(readFileSync(join(run.path, "synthetic.safetensors"))).arrays;
  }, 60_000);
  afterAll(() => {
    rmSync(results, { recursive: true });
  });

  test("is exported as what is trained on, with the mosaics beside it as they were learned", () => {
    expect(Object.keys(stored).sort()).toEqual(["labels", "mosaics"]);
    expect(arrays.mosaics).toEqual(stored.mosaics);
    expect(arrays.images!.shape).toEqual([24, 3, 8, 8]);
    const mosaics = channelsLast(stored.mosaics!.data as Float32Array, [8, 8, 3]);
    const cells = decodedValues(mosaics, [8, 8, 3], { factor: 2, order: "rows" });
    expect(arrays.images!.data).toEqual(channelsFirst(cells, [8, 8, 3]));
    expect(Array.from(arrays.labels!.data, Number)).toEqual(
      Array.from({ length: 24 }, (_, i) => Math.floor(i / 8)),
    );
  });

  test("has a card and a page that say how many images it counts and how they are decoded", () => {
    expect(out.card.partition).toEqual({
      factor: 2,
      order: "rows",
      decoding: expect.stringMatching(/^each mosaic holds 2 × 2 cells, in order along each row/),
    });
    expect(out.card.arrays).toHaveProperty("mosaics", expect.stringMatching(/as learned and counted/));
    const page = readFileSync(join(out.path, "README.md"), "utf8");
    expect(page).toContain("24 synthetic images of 3 classes, to train on");
    expect(page).toContain("as 6 mosaics of 2 × 2 images, 2 of each class.");
  });

  test("has a PNG of each cell", async () => {
    const train = join(out.path, "png", "train");
    const files = readdirSync(train, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".png"),
    );
    expect(files).toHaveLength(24);
    const pixels = channelsLast(arrays.images_pixel!.data as Float32Array, [8, 8, 3]);
    const firstOfClass = readdirSync(train).sort()[1]!;
    const shown = await sharp(join(train, firstOfClass, "00003.png"))
      .raw()
      .toBuffer();
    expect(new Uint8Array(shown)).toEqual(eightBit(pixels.subarray((8 + 3) * 192, (8 + 4) * 192)));
  });

  test("gives the same accuracy to the bit as its export, and counts as many images", async () => {
    const judged = await evaluateForeign(out.path, engine, { overrides: [], force: false });
    const { classAccuracies, imagesPerClass } = judged.rows[0]!;
    expect(classAccuracies).toEqual(rows[0]!.classAccuracies);
    expect(imagesPerClass).toBe(2);
  });

  test.each([
    ["the run", () => join(run.path, "synthetic.safetensors")],
    ["the export", () => join(out.path, "data.safetensors")],
  ])("is the same set in the file of %s", async (_, path) => {
    const { set, columns } = await foreignSubject(path(), { overrides: [], force: false });
    const { images, labels } = decodedSet(set);
    expect(channelsFirst(images, [8, 8, 3])).toEqual(arrays.images!.data);
    expect(BigInt64Array.from(labels, BigInt)).toEqual(arrays.labels!.data);
    expect(columns.imagesPerClass).toBe(2);
  });

  test("loses little as PNG where training sees the cells of both", () => {
    const { float32, png } = out.card.png!.accuracies!;
    expect(float32.accuracies).toEqual([rows[0]!.accuracy]);
    expect(png.networks).toBe(1);
  });

  test("is shown as mosaics, and the report says so under the picture", () => {
    const [real, result] = gridFiles(readResults(results));
    expect(real!.caption).toBe("the first of each class");
    expect(result!.caption).toBe("mosaics, seed 0, each a mosaic of 4 images");
  });

  test("is read from a PNG folder as its cells, counted as mosaics", async () => {
    const { set, columns } = await foreignSubject(join(out.path, "png"), { overrides: [], force: false });
    expect(set.labels).toHaveLength(24);
    expect(columns.imagesPerClass).toBe(2);
  });
});

const python = findPython();
const reason = "reason" in python ? ` (skipped: ${python.reason})` : "";

describe.each(cellOrders)("mosaics whose cells come by %s", (order) => {
  ("reason" in python ? test.skip : test)(
    `are read and decoded by NumPy, and by PyTorch for IDM${reason}`,
    async () => {
      if ("reason" in python) return;
      const shape = [6, 4, 3] as const;
      const images = Float32Array.from({ length: 4 * 72 }, (_, i) => Math.sin(i * 0.7));
      const set = {
        imageShape: shape,
        labels: Int32Array.of(0, 0, 1, 1),
        classNames: ["a", "b"],
        mean,
        std,
        images,
      };
      const softLabels = engine.tensor([4, 2], [0.75, 0.25, 0.5, 0.5, 0, 1, 0.25, 0.75]);
      const partition = { factor: 2, order };
      const { path } = await exportRun(finishedRun(engine, { ...set, partition, beside: { softLabels } }), {
        force: false,
      });
      const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
      const script = join(import.meta.dirname, "read_export.py");
      const printed = execFileSync(python.program, [script, path], { encoding: "utf8", env });
      const found = JSON.parse(printed.trim().split("\n").at(-1)!) as {
        readonly load: Readonly<Record<string, unknown>>;
        readonly decoded: number;
        readonly pt: Readonly<Record<string, unknown>>;
      };
      expect(found.decoded).toBeLessThan(1e-6);
      const described = (data: Float32Array | BigInt64Array, ...of: number[]) => ({
        dtype: data instanceof Float32Array ? "float32" : "int64",
        shape: of,
        sha256: createHash("sha256").update(data).digest("hex"),
      });
      const mosaics = described(channelsFirst(images, shape), 4, 3, 6, 4);
      const cells = decodedValues(images, shape, partition);
      const decoded = described(channelsFirst(cells, shape), 16, 3, 6, 4);
      expect(found.load).toMatchObject({
        mosaics,
        images: decoded,
        images_pixel: described(channelsFirst(toPixels(cells, set, shape), shape), 16, 3, 6, 4),
        soft_labels: { shape: [16, 2] },
      });
      expect(found.pt).toMatchObject({
        "MTT/images_best.pt": decoded,
        "res_RANDOM_PROCEDURAL_ConvNet_8ipc.pt": { data: [decoded, { shape: [16] }] },
        "IDM/res_RANDOM_PROCEDURAL_ConvNet_2ipc.pt": {
          data: [mosaics, described(BigInt64Array.of(0n, 0n, 1n, 1n), 4)],
        },
      });
    },
    60_000,
  );
});
