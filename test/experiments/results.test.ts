import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { readRows, recordRows, type Row } from "../../experiments/results.ts";

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
  status: "done",
};

const newFile = (): string => join(mkdtempSync(join(tmpdir(), "distillery-results-")), "runs.csv");

test("rows are read as they were recorded", () => {
  const file = newFile();
  const other = { ...row, evaluationSeed: 1, accuracy: 0.25 };
  recordRows(file, [row]);
  recordRows(file, [other]);
  expect(readRows(file)).toEqual([row, other]);
});

test("the same measurement made again replaces its row", () => {
  const file = newFile();
  const again = { ...row, accuracy: 0.375, commit: "fedcba9876" };
  recordRows(file, [row, { ...row, distillSeed: 1 }]);
  recordRows(file, [again]);
  expect(readRows(file)).toEqual([{ ...row, distillSeed: 1 }, again]);
});

test("results/README.md explains every column, in order", () => {
  const file = newFile();
  recordRows(file, [row]);
  const columns = readFileSync(file, "utf8").split("\n")[0]!.split(",");
  const explained = [...readFileSync("results/README.md", "utf8").matchAll(/^\| (\w+) +\|/gm)].map(
    (match) => match[1],
  );
  expect(explained.filter((name) => name !== "column")).toEqual(columns);
});

test("no file holds no rows, and one of other columns is refused", () => {
  const file = newFile();
  expect(readRows(file)).toEqual([]);
  writeFileSync(file, "experiment,accuracy\nx,0.5\n");
  expect(() => readRows(file)).toThrow(/line 2: expected the columns experiment, .* got none called commit/);
});
