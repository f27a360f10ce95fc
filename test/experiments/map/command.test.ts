import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parse } from "csv-parse/sync";
import { distillExperiment } from "../../../experiments/commands/distill.ts";
import { exportRun } from "../../../experiments/commands/export.ts";
import { makeMap } from "../../../experiments/commands/map.ts";
import { writeReport } from "../../../experiments/commands/report.ts";
import { resolveExperiment } from "../../../experiments/config.ts";
import { featureMap } from "../../../experiments/map/compute.ts";
import { mapFile, mapFolder, readMaps } from "../../../experiments/map/files.ts";
import { mapOptions } from "../../../experiments/map/options.ts";
import type { MapRecord } from "../../../experiments/map/record.ts";
import { mapSubjects } from "../../../experiments/map/subjects.ts";
import { mapText, numberRows } from "../../../experiments/map/tables.ts";
import type { RunFolder } from "../../../experiments/runFolder.ts";
import { selectEngine } from "../../../src/engines/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
const root = mkdtempSync(join(tmpdir(), "distillery-map-"));
const prepared = join(root, "prepared");
const data = { name: "procedural", classes: 3, trainPerClass: 30, testPerClass: 4, side: 8 };
const paths: Record<"random" | "dm" | "images" | "other", string> = {
  random: "",
  dm: "",
  images: join(root, "exported", "png", "train"),
  other: "",
};

async function run(name: string, config: object): Promise<RunFolder> {
  const experiment = resolveExperiment(name, {
    data,
    imagesPerClass: 2,
    network: { depth: 1, width: 4 },
    evaluation: { protocol: "quick", networks: 1 },
    ...config,
  });
  const [done] = await distillExperiment(experiment, engine, { results: root, force: false });
  return done!;
}

beforeAll(async () => {
  paths.random = (await run("start", { steps: 0 })).path;
  const dm = await run("dm-short", { objective: { name: "dm", realBatch: 8 }, steps: 2 });
  paths.dm = dm.path;
  await exportRun(dm, { out: join(root, "exported"), formats: ["png"], force: false });
  rmSync(join(root, "exported", "card.json")); // now it could be anyone's
  paths.other = (await run("longer", { data: { ...data, imbalance: 2 }, steps: 0 })).path;
});
afterAll(() => {
  engine.close();
  rmSync(root, { recursive: true });
});

const small = [
  "images.perClass=6",
  "images.measuredPerClass=12",
  "features.epochs=2",
  "projection.epochs=50",
];

async function computed(name: string, sets: readonly string[], overrides = small): Promise<MapRecord> {
  const subjects = await mapSubjects({ paths: sets, overrides: [] });
  return featureMap(subjects, mapOptions(overrides), { engine, prepared, name });
}

test("two runs and a folder of images are on one map with real ones, in a folder of its own and in the report", async () => {
  const subjects = await mapSubjects({ paths: [paths.random, paths.dm, paths.images], overrides: [] });
  const out = mapFolder(root, "all");
  const record = await makeMap(subjects, mapOptions(small), { engine, prepared, name: "all", out });
  expect(record.subjects.map(({ label, method }) => [label, method])).toEqual([
    ["random", "random"],
    ["dm", "dm"],
    ["exported", "exported"],
  ]);
  const { points } = record;
  expect(points.subject.filter((subject) => subject < 0)).toHaveLength(18);
  for (const subject of [0, 1, 2]) {
    const labels = points.label.filter((_, i) => points.subject[i] === subject);
    expect(labels).toEqual([0, 0, 1, 1, 2, 2]);
  }
  expect([...points.x, ...points.y].every(Number.isFinite)).toBe(true);
  // 8-bit images of a set lie beside the set.
  const placeOf = (subject: number): number[][] =>
    points.x.flatMap((x, i) => (points.subject[i] === subject ? [[x, points.y[i]!]] : []));
  const [dm, png] = [placeOf(1), placeOf(2)];
  const size = Math.max(...points.x) - Math.min(...points.x);
  dm.forEach(([x, y], i) => expect(Math.hypot(x! - png[i]![0]!, y! - png[i]![1]!)).toBeLessThan(0.2 * size));
  // And have its numbers, but for what rounding and clipping change.
  const [ofSet, ofPng] = [1, 2].map((i) => record.subjects[i]!.geometry.overall);
  expect(ofPng!.centerDistance).toBeCloseTo(ofSet!.centerDistance, 1);

  const folder = mapFolder(root, "all");
  expect(JSON.parse(readFileSync(mapFile(folder), "utf8"))).toEqual(JSON.parse(JSON.stringify(record)));
  const rowsOf = (file: string): Record<string, string>[] =>
    parse(readFileSync(join(folder, file), "utf8"), { columns: true });
  expect(rowsOf("points.csv")).toHaveLength(36);
  expect(rowsOf("points.csv")[18]).toMatchObject({ set: "random", class: record.classNames[0], index: "0" });
  const numbers = rowsOf("numbers.csv");
  expect(numbers).toHaveLength(3 * 2 * 4); // sets, synthetic and random real, all and three classes
  expect(Number(numbers[0]!["spreadRatio"])).toBe(record.subjects[0]!.geometry.overall.spreadRatio);
  expect(readdirSync(join(folder, "figures")).sort()).toEqual(
    ["methods", "numbers", "sets"].flatMap((kind) => ["png", "svg"].map((type) => `map-all-${kind}.${type}`)),
  );
  const text = mapText(record);
  expect(text.match(/^random real images/gm)).toHaveLength(1);
  expect(text).toContain(record.subjects[1]!.geometry.overall.centerDistance.toFixed(2));

  const { page } = await writeReport(root);
  const html = readFileSync(page, "utf8");
  expect(html).toContain('<section id="maps"');
  expect(html).toContain("Map of features, colors by class");
  expect(existsSync(join(root, "figures", "map-all-sets.png"))).toBe(true);
  expect(existsSync(join(root, "figures", "map-all-numbers.csv"))).toBe(true);
  expect(readMaps(root).map(({ name }) => name)).toEqual(["all"]);
});

