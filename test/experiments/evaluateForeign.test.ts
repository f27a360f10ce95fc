import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateForeign, evaluateRun } from "../../experiments/commands/evaluate.ts";
import { exportRun } from "../../experiments/commands/export.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { loadData } from "../../experiments/data/load.ts";
import { gatherRows, rowsFile } from "../../experiments/gather.ts";
import { type ForeignOptions, foreignSubject } from "../../experiments/judge/foreignSubject.ts";
import { planOf } from "../../src/runs/plan.ts";
import { checkFits } from "../../experiments/judge/subject.ts";
import { readRows, type Row } from "../../experiments/results.ts";
import { readRun, type RunFolder } from "../../experiments/runFolder.ts";
import type { Whitening } from "../../src/datasets/whitening.ts";
import { channelsFirst, fromPixels, toPixels } from "../../src/runs/space.ts";
import { normalized, type Splits } from "../../src/datasets/dataset.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { protocols } from "../../src/evaluation/protocols.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import { readNpz, writeNpz } from "../../src/formats/npz.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { convNet } from "../../src/networks/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const config = {
  data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 6, side: 8 },
  imagesPerClass: 2,
  network: { depth: 2, width: 4 },
  objective: { name: "dm", realBatch: 4 },
  optimizer: { name: "sgd", learningRate: 50 },
  steps: 2,
  evaluation: { protocol: "quick", networks: 2 },
};
const experiment = resolveExperiment("small", config);
/** The real data set as somebody names it whose set has no card. */
const asked = {
  data: "procedural",
  overrides: ["data.classes=3", "data.trainPerClass=8", "data.testPerClass=6", "data.side=8"],
  force: false,
};
const unasked = { overrides: [], force: false };

const results = mkdtempSync(join(tmpdir(), "distillery-foreign-"));
let run: RunFolder;
let exported: string;
let ownRows: Row[];
let splits: Splits;
/** The export's arrays. */
let arrays: NamedArrays;

beforeAll(async () => {
  [run] = (await distillExperiment(experiment, engine, { results, force: false })) as [RunFolder];
  ownRows = await evaluateRun(run, engine, { force: false });
  exported = (await exportRun(run, { force: false })).path;
  ({ splits } = await loadData(experiment.data));
  arrays = readNpz(readFileSync(join(exported, "data.npz")));
}, 60_000);

const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-foreign-"));

/** A file of arrays in a folder without a card. */
function fileOf(given: NamedArrays, format: "npz" | "safetensors" = "npz"): string {
  const path = join(newFolder(), `data.${format}`);
  writeFileSync(path, format === "npz" ? writeNpz(given) : writeSafetensors(given));
  return path;
}

/** What a network's accuracy depends on. */
const measured = (rows: readonly Row[]): unknown =>
  rows.map(({ protocol, evaluationNetwork, evaluationSeed, accuracy, classAccuracies }) => ({
    protocol,
    evaluationNetwork,
    evaluationSeed,
    accuracy,
    classAccuracies,
  }));

describe("the same seeds give the same rows, to the bit,", () => {
  test("on an exported folder, of which the card knows data, protocol and architecture", async () => {
    const { rows, notes } = await evaluateForeign(exported, engine, unasked);
    expect(measured(rows)).toEqual(measured(ownRows));
    const evaluationSeconds = expect.any(Number);
    expect(rows).toEqual(ownRows.map((row) => ({ ...row, experiment: "small-seed-0", evaluationSeconds })));
    expect(notes).toEqual([expect.stringMatching(/^its card says \d+\.\d ± \d+\.\d % over 2 networks$/)]);
  });

  test.each([
    ["a lone safetensors file, whose metadata hold the card", () => join(exported, "data.safetensors")],
    ["the file of a run", () => join(run.path, "synthetic.safetensors")],
  ])("on %s", async (_, path) => {
    const copy = join(newFolder(), "copy.safetensors");
    cpSync(path(), copy);
    const { set, classNames, experiment: asked } = await foreignSubject(copy, unasked);
    const own = await foreignSubject(exported, unasked);
    expect(set).toEqual(own.set);
    expect(classNames).toEqual(own.classNames);
    expect(asked).toEqual(own.experiment);
  });

  test("on an npz file without a card, when it is said which data it stands for", async () => {
    const path = fileOf({ images: arrays.images!, labels: arrays.labels! });
    const overrides = [...asked.overrides, "evaluation.network={name: convNet, depth: 2, width: 4}"];
    const { rows } = await evaluateForeign(path, engine, {
      ...asked,
      overrides,
      protocol: "quick",
      networks: 1,
    });
    expect(measured(rows)).toEqual(measured(ownRows.slice(0, 1)));
    expect(rows[0]).toMatchObject({
      objective: rows[0]!.experiment,
      imagesPerClass: 2,
      dataset: "procedural",
    });
  });
});

