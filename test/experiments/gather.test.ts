import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { resolveExperiment } from "../../experiments/config.ts";
import { recordFailure } from "../../experiments/failure.ts";
import {
  evaluationFile,
  forgetFailure,
  gatherRows,
  recordRow,
  removeRows,
  rowsFile,
} from "../../experiments/gather.ts";
import { readRows, writeRows } from "../../experiments/results.ts";
import { openRun, prepareRun, type RunFolder } from "../../experiments/runFolder.ts";
import { InputError } from "../../src/core/errors.ts";
import { row } from "./rows.ts";

const newResults = (): string => mkdtempSync(join(tmpdir(), "distillery-gather-"));

function newRun(results: string, name = "dm", seed = 0): RunFolder {
  const run = openRun(
    results,
    resolveExperiment(name, { data: "procedural", objective: "dm", steps: 3 }),
    seed,
  );
  prepareRun(run, false);
  return run;
}

const rowOf = (run: RunFolder, evaluationSeed: number, accuracy: number) =>
  row({ experiment: run.experiment.name, distillSeed: run.seed, evaluationSeed, accuracy });

test("rows go into the run's folder and into runs.csv; measured again, a row is replaced", () => {
  const results = newResults();
  const run = newRun(results);
  for (const [seed, accuracy] of [
    [0, 0.1],
    [10, 0.2],
    [2, 0.3],
    [10, 0.4],
  ] as const) {
    recordRow(run, rowOf(run, seed, accuracy));
  }
  const rows = readRows(rowsFile(results));
  expect(rows.map(({ evaluationSeed, accuracy }) => [evaluationSeed, accuracy])).toEqual([
    [0, 0.1],
    [2, 0.3],
    [10, 0.4],
  ]);
});

test("runs.csv can be lost and is made again; rows of runs that lie elsewhere stay in it", () => {
  const results = newResults();
  const [first, second] = [newRun(results, "dm"), newRun(results, "dm", 1)];
  writeRows(rowsFile(results), [row({ experiment: "elsewhere" })]);
  recordRow(second, rowOf(second, 0, 0.2));
  recordRow(first, rowOf(first, 0, 0.1));
  const before = readRows(rowsFile(results));
  expect(before.map(({ experiment, distillSeed }) => [experiment, distillSeed])).toEqual([
    ["elsewhere", 0],
    ["dm", 1],
    ["dm", 0],
  ]);
  expect(gatherRows(results)).toEqual(before);
  rmSync(rowsFile(results));
  expect(gatherRows(results)).toEqual([before[2], before[1]]);
});

test("a failure is a row with its reason until the run has a result or is tried again", () => {
  const results = newResults();
  const run = newRun(results);
  recordFailure(run, "torch-cpu", "the loss was NaN");
  expect(gatherRows(results)).toMatchObject([
    { experiment: "dm", evaluationSeed: -1, accuracy: NaN, status: "the loss was NaN", steps: 3 },
  ]);
  recordRow(run, rowOf(run, 0, 0.5));
  expect(gatherRows(results)).toMatchObject([{ evaluationSeed: 0, accuracy: 0.5 }]);

  const other = newRun(results, "other");
  recordFailure(other, "torch-cpu", "out of memory");
  forgetFailure(other);
  recordRow(other, rowOf(other, 0, 0.6));
  expect(gatherRows(results).map(({ status }) => status)).toEqual(["done", "done"]);
});

test("a run that is replaced takes its rows with it, and nobody else's", () => {
  const results = newResults();
  const [run, other] = [newRun(results), newRun(results, "dm", 1)];
  for (const one of [run, other]) recordRow(one, rowOf(one, 0, 0.5));
  rmSync(run.path, { recursive: true });
  removeRows(run);
  expect(readRows(rowsFile(results))).toMatchObject([{ distillSeed: 1 }]);
});

test("a folder without rows adds none", () => {
  const results = newResults();
  newRun(results);
  mkdirSync(join(results, "runs", "empty"), { recursive: true });
  expect(gatherRows(results)).toEqual([]);
});

test("a row that is cut short is told of with its file", () => {
  const results = newResults();
  const run = newRun(results);
  const one = rowOf(run, 0, 0.5);
  recordRow(run, one);
  writeFileSync(evaluationFile(run, one), '{"experiment": "d');
  expect(() => gatherRows(results)).toThrow(InputError);
  expect(() => gatherRows(results)).toThrow(
    /0\.json: expected JSON, got a file that is cut short .* remove it/,
  );
});
