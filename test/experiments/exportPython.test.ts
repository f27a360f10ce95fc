import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findPython } from "../../experiments/bench/workers.ts";
import { exportRun } from "../../experiments/commands/export.ts";
import { eightBit } from "../../experiments/export/png.ts";
import { recordRow } from "../../experiments/gather.ts";
import type { Whitening } from "../../src/datasets/whitening.ts";
import { channelsFirst, toPixels } from "../../src/runs/space.ts";
import { seeded } from "../../src/core/rng.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { finishedRun, type Learnt } from "./finishedRun.ts";
import { rowsOf } from "./rows.ts";

// Parquet is read back in JavaScript, by hyparquet: Debian has no pyarrow.

const python = findPython();
const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

/** Twelve images of 5×4 in eleven classes, whose names as text have another order than the labels. */
const shape = [5, 4, 3] as const;
const d = 60;
const labels = Int32Array.of(10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
const classNames = Array.from({ length: 11 }, (_, i) => (i === 3 ? "ça va?" : `c${11 - i}`));
const images = seeded(3).fillNormal(new Float32Array(12 * d));
const softLabels = Float32Array.from({ length: 12 * 11 }, (_, i) =>
  i % 11 === labels[Math.floor(i / 11)] ? 0.5 : 0.05,
);
/** A whitening that halves every value, for which the inverse is known. */
const whitening: Whitening = {
  mean: new Float32Array(d).fill(0.25),
  matrix: Float32Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? 0.5 : 0)),
  inverse: Float32Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? 2 : 0)),
};
const set: Learnt = {
  imageShape: shape,
  labels,
  classNames,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.2, 0.1],
  images,
};

interface Described {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

interface Findings {
  readonly safetensors: Record<string, Described>;
  readonly npz: Record<string, Described>;
  readonly load: Record<string, Described>;
  readonly cards: boolean;
  readonly rows: readonly [file: string, label: number, name: string][];
  readonly png: readonly Described[];
  readonly folder: readonly [file: string, label: number][];
  readonly pt: Record<string, unknown>;
  readonly in_space: number;
}

function described(data: Float32Array | BigInt64Array | Uint8Array, ...shape: number[]): Described {
  const dtype = data instanceof Float32Array ? "float32" : data instanceof Uint8Array ? "uint8" : "int64";
  return { dtype, shape, sha256: createHash("sha256").update(data).digest("hex") };
}

const first = described(channelsFirst(images, shape), 12, 3, 5, 4);
const hard = described(BigInt64Array.from(labels, BigInt), 12);

const reason = "reason" in python ? ` (skipped: ${python.reason})` : "";
("reason" in python ? describe.skip : describe)(`Python reads every exported file${reason}`, () => {
  let found: Findings;
  let pixels: Float32Array;

  beforeAll(async () => {
    if ("reason" in python) return;
    const beside = {
      softLabels: engine.tensor([12, 11], softLabels),
      stepSize: engine.fill([], 0.0625),
    };
    const run = finishedRun(engine, { ...set, beside, whitening });
    for (const one of rowsOf([0.25, 0.5], { protocol: "quick", evaluationNetwork: "convNet-d3" })) {
      recordRow(run, one);
    }
    pixels = toPixels(images, { ...set, whitening }, shape);
    const { path } = await exportRun(run, { force: false });
    const script = join(import.meta.dirname, "read_export.py");
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
    const printed = execFileSync(python.program, [script, path], { encoding: "utf8", env });
    found = JSON.parse(printed.trim().split("\n").at(-1)!) as Findings;
  }, 60_000);

  test("tensors in safetensors, npz and load.py are those of the run, to the bit", () => {
    const expected = {
      images: first,
      images_pixel: described(channelsFirst(pixels, shape), 12, 3, 5, 4),
      labels: hard,
      soft_labels: described(softLabels, 12, 11),
      lr: described(Float32Array.of(0.0625), 1),
      zca_mean: described(whitening.mean, d),
      zca_matrix: described(whitening.matrix, d, d),
      zca_inverse: described(whitening.inverse, d, d),
    };
    expect(found.safetensors).toEqual(expected);
    expect(found.npz).toEqual(expected);
    expect(found.load).toEqual(expected);
    expect(found.cards).toBe(true);
  });

  test("load.py brings pixels to the space of the images: those that they are pixels of", () => {
    expect(found.in_space).toBeLessThan(1e-5);
  });

  test("PNGs decode to the bytes that pixels round to", () => {
    const bytes = eightBit(pixels);
    expect(found.png).toEqual(
      Array.from(labels, (_, i) => described(bytes.slice(i * d, (i + 1) * d), ...shape)),
    );
  });

  test("loaders of class folders number the classes as the labels do", () => {
    expect(found.rows.map(([, label, name]) => [label, name])).toEqual(
      Array.from(labels, (label) => [label, classNames[label]]),
    );
    const byFile = new Map(found.rows.map(([file, label]) => [file, label]));
    expect(found.folder.map(([file]) => file).sort()).toEqual([...byFile.keys()].sort());
    for (const [file, label] of found.folder) expect(label).toBe(byFile.get(file));
  });

  test("load.py --to-pt writes the files of MTT, DATM and DC, of their types", () => {
    const scalar = { dtype: "float32", shape: [], values: [0.0625] };
    expect(found.pt).toMatchObject({
      "MTT/images_best.pt": first,
      "MTT/labels_best.pt": hard,
      "MTT/lr_best.pt": scalar,
      "DATM/images_best.pt": first,
      "DATM/labels_best.pt": { dtype: "float32", shape: [12, 11] },
      "DATM/lr_best.pt": scalar,
      "res_RANDOM_PROCEDURAL_ConvNet_1ipc.pt": {
        data: [first, hard],
        accs_all_exps: { "convNet-d3": [0.25, 0.5] },
      },
    });
    // The softmax that DATM's loss takes of its labels gives back the soft ones: here all but the last are 0.05.
    const { values } = found.pt["DATM/labels_best.pt"] as { values: number[] };
    for (const value of values) expect(value).toBeCloseTo(Math.log(0.05), 5);
  });
});
