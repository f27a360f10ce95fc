import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  diagnose,
  diagnoseFrequencies,
  diagnoseRun,
  finishedRuns,
} from "../../experiments/commands/diagnose.ts";
import { diagnosisText, frequencyText } from "../../experiments/commands/diagnosisText.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { exportRun } from "../../experiments/commands/export.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { readJson } from "../../experiments/files.ts";
import { foreignSubject } from "../../experiments/judge/foreignSubject.ts";
import { subjectOf } from "../../experiments/judge/subject.ts";
import { chartsOf } from "../../experiments/report/charts/index.ts";
import { readResults, reportData } from "../../experiments/report/reportData.ts";
import { tablesOf } from "../../experiments/report/tables/index.ts";
import { fileOf, type RunFolder } from "../../experiments/runFolder.ts";
import { highFrequencyRatios, type Spectra } from "../../experiments/spectra.ts";
import { selectEngine } from "../../src/engines/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const config = {
  data: { name: "procedural", classes: 3, trainPerClass: 9, testPerClass: 6, side: 16 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  steps: 0,
  evaluation: { protocol: "quick", networks: 1 },
};

const results = mkdtempSync(join(tmpdir(), "distillery-diagnose-"));
let run: RunFolder;
let mosaics: RunFolder;
beforeAll(async () => {
  const distilled = async (name: string, more: object): Promise<RunFolder> => {
    const experiment = resolveExperiment(name, { ...config, ...more });
    return (await distillExperiment(experiment, engine, { results, force: false }))[0]!;
  };
  run = await distilled("whole", {});
  mosaics = await distilled("mosaics", { partition: { factor: 2 } });
});
afterAll(() => {
  rmSync(results, { recursive: true });
});

test("a run that is done knows its discrepancy, which is what a diagnosis finds again", async () => {
  const kept = readJson(fileOf(run, "discrepancy"));
  const { discrepancy, highFrequency } = await diagnose(subjectOf(run), engine);
  expect(discrepancy).toEqual(kept);
  expect(discrepancy).toMatchObject({ networks: 3, testImages: [6, 6, 6], factors: [0.5, 1, 2] });
  expect(discrepancy.network).toBe("convNet-d2-w4-relu-instance-avg");
  const { overall } = highFrequencyRatios(readJson(fileOf(run, "spectra")) as Spectra);
  expect(highFrequency.overall).toBeCloseTo(overall, 4);
});

test("of mosaics the images count that they stand for", async () => {
  const { discrepancy } = await diagnose(subjectOf(mosaics), engine);
  const subject = subjectOf(mosaics);
  expect(subject.set.labels).toHaveLength(3);
  // Four random real images of a class are nearer to its law than one is.
  const { discrepancy: ofOne } = await diagnose(subjectOf(run), engine);
  expect(discrepancy.real.overall[1]).toBeLessThan(0.6 * ofOne.real.overall[1]!);
});

test("an export of a run has the same diagnosis; its folder keeps it where one is asked for", async () => {
  const { path } = await exportRun(run, { force: false });
  const options = { overrides: [], force: false };
  const lone = await foreignSubject(path, options);
  const { discrepancy } = await diagnose(lone, engine);
  expect(discrepancy).toEqual(readJson(fileOf(run, "discrepancy")));
  const kept = await foreignSubject(path, { ...options, results, name: "kept" });
  await diagnose(kept, engine);
  expect(readJson(join(results, "artifacts", "kept", "seed-0", "discrepancy.json"))).toEqual(discrepancy);
});

test("all runs of a folder are compared that were not before", async () => {
  const [file, other] = [fileOf(run, "discrepancy"), fileOf(mosaics, "discrepancy")];
  const before = statSync(other).mtimeMs;
  rmSync(file);
  const runs = finishedRuns(results, []);
  expect(runs.map(({ experiment }) => experiment.name)).toEqual(["mosaics", "whole"]);
  for (const one of runs) await diagnoseRun(one, engine, false);
  expect(existsSync(file)).toBe(true);
  expect(statSync(other).mtimeMs).toBe(before);
});

test("a run whose data are too few to compare it with is done all the same", async () => {
  const experiment = resolveExperiment("lone", { ...config, data: { ...config.data, testPerClass: 1 } });
  const [lone] = await distillExperiment(experiment, engine, { results, force: false });
  expect(existsSync(fileOf(lone!, "synthetic"))).toBe(true);
  expect(existsSync(fileOf(lone!, "discrepancy"))).toBe(false);
  await expect(diagnose(subjectOf(lone!), engine)).rejects.toThrow(
    "at least 2 held-out images of each class",
  );
});

test("a diagnosis is a table of classes, with what random real images have below", async () => {
  const subject = subjectOf(run);
  const text = diagnosisText(await diagnose(subject, engine), subject.classNames);
  expect(text).toContain("6 held-out images of each class, on features of 3 random networks convNet-d2-w4");
  const lines = text.split("\n").slice(4);
  expect(lines[0]).toMatch(/^ +½ +1 +2 +× random +× energy$/);
  expect(lines.slice(2).map((line) => line.split(/ {2,}/)[0])).toEqual([
    "all classes",
    ...subject.classNames,
    "random real images",
  ]);
  for (const line of lines.slice(2, 6)) expect(line).toMatch(/( +-?\d[\d.]*){5}$/);
});

test("errors of spectral estimates are kept, told and reported, with the fall that theory has", async () => {
  const found = await diagnoseFrequencies(subjectOf(run), engine);
  expect(readJson(fileOf(run, "frequencies"))).toEqual(found);
  expect(found.map(({ kernel }) => kernel)).toEqual(["gaussian", "matern32", "laplacian"]);
  for (const { counts, errors, expected } of found) {
    expect(counts).toEqual([16, 64, 256, 1024, 4096]);
    expect(expected[0]! / expected[4]!).toBeCloseTo(16, 6);
    expect(errors[0]! / errors[4]!).toBeGreaterThan(5);
  }
  expect(frequencyText(found)).toMatch(/^4096 /m);
  const data = await reportData(readResults(results));
  const [chart] = chartsOf(data).filter(({ id }) => id.startsWith("frequency-errors"));
  expect(chart!.legend.map(({ label }) => label)).toEqual([
    ...found.map(({ kernel }) => kernel),
    "1/√M, gaussian",
  ]);
  const [table] = tablesOf(data).filter(({ kind }) => kind === "frequencies");
  expect(table!.rows.map(([count]) => count)).toEqual(found[0]!.counts);
  expect(table!.rows[2]![1]).toBe(found[0]!.errors[2]);
});
