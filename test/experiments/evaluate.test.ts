import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateRun } from "../../experiments/commands/evaluate.ts";
import { accuracyText } from "../../experiments/commands/evaluationText.ts";
import { writeReport } from "../../experiments/commands/report.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { readRows } from "../../experiments/results.ts";
import { fileOf, openRun, type RunFolder } from "../../experiments/runFolder.ts";
import { selectEngine } from "../../src/engines/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const config = {
  data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 5, imbalance: 2 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: { name: "dm", realBatch: 4 },
  steps: 2,
  evaluation: { protocol: "quick", networks: 2 },
};

async function distilled(results: string, overrides: readonly string[] = []): Promise<RunFolder> {
  const experiment = resolveExperiment("tiny", config, overrides);
  return (await distillExperiment(experiment, engine, { results, force: false }))[0]!;
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-evaluate-"));

test("a run is evaluated once: its rows are kept, and only networks without one are trained", async () => {
  const results = newFolder();
  const run = await distilled(results);
  const rows = await evaluateRun(run, engine, { force: false });
  expect(rows.map(({ evaluationSeed, status }) => [evaluationSeed, status])).toEqual([
    [0, "done"],
    [1, "done"],
  ]);
  const recorded = readRows(join(results, "runs.csv"));
  expect(recorded).toHaveLength(2);

  const again = await evaluateRun(run, engine, { networks: 3, force: false });
  expect(again.slice(0, 2)).toEqual(recorded);
  expect(readRows(join(results, "runs.csv"))).toHaveLength(3);
  expect(accuracyText(again)).toMatch(/^\d+\.\d ± \d+\.\d % over 3 networks$/);
});

test("a run that was killed before it was compared with real images is compared when it is evaluated", async () => {
  const run = await distilled(newFolder());
  const file = fileOf(run, "discrepancy");
  const before = readFileSync(file, "utf8");
  rmSync(file);
  await evaluateRun(run, engine, { networks: 1, force: false });
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("the same seeds give the same accuracies", async () => {
  const accuracies = await Promise.all(
    [newFolder(), newFolder()].map(async (results) => {
      const rows = await evaluateRun(await distilled(results), engine, { networks: 1, force: false });
      return rows[0]!.classAccuracies;
    }),
  );
  expect(accuracies[0]).toEqual(accuracies[1]);
});

test("a finished run is taken up with more networks or other seeds, but not with other options", async () => {
  const results = newFolder();
  await distilled(results);
  const other = (override: string): RunFolder =>
    openRun(results, resolveExperiment("tiny", config, [override]), 0);
  expect(other("evaluation.networks=7").experiment.evaluation.networks).toBe(7);
  expect(() => other("steps=3")).toThrow(
    /holds a run of other options \(steps: 2 there, 3 here\); give this one another name with --name/,
  );
  expect(() => other("data.classSize=6")).toThrow(/data\.classSize: nothing there, 6 here/);
});

test("a run that is replaced takes its rows with it", async () => {
  const results = newFolder();
  await evaluateRun(await distilled(results), engine, { networks: 1, force: false });
  const longer = resolveExperiment("tiny", config, ["steps=3"]);
  await distillExperiment(longer, engine, { results, force: true });
  expect(readRows(join(results, "runs.csv"))).toEqual([]);
});

test("a report has a row for each method, and the page shows its images", async () => {
  const results = newFolder();
  await evaluateRun(await distilled(results), engine, { networks: 1, force: false });
  const { table, page } = await writeReport(results);
  expect(table).toMatch(/\| dm \| \d+\.\d/);
  expect(page).toBe(join(results, "report.html"));
  expect(readFileSync(join(results, "tables", "accuracy.md"), "utf8")).toBe(table);
  const files = ["tables", "figures"].flatMap((folder) => readdirSync(join(results, folder)));
  for (const stem of ["accuracy-procedural-lt2-ipc1", "classes-procedural-lt2-ipc1"]) {
    expect(files).toEqual(expect.arrayContaining([`${stem}.csv`, `${stem}.tex`]));
  }
  for (const stem of ["loss-procedural-lt2-ipc1", "power-spectra-procedural-lt2-ipc1"]) {
    expect(files).toEqual(expect.arrayContaining([`${stem}.svg`, `${stem}.png`]));
  }
});

test("a run that is not done cannot be evaluated", async () => {
  const run = openRun(newFolder(), resolveExperiment("tiny", config), 0);
  await expect(evaluateRun(run, engine, { force: false })).rejects.toThrow(
    /expected a finished run; distil it first/,
  );
});

test("a row is not kept of images that were replaced while a network was trained on them", async () => {
  const results = newFolder();
  const run = await distilled(results);
  const training = evaluateRun(run, engine, { force: false });
  await new Promise((resolve) => setTimeout(resolve, 50));
  utimesSync(join(run.path, "synthetic.safetensors"), 1, 1);
  await expect(training).rejects.toThrow(/its images were replaced while networks were trained on them/);
  expect(readRows(join(results, "runs.csv"))).toEqual([]);
});