describe("what was learned beside the images is trained with:", () => {
  const network = convNet({ depth: 1, width: 2 }, { imageShape: [8, 8, 3], classes: 3 });
  const protocol = protocols.quick;
  const planFor = async (given: NamedArrays) => {
    const { set } = await foreignSubject(fileOf(given), asked);
    return planOf(set, splits.test, { network, protocol }, engine);
  };

  test("soft labels and learning rate", async () => {
    const soft = Float32Array.from({ length: 18 }, (_, i) => (i % 3 === 0 ? 0.5 : 0.25));
    const lr = { shape: [1], data: Float32Array.of(0.125) };
    const plan = await planFor({ images: arrays.images!, soft_labels: { shape: [6, 3], data: soft }, lr });
    expect(plan.learningRate).toBe(0.125);
    expect(plan.labels).not.toBeInstanceOf(Int32Array);
    expect([...(plan.labels as { values(): Float32Array }).values()]).toEqual([...soft]);
    plan.dispose();
  });

  test("nothing of the kind where nothing was learned", async () => {
    const plan = await planFor({ images: arrays.images!, labels: arrays.labels! });
    expect(plan).not.toHaveProperty("learningRate");
    expect(plan.labels).toEqual(Int32Array.of(0, 0, 1, 1, 2, 2));
    plan.dispose();
  });

  test("their whitening, by which pixels of test images are whitened as they are, as fromPixels does it", async () => {
    const d = 192;
    const matrix = Float32Array.from({ length: d * d }, (_, i) => Math.cos(i * i) / 8);
    const mean = Float32Array.from({ length: d }, (_, i) => i / d);
    const plan = await planFor({
      images: arrays.images!,
      labels: arrays.labels!,
      zca_mean: { shape: [d], data: mean },
      zca_matrix: { shape: [d, d], data: matrix },
      zca_inverse: { shape: [d, d], data: matrix },
    });
    const { test } = splits;
    const positions = Int32Array.from(test.labels.keys());
    const pixels = toPixels(normalized(test, positions), test, test.imageShape);
    const whitening: Whitening = { mean, matrix, inverse: matrix };
    const expected = fromPixels(pixels, { mean: [0, 0, 0], std: [1, 1, 1], whitening }, test.imageShape);
    const found = plan.test.batches.flatMap((batch) => [...batch.values()]);
    expect(found).toHaveLength(expected.length);
    // Sums of 192 products of values about 1, in another order.
    found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4));
    plan.dispose();
  });

  test("nothing of a plan stays on the engine", async () => {
    const before = engine.liveTensors();
    (await planFor({ images: arrays.images!, labels: arrays.labels! })).dispose();
    expect(engine.liveTensors()).toBe(before);
  });
});

test("whitening and back gives the same images", () => {
  // A rotation by 30° in every pair of values: its inverse is its transpose.
  const d = 12;
  const entry = (i: number): number => {
    const [row, column] = [Math.floor(i / d), i % d];
    if (row === column) return Math.sqrt(0.75);
    return row === (column ^ 1) ? (row < column ? 0.5 : -0.5) : 0;
  };
  const matrix = Float32Array.from({ length: d * d }, (_, i) => entry(i));
  const inverse = Float32Array.from({ length: d * d }, (_, i) => entry((i % d) * d + Math.floor(i / d)));
  const whitening = { mean: new Float32Array(d).fill(0.25), matrix, inverse };
  const space = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3], whitening };
  const images = Float32Array.from({ length: 2 * d }, (_, i) => Math.sin(i));
  const back = fromPixels(toPixels(images, space, [2, 2, 3]), space, [2, 2, 3]);
  back.forEach((value, i) => expect(value).toBeCloseTo(images[i]!, 5));
  expect(channelsFirst(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3])).toEqual(
    Float32Array.of(1, 4, 2, 5, 3, 6),
  );
});