test("the same again is the same to the bit, by the network that is there", async () => {
  const before = readFileSync(mapFile(mapFolder(root, "all")), "utf8");
  const parts = readdirSync(prepared).flatMap((name) =>
    readdirSync(join(prepared, name)).map((part) => join(prepared, name, part)),
  );
  expect(parts).toHaveLength(1);
  const { mtimeMs } = statSync(parts[0]!);
  const again = await computed("all", [paths.random, paths.dm, paths.images]);
  expect(`${JSON.stringify(again)}\n`).toBe(before);
  const other = await computed("all", [paths.random, paths.dm, paths.images], [...small, "seed=1"]);
  expect(other.points.x).not.toEqual(again.points.x);
  expect(other.subjects).toEqual(again.subjects);
  expect(statSync(parts[0]!).mtimeMs).toBe(mtimeMs);
});

test("features can be pixels or those of random networks, and the map t-SNE's", async () => {
  const each = ["images.perClass=8", "images.measuredPerClass=8"];
  const tsne = "projection={name: tsne, perplexity: 5, iterations: 50}";
  const pixels = await computed("pixels", [paths.dm], [...each, "features=pixels", tsne]);
  expect(pixels.space).toEqual({ network: null, models: 0, accuracies: [], width: 192 });
  expect(pixels.components).toMatchObject({ count: 29 }); // one less than 24 real and 6 synthetic images
  const random = await computed(
    "networks",
    [paths.dm],
    [...each, "features={name: random, models: 2}", "components=0"],
  );
  expect(random.space).toMatchObject({ models: 2, accuracies: [], width: 2 * 4 * 4 * 4 });
  expect(random.components).toBeNull();
  expect(random.options.projection).toMatchObject({ name: "umap", neighbors: 15 });
});

test("where no real images are left, nothing stands for random ones", async () => {
  const overrides = ["features=pixels", "images.split=test", "projection.neighbors=5"];
  const record = await computed("test", [paths.dm], overrides);
  // Of four test images of each class two are measured against, and two are as many as the set has.
  expect(record.points.subject.filter((subject) => subject < 0)).toHaveLength(6);
  expect(record.subjects[0]!.random).toMatchObject({ draws: 1 });
  const alone = { ...record, subjects: record.subjects.map((one) => ({ ...one, random: null })) };
  expect(numberRows(alone)).toHaveLength(4);
  expect(mapText(alone)).not.toContain("random real images ");
});

test("sets of different data, and what is no set, are refused before anything is computed", async () => {
  const refused = (sets: readonly string[]): Promise<unknown> => mapSubjects({ paths: sets, overrides: [] });
  await expect(refused([paths.dm, paths.other])).rejects.toThrow(
    /longer\/seed-0: expected the real data of .*dm-short\/seed-0 \(imbalance 1\), got imbalance 2; make a map of each/,
  );
  await expect(refused([paths.dm, join(root, "nowhere")])).rejects.toThrow(
    /nowhere: expected a synthetic set, found nothing there/,
  );
  await expect(refused([paths.dm, paths.dm])).rejects.toThrow(
    /expected each set once, got .*dm-short\/seed-0 twice/,
  );
  await expect(refused([paths.images])).rejects.toThrow(/expected --data NAME/);
});

test("too few images for a map, and options that are none, are said", async () => {
  await expect(computed("few", [paths.dm], ["features=pixels", "images.perClass=2"])).rejects.toThrow(
    /map: expected at least 16 images for .*"neighbors":15.*, got 12; ask for more with images\.perClass/,
  );
  expect(() => mapOptions(["projection.neighbours=5"])).toThrow(
    "map: projection.neighbours: unknown option; did you mean neighbors?",
  );
  expect(() => mapOptions(["projection=isomap"])).toThrow(/map: projection/);
});
