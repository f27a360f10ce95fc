import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateRun } from "../../experiments/commands/evaluate.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { readArtifact } from "../../experiments/artifact.ts";
import { dataName, loadData, parsedDatasetOptions } from "../../experiments/data/load.ts";
import { fileOf, openRun, readRun } from "../../experiments/runFolder.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { classCounts, classIndices, countOf, normalized } from "../../src/datasets/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const procedural = { name: "procedural", trainPerClass: 40, testPerClass: 6 } as const;
const loaded = (more: object = {}) => loadData(parsedDatasetOptions({ ...procedural, ...more }));

test("labels keep some classes of training and test images, by the whole set's constants", async () => {
  const whole = (await loaded()).splits;
  const { splits, indices } = await loaded({ onlyLabels: [7, 2] });
  const { train, test } = splits;
  expect(train.classNames).toEqual([whole.train.classNames[7], whole.train.classNames[2]]);
  expect(test.classNames).toEqual(train.classNames);
  expect([classCounts(train), classCounts(test)]).toEqual([
    [40, 40],
    [6, 6],
  ]);
  expect([train.mean, train.std]).toEqual([whole.train.mean, whole.train.std]);
  const ofWhole = Array.from(indices!, (i) => [7, 2].indexOf(whole.train.labels[i]!));
  expect([...train.labels]).toEqual(ofWhole);
  expect(normalized(train, [0, 79])).toEqual(normalized(whole.train, [indices![0]!, indices![79]!]));
});

test("a long tail is that of the whole set: a class has the images that it has there", async () => {
  const tail = { imbalance: 20, classSize: 40 };
  const whole = await loaded(tail);
  const { splits, indices } = await loaded({ ...tail, onlyLabels: [9, 0, 4] });
  const counts = classCounts(whole.splits.train);
  expect(classCounts(splits.train)).toEqual([counts[9], counts[0], counts[4]]);
  expect(countOf(splits.test)).toBe(18);
  const members = classIndices(whole.splits.train)[9]!;
  const places = classIndices(splits.train)[0]!;
  expect(Array.from(places, (i) => indices![i])).toEqual(Array.from(members, (i) => whole.indices![i]));
});

test("data are read once for all choices of classes", async () => {
  const whole = await loaded();
  const [one, other] = [await loaded({ onlyLabels: [0, 1] }), await loaded({ onlyLabels: [1, 0] })];
  expect((await loaded()).splits.train).toBe(whole.splits.train);
  expect(other.splits.train).not.toBe(one.splits.train);
  expect((await loaded({ onlyLabels: [1, 0] })).splits.train).toBe(other.splits.train);
});

test.each([
  [[4], /onlyLabels: expected two or more classes/],
  [[4, 4], /onlyLabels: expected every class once/],
  [[0, -1], /onlyLabels/],
])("labels %j are refused in a config", (labels, message) => {
  const config = { data: { ...procedural, onlyLabels: labels }, steps: 0 };
  expect(() => resolveExperiment("some", config)).toThrow(message);
});

test("a label that is no class's is named", async () => {
  await expect(loaded({ onlyLabels: [3, 10] })).rejects.toThrow(
    "labels: expected classes of procedural, 0 to 9, got 10",
  );
});

test("tables call a set of some classes by them", () => {
  expect(dataName(parsedDatasetOptions(procedural))).toBe("procedural");
  expect(dataName(parsedDatasetOptions({ ...procedural, onlyLabels: [3, 7] }))).toBe("procedural (3, 7)");
  const many = Array.from({ length: 20 }, (_, i) => i);
  const [name, other] = [many, [...many].reverse()].map((labels) =>
    dataName(parsedDatasetOptions({ ...procedural, onlyLabels: labels })),
  );
  expect(name).toMatch(/^procedural \(20 classes, [0-9a-f]{6}\)$/);
  expect(other).not.toBe(name);
});

test("a run of some classes says which, is judged on these, and is no run of others", async () => {
  const results = mkdtempSync(join(tmpdir(), "distillery-labels-"));
  const config = {
    data: { ...procedural, onlyLabels: [5, 8, 1] },
    imagesPerClass: 2,
    network: { depth: 2, width: 4 },
    steps: 0,
    evaluation: { protocol: "quick", networks: 1 },
  };
  const experiment = resolveExperiment("some", config);
  const [run] = await distillExperiment(experiment, engine, { results, force: false });
  const { splits, indices } = await loaded({ onlyLabels: [5, 8, 1] });
  expect(readRun(run!.path).experiment.data.onlyLabels).toEqual([5, 8, 1]);
  expect(JSON.parse(readFileSync(fileOf(run!, "indices"), "utf8"))).toEqual([...indices!]);
  expect(JSON.parse(readArtifact(run!).card.classNames!)).toEqual(splits.train.classNames);
  const [row] = await evaluateRun(run!, engine, { force: false });
  expect(row!.dataset).toBe("procedural (5, 8, 1)");
  expect(row!.options).toContain("data.onlyLabels.0=5;data.onlyLabels.1=8;data.onlyLabels.2=1");
  expect(row!.classAccuracies).toHaveLength(3);
  const others = resolveExperiment("some", config, ["data.onlyLabels=[5,8,2]"]);
  expect(() => openRun(results, others, 0)).toThrow(/data\.onlyLabels\.2: 1 there, 2 here/);
});
