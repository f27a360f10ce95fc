import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import sharp from "sharp";
import { resolveExperiment } from "../../experiments/config.ts";
import { recordFailure } from "../../experiments/failure.ts";
import { rowsFile } from "../../experiments/gather.ts";
import type { PageData } from "../../experiments/report/page/pageData.ts";
import { readResults, reportData } from "../../experiments/report/reportData.ts";
import { writeRows } from "../../experiments/results.ts";
import { appendMetric, openRun, prepareRun, type RunFolder } from "../../experiments/runFolder.ts";
import { rowsOf } from "./rows.ts";

const results = mkdtempSync(join(tmpdir(), "report-data-"));
let data: PageData;

/** A run folder as it is before its first step. */
function begun(name: string): RunFolder {
  const config = { data: "procedural", objective: "dm", steps: 10 };
  const run = openRun(results, resolveExperiment(name, config), 0);
  prepareRun(run, false);
  return run;
}

const step = (number: number) =>
  ({ progress: { step: number }, loss: 1 / number, gradientNorm: 1, metrics: {} }) as never;

beforeAll(async () => {
  writeRows(rowsFile(results), [
    ...rowsOf([0.5, 0.6], { experiment: "csdm-elsewhere", objective: "csdm" }),
    ...rowsOf([0.5, 0.6], { experiment: "dm-elsewhere" }),
    ...rowsOf([0.5, 0.6], { experiment: "random-elsewhere", objective: "random" }),
  ]);
  const going = begun("going");
  for (const number of [1, 2, 3]) appendMetric(going, step(number));
  recordFailure(begun("broken"), "torch-cpu", "loss is not finite at step 2");
  const odd = join(results, "runs", "odd", "seed-0");
  mkdirSync(odd, { recursive: true });
  writeFileSync(join(odd, "config.yaml"), "name: odd\nnonsense: 1\n");
  mkdirSync(join(results, "figures"));
  const image = sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } });
  await image.png().toFile(join(results, "figures", "csdm-elsewhere.png"));
  data = await reportData(readResults(results));
});

afterAll(() => rmSync(results, { recursive: true }));

test("methods come in one order, whatever that of the file", () => {
  const compared = data.summaries.filter(({ dataset }) => dataset === "cifar10");
  expect(compared.map(({ objective }) => objective)).toEqual(["random", "dm", "csdm"]);
});

test("a run under way says how far it is, one that failed why, and neither is a result", () => {
  const [broken, going] = [...data.unfinished].sort((a, b) => a.experiment.localeCompare(b.experiment));
  expect(going).toMatchObject({ experiment: "going", method: "dm", step: 3, steps: 10, busy: false });
  expect(going!.metrics.map(({ loss }) => loss)).toEqual([1, 1 / 2, 1 / 3]);
  expect(going!.failure).toBeUndefined();
  expect(Date.parse(going!.updated!)).toBeGreaterThan(0);
  expect(broken).toMatchObject({ experiment: "broken", failure: "loss is not finite at step 2", step: 0 });
  expect(data.runs).toEqual([]);
});

test("a run whose folder cannot be read is told of, and the others are shown", () => {
  expect(data.unreadable).toHaveLength(1);
  expect(data.unreadable[0]).toMatch(/odd.*nonsense/);
  expect(data.configs.map(({ experiment }) => experiment).sort()).toEqual(["broken", "going"]);
});

test("images of a run elsewhere are those that an earlier report saved", () => {
  expect(data.grids.map(({ file, method }) => [file, method])).toEqual([["csdm-elsewhere", "csdm"]]);
  expect(data.grids[0]!.picture.url).toMatch(/^data:image\/webp;base64,/);
});