describe("classes are told by name, never by the order in which they come:", () => {
  /** The exported PNGs with their class folders renamed. */
  const foldersNamed = (name: (label: number) => string): string => {
    const root = join(newFolder(), "pictures");
    cpSync(join(exported, "png", "train"), root, { recursive: true });
    for (const folder of readdirSync(root).filter((each) => each !== "metadata.csv")) {
      renameSync(join(root, folder), join(root, name(Number(folder.slice(0, 5)))));
    }
    return root;
  };
  const setIn = async (path: string, options: ForeignOptions = asked) =>
    (await foreignSubject(path, options)).set;

  test("folders of images named by class, by number, or as an export names them", async () => {
    const png = await setIn(join(exported, "png"), unasked);
    expect(png.labels).toEqual(Int32Array.of(0, 0, 1, 1, 2, 2));
    const { classNames } = splits.train;
    // By these names the order of the folders is another one: "square" comes before "triangle", and "disk" first.
    expect([...classNames].sort()).not.toEqual(["disk", "triangle", "square"]);
    for (const name of [(label: number) => classNames[label]!, (label: number) => `${label}`]) {
      const set = await setIn(foldersNamed(name));
      expect(set.labels).toEqual(png.labels);
      expect(set.images).toEqual(png.images);
    }
    const upsideDown = await setIn(foldersNamed((label) => classNames[2 - label]!));
    expect([...upsideDown.labels].sort()).toEqual([...png.labels]);
    expect(upsideDown.images).not.toEqual(png.images);
  });

  test("a card with the same classes in another order", async () => {
    const folder = newFolder();
    const card = JSON.parse(readFileSync(join(exported, "card.json"), "utf8")) as Record<string, unknown>;
    const names = splits.train.classNames;
    const turned = [names[2], names[0], names[1]];
    writeFileSync(join(folder, "card.json"), JSON.stringify({ ...card, classNames: turned }));
    const labels = BigInt64Array.of(1n, 1n, 2n, 2n, 0n, 0n);
    const soft = Float32Array.of(...Array<number[]>(6).fill([0.1, 0.2, 0.7]).flat());
    const given = {
      ...arrays,
      labels: { shape: [6], data: labels },
      soft_labels: { shape: [6, 3], data: soft },
    };
    writeFileSync(join(folder, "data.npz"), writeNpz(given));
    const subject = await foreignSubject(folder, unasked);
    expect(subject.classNames).toEqual(names);
    expect(subject.set.labels).toEqual(Int32Array.of(0, 0, 1, 1, 2, 2));
    expect([...subject.set.softLabels!.subarray(0, 3)]).toEqual([...Float32Array.of(0.2, 0.7, 0.1)]);
  });
});

test("an export with checkPng says the accuracy of networks trained on 8-bit images, from the same seeds", async () => {
  const checked = join(newFolder(), "checked");
  const { card } = await exportRun(run, { out: checked, force: false, checkPng: { engine, networks: 1 } });
  const { float32, png } = card.png!.accuracies!;
  expect(float32).toMatchObject({ protocol: "quick", networks: 1, accuracies: [ownRows[0]!.accuracy] });
  const { rows } = await evaluateForeign(join(checked, "png"), engine, { ...unasked, networks: 1 });
  expect(png.accuracies).toEqual([rows[0]!.accuracy]);
  expect(card.png!.note).toMatch(
    /Networks trained on them reach \d+\.\d %, those trained on the PNGs \d+\.\d % \(1 of each, quick\)\.$/,
  );
});

