import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateRun } from "../../experiments/commands/evaluate.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { readArtifact } from "../../experiments/artifact.ts";
import { loadData } from "../../experiments/data/load.ts";
import { fileOf } from "../../experiments/runFolder.ts";
import { normalized } from "../../src/datasets/dataset.ts";
import { selectEngine } from "../../src/engines/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const config = {
  data: { name: "procedural", classes: 2, trainPerClass: 12, testPerClass: 2 },
  imagesPerClass: 2,
  network: { depth: 1, width: 4 },
  initialization: { name: "herding", networks: { epochs: 2, batchSize: 8 } },
  evaluation: { protocol: "quick", networks: 1 },
  seeds: [0, 1],
};
const selected = (run: { readonly path: string }) =>
  JSON.parse(readFileSync(fileOf(run, "selection"), "utf8")) as { from: string; positions: number[] };

test("a coreset is a run's result, by a network that its seeds share, and is judged like any other", async () => {
  const results = mkdtempSync(join(tmpdir(), "distillery-coresets-"));
  const experiment = resolveExperiment("herded", { ...config, steps: 0 });
  const [run, other] = await distillExperiment(experiment, engine, { results, force: false });
  expect(readdirSync(join(results, "prepared"))).toHaveLength(1);
  const { from, positions } = selected(run!);
  expect(from).toBe("real");
  expect(selected(other!).positions).toEqual(positions);
  const { splits } = await loadData(experiment.data);
  expect(readArtifact(run!).images).toEqual(normalized(splits.train, positions));
  const [row] = await evaluateRun(run!, engine, { force: false });
  expect(row).toMatchObject({ objective: "herding", status: "done" });
  expect(row!.options).toContain("initialization.form=icarl;");
}, 60_000);

test("a method starts from one, and random images need no network", async () => {
  const results = mkdtempSync(join(tmpdir(), "distillery-coresets-"));
  const dm = { ...config, objective: { name: "dm", realBatch: 4 }, seeds: [0] };
  const still = { ...dm, optimizer: { name: "sgd", learningRate: 1e-9, momentum: 0 }, steps: 1 };
  const options = { results, force: false };
  const [herded] = await distillExperiment(resolveExperiment("herded", still), engine, options);
  const { splits } = await loadData(herded!.experiment.data);
  const start = normalized(splits.train, selected(herded!).positions);
  readArtifact(herded!).images.forEach((value, i) => {
    expect(value).toBeCloseTo(start[i]!, 4);
  });
  const alone = mkdtempSync(join(tmpdir(), "distillery-coresets-"));
  const random = resolveExperiment("random", { ...still, initialization: "random" });
  await distillExperiment(random, engine, { results: alone, force: false });
  expect(existsSync(join(alone, "prepared"))).toBe(false);
}, 60_000);
