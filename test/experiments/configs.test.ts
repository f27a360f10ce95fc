import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { readExperiment, resolveExperiment } from "../../experiments/config.ts";
import { isDone, readMetrics, readRun } from "../../experiments/runFolder.ts";
import { readSweep } from "../../experiments/sweep/expand.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { objectiveOf } from "../../src/runs/setting.ts";
import { smallOptions } from "../support/smallOptions.ts";

const files = readdirSync("configs").filter(
  (file) => file.endsWith(".yaml") && !file.startsWith("generate-"),
);
const { engine } = await selectEngine("auto", { threads: 1 }); // small tensors gain nothing from more
afterAll(() => engine.close());

describe.each(files)("%s", (file) => {
  test("loads, resolves, and runs two steps on a toy data set", async () => {
    const path = join("configs", file);
    const published = readExperiment(path);
    const { name, ...options } = published;
    const gray = published.data.name === "mnist";
    const counts = { classes: 4, trainPerClass: 6, testPerClass: 2 };
    const toy = { name: "procedural", ...counts, side: 16, channels: gray ? 1 : 3 };
    const trains = "networkTraining" in (published.objective ?? {});
    const { network } = published;
    const small = [
      ...(network.name === "convNet" && network.depth > 4 ? ["network.depth=4"] : []),
      ...(trains ? ["objective.outerLoop=2", "objective.innerLoop=1"] : []),
      "network.width=4",
      "imagesPerClass=2",
      `steps=${Math.min(2, published.steps)}`,
      "seeds=[0]",
      // Where the images of a pool lie is another's matter.
      ...(published.pool ? ["pool={name: augmented, perClass: 3}"] : []),
    ];
    const experiment = resolveExperiment(name, { ...smallOptions(options), data: toy }, small);
    const results = mkdtempSync(join(tmpdir(), "distillery-configs-"));
    const [run] = await distillExperiment(experiment, engine, { results, force: false });
    expect(isDone(run!)).toBe(true);
    expect(readMetrics(run!).map(({ step }) => step)).toEqual(published.steps === 0 ? [] : [1, 2]);
    const again = { ...readRun(run!.path).experiment, seeds: [0] };
    expect(again).toEqual(experiment);
  }, 60_000);
});

describe.each(readdirSync("configs/sweeps"))("sweeps/%s", (file) => {
  test("expands to cells that are valid, and whose methods can be built", () => {
    const { cells } = readSweep(join("configs/sweeps", file));
    expect(cells.length).toBeGreaterThan(1);
    for (const { experiment } of cells) {
      // Plugins add their own names behind it.
      expect(objectiveOf(experiment)?.name.split("+")[0]).toBe(experiment.objective?.name);
      expect(experiment.seeds.length).toBeGreaterThan(0);
    }
  });
});