describe("rows of a set that is no run's", () => {
  const kept = (options: Partial<ForeignOptions> = {}) => ({ ...unasked, results, networks: 1, ...options });

  test("are kept in a results folder under its name, once, and gathered from there", async () => {
    const { rows, notes } = await evaluateForeign(exported, engine, kept());
    const folder = join(results, "artifacts", "small-seed-0", "seed-0");
    expect(notes.at(-1)).toBe(`rows: ${folder}`);
    const file = join(folder, "evaluations", "quick", rows[0]!.evaluationNetwork, "0.json");
    const before = readFileSync(file, "utf8");
    await evaluateForeign(exported, engine, kept());
    expect(readFileSync(file, "utf8")).toBe(before);
    const all = readRows(rowsFile(results));
    expect(all).toEqual([...ownRows, ...rows]);
    rmSync(rowsFile(results));
    expect(gatherRows(results)).toEqual(all);
  });

  test("do not mix with those of another set or of a run", async () => {
    const other = fileOf({ images: arrays.images!, labels: { shape: [6], data: new BigInt64Array(6) } });
    const named = { ...kept({ name: "small-seed-0" }), data: "procedural", overrides: asked.overrides };
    await expect(evaluateForeign(other, engine, named)).rejects.toThrow(
      /holds rows of another set .*call this one something else with --name, or replace those with --force/,
    );
    await expect(evaluateForeign(exported, engine, kept({ name: "small" }))).rejects.toThrow(
      /runs.small.seed-0: is a run of this name; call the set something else with --name/,
    );
  });
});

test("a run is evaluated on another architecture by overrides, and its rows are kept apart", async () => {
  const other = readRun(run.path, ["evaluation.network.norm=batch", "evaluation.networks=1"]);
  expect(other.experiment.evaluation.network).toEqual({ ...experiment.network, norm: "batch" });
  const rows = await evaluateRun(other, engine, { force: false });
  expect(rows.map(({ evaluationNetwork }) => evaluationNetwork)).toEqual(["convNet-d2-w4-relu-batch-avg"]);
  expect(await evaluateRun(run, engine, { force: false })).toEqual(ownRows);
  expect(() => readRun(run.path, ["steps=3"])).toThrow(
    'expected evaluation.…=value or data.root=DIR, as the run is done, got "steps=3"',
  );
});

test("images_pixel alone are normalized", async () => {
  const { images_pixel, labels, images } = arrays;
  const within = Float32Array.from(images_pixel!.data as Float32Array, (value) =>
    Math.min(1, Math.max(0, value)),
  );
  const { set } = await foreignSubject(
    fileOf({ images_pixel: { ...images_pixel!, data: within }, labels: labels! }),
    asked,
  );
  const expected = await foreignSubject(fileOf({ images: images!, labels: labels! }), asked);
  const inside = [...channelsFirst(set.images, set.imageShape)].map((value, i) => [value, i] as const);
  const kept = inside.filter(([, i]) => within[i] === images_pixel!.data[i]);
  expect(kept.length).toBeGreaterThan(0.5 * within.length);
  const wanted = channelsFirst(expected.set.images, set.imageShape);
  for (const [value, i] of kept) expect(value).toBeCloseTo(wanted[i]!, 5);
});

