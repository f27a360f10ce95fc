import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { readRows, type Row, rowFromJson, rowJson, writeRows } from "../../experiments/results.ts";

const row: Row = {
  experiment: "dm, with a comma",
  commit: "0123456789",
  engine: "torch-cpu",
  dataset: "cifar10",
  imbalance: 100,
  imagesPerClass: 10,
  objective: "dm",
  plugins: "",
  network: "convNet-d3-w64-relu-instance-avg",
  steps: 1000,
  options: "objective.frequencies=1024;objective.kernel.name=gaussian;zca=false",
  distillSeed: 0,
  protocol: "dm-1000",
  evaluationNetwork: "convNet-d3-w64-relu-instance-avg",
  evaluationSeed: 0,
  accuracy: 0.3125,
  headAccuracy: 0.5,
  mediumAccuracy: 0.25,
  tailAccuracy: 0.125,
  classAccuracies: [0.5, 0.25, 0.125],
  distillSeconds: 900.5,
  evaluationSeconds: 90.25,
  peakMegabytes: 412,
  status: "done",
};

const newFile = (): string => join(mkdtempSync(join(tmpdir(), "distillery-results-")), "runs.csv");

test("rows are read as they were written", () => {
  const file = newFile();
  const failed = {
    ...row,
    evaluationSeed: -1,
    accuracy: NaN,
    classAccuracies: [],
    status: 'said "no", twice',
  };
  writeRows(file, [row, failed]);
  expect(readRows(file)).toEqual([row, failed]);
});

test("a row is the same after a way through JSON, what is no number included", () => {
  const failed = { ...row, accuracy: NaN, classAccuracies: [NaN, 0.5] };
  expect(rowFromJson(rowJson(failed))).toEqual(failed);
});

test("rows of versions that knew fewer options are read with what these versions did", () => {
  const file = newFile();
  const old = { ...row, options: "optimizer.name=sgd" };
  const now = {
    ...row,
    options: "optimizer.name=sgd;range=free;schedule.name=constant;stepping=joint;zca=false",
  };
  writeRows(file, [old]);
  expect(readRows(file)).toEqual([now]);
  expect(rowFromJson(rowJson(old))).toEqual(now);
});

test("results/README.md explains every column, in order", () => {
  const file = newFile();
  writeRows(file, [row]);
  const columns = readFileSync(file, "utf8").split("\n")[0]!.split(",");
  const [before] = readFileSync("results/README.md", "utf8").split("\n## "); // results have tables of their own
  const explained = [...before!.matchAll(/^\| (\w+) +\|/gm)].map((match) => match[1]);
  expect(explained.filter((name) => name !== "column")).toEqual(columns);
});

test("no file holds no rows, and one of other columns is refused", () => {
  const file = newFile();
  expect(readRows(file)).toEqual([]);
  writeFileSync(file, "experiment,accuracy\nx,0.5\n");
  expect(() => readRows(file)).toThrow(/line 2: expected the columns experiment, .* got none called commit/);
});

test.each(["", "experiment,comm", 'a,b\n"x'])("a damaged file is not taken for an empty one: %j", (text) => {
  const file = newFile();
  writeFileSync(file, text);
  expect(() => readRows(file)).toThrow(/runs\.csv: expected rows, got a file that is damaged/);
});