describe("an error says what does not fit", () => {
  const float = (shape: number[], value = 0.5, sign = 1) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) =>
      i % 2 === 0 ? value : sign * value,
    ),
  });
  const labels = (...values: number[]) => ({
    shape: [values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  const images = float([2, 3, 8, 8], 1, -1);
  const cases: [string, NamedArrays, string | RegExp][] = [
    [
      "channels last",
      { images: float([2, 8, 8, 3]), labels: labels(0, 1) },
      /channels are last: save images.transpose/,
    ],
    [
      "other images",
      { images: float([2, 3, 4, 4], 1, -1), labels: labels(0, 1) },
      "expected images of 8×8×3, as procedural has, got 4×4×3",
    ],
    [
      "bytes as floats",
      { images: float([2, 3, 8, 8], 255), labels: labels(0, 1) },
      /expected normalized images, got values from 255 to 255, like bytes; divide them by 255/,
    ],
    [
      "bytes",
      { images: { shape: [2, 3, 8, 8], data: new Uint8Array(384) }, labels: labels(0, 1) },
      /got integers; divide bytes by 255 and name them images_pixel/,
    ],
    ["pixels", { images: float([2, 3, 8, 8]), labels: labels(0, 1) }, /like pixels; name them images_pixel/],
    [
      "a label too many",
      { images, labels: labels(0, 7) },
      "label of image 1: expected 0 to 2, as procedural has 3 classes, got 7",
    ],
    [
      "labels for fewer images",
      { images, labels: labels(0) },
      "labels: expected 2 whole numbers, one for each image, got integers of shape [1]",
    ],
    [
      "soft labels as labels",
      { images, labels: float([2, 3]) },
      "got floats of shape [2, 3]; rows of probabilities are soft_labels",
    ],
    [
      "soft labels of other classes",
      { images, soft_labels: float([2, 10]) },
      "soft_labels: expected 3 columns, one for each class of procedural, got 10",
    ],
    [
      "a learning rate below zero",
      { images, labels: labels(0, 1), lr: float([1], -0.1) },
      "lr: expected one learning rate > 0, got -0.1",
    ],
    [
      "half a whitening",
      { images, labels: labels(0, 1), zca_mean: float([192]) },
      "zca_matrix: expected shape [192, 192], got no such array",
    ],
    [
      "values that are no numbers",
      { images: float([2, 3, 8, 8], NaN), labels: labels(0, 1) },
      "images: expected finite values, got NaN at position 0",
    ],
    [
      "other names",
      { x: images, y: labels(0, 1) },
      /expected arrays images and labels, got y, x; rename them/,
    ],
    [
      "means of other channels",
      { images, labels: labels(0, 1), mean: float([1]), std: float([1]) },
      "expected a mean and a std for each of 3 channels, got 1 and 1",
    ],
  ];

  test.each(cases)("%s", async (_, given, message) => {
    const judge = async (): Promise<void> =>
      checkFits(await foreignSubject(fileOf(given, "safetensors"), asked), splits);
    await expect(judge()).rejects.toThrow(message);
  });

  const inFolder = (file: string, content: string | Uint8Array = ""): string => {
    const path = join(newFolder(), file);
    writeFileSync(path, content);
    return path;
  };
  const fails = async (path: string, message: string | RegExp, options: ForeignOptions = asked) =>
    expect(foreignSubject(path, options)).rejects.toThrow(message);

  test("PyTorch's own files, with the line that converts them", async () => {
    await fails(
      inFolder("images_best.pt"),
      /numpy\.savez\("data\.npz", images=torch\.load\("images_best\.pt"\)/,
    );
  });

  test("no data set, an unknown one, and options that say nothing of it", async () => {
    const path = fileOf({ images, labels: labels(0, 1) });
    await fails(path, /expected --data NAME, .* as in --data cifar10 data\.root=DIR/, unasked);
    await fails(path, /--data: expected one of .*did you mean cifar10/, { ...asked, data: "cifar1" });
    await fails(path, /override: expected data\.…=value or evaluation\.…=value, got "steps=3"/, {
      ...asked,
      overrides: ["steps=3"],
    });
    await fails(path, /did you mean classes/, { ...asked, overrides: ["data.clases=3"] });
  });

  test("a damaged file, a damaged card, and a card that promises what is not there", async () => {
    await fails(inFolder("data.npz", "PK"), /data\.npz: zip: expected an end-of-directory record/);
    const folder = newFolder();
    cpSync(exported, folder, { recursive: true });
    rmSync(join(folder, "data.safetensors"));
    const card = JSON.parse(readFileSync(join(folder, "card.json"), "utf8")) as object;
    writeFileSync(join(folder, "card.json"), JSON.stringify({ ...card, space: "whitened" }));
    await fails(
      folder,
      /expected zca_mean, zca_matrix and zca_inverse, as the card says that images are whitened/,
    );
    writeFileSync(join(folder, "card.json"), JSON.stringify({ ...card, classNames: "disk" }));
    await fails(folder, /card\.json: classNames: expected array, got "disk"/);
    writeFileSync(join(folder, "card.json"), "{");
    await fails(folder, /card\.json: expected a card in JSON/);
  });

  test("a folder of something else, and images whose folders are no classes", async () => {
    await fails(newFolder(), /expected a run.s folder, .* got a folder of something else/);
    await fails(results, /got a folder of something else/);
    const root = newFolder();
    cpSync(
      join(exported, "png", "train", readdirSync(join(exported, "png", "train"))[0]!),
      join(root, "zebra"),
      {
        recursive: true,
      },
    );
    await fails(root, /expected folders named by class, or by its number, got zebra; the classes are/);
    await fails(join(root, "nowhere"), /found nothing there/);
  });
});
