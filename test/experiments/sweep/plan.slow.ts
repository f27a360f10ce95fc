import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { resolveExperiment } from "../../../experiments/config.ts";
import type { KnownCost } from "../../../experiments/sweep/costs.ts";
import { estimate } from "../../../experiments/sweep/estimate.ts";
import { costKind } from "../../../experiments/sweep/kind.ts";
import type { Phase, Task } from "../../../experiments/tasks.ts";
import { startSweep, sweepFile, tiny } from "./processes.ts";

test("what changes values alone is of the same cost; what changes sizes or choices is not", () => {
  const kind = (...overrides: readonly string[]): string =>
    costKind(resolveExperiment("x", { ...tiny, objective: "csdm" }, overrides));
  const same = [
    "objective.kernel.scale=3",
    "objective.weighting.alphaHead=0.7",
    "optimizer.learningRate=0.5",
    "steps=900",
    "seeds=[4]",
    "data.root=/elsewhere",
    "data.subsetSeed=7",
    "evaluation.networks=9",
    "checkpointEvery=3",
  ];
  for (const override of same) expect(kind(override)).toBe(kind());
  const others = [
    "objective=dm",
    "objective.frequencies=8",
    "objective.kernel=matern32",
    "objective.bandwidth.points=9",
    "network.width=8",
    "imagesPerClass=2",
    "data.imbalance=2",
    "evaluation.protocol=dm-1000",
    "evaluation.network={ name: convNet, depth: 1 }",
    "plugins=[{ name: difficultyCorrection }]",
  ];
  const kinds = others.map((override) => kind(override));
  expect(new Set([kind(), ...kinds]).size).toBe(others.length + 1);
});

test("an estimate is what is left, by the costs of its kinds and the jobs side by side", () => {
  const experiment = resolveExperiment("x", { ...tiny, steps: 10, evaluation: { networks: 3 } });
  const cost: KnownCost = {
    startSeconds: 2,
    stepSeconds: 1,
    networkSeconds: 4,
    partSeconds: 3,
    partBytes: 5e6,
    megabytes: 100,
    bytes: 1000,
    bytesPerStep: 10,
    checkpointBytes: 500,
    steps: 5,
    epochs: 5,
    finishedRuns: 0,
  };
  const taskOf = (seed: number, done: boolean): Task => ({
    id: `x/seed-${seed}`,
    experiment,
    run: { path: String(seed), experiment, seed },
    isDone: () => done,
    perform: () => Promise.resolve(),
    outcome: () => "",
  });
  // Seed 0 is done, seed 1 is at step 4, the others are new.
  const tasks = [0, 1, 2, 3].map((seed) => taskOf(seed, seed === 0));
  const parts = [0, 1, 2].map((index) => ({
    ...withoutRun(taskOf(0, index === 2)),
    id: `small/part-${index}`,
  }));
  const phases: Phase[] = [
    { name: "prepare", tasks: parts },
    { name: "run", tasks },
  ];
  const needs = estimate(phases, {
    jobs: 2,
    costs: new Map([[costKind(experiment), cost]]),
    stateOf: ({ run }) =>
      run!.seed === 1 ? { is: "begun", step: 4, networks: 0 } : { is: "new", step: 0, networks: 0 },
  });
  const runs = 2 + 6 + 12 + 2 * (2 + 10 + 12);
  expect(needs.work).toBe(2 * (2 + 3) + runs);
  // Two parts at once; then the job that takes seed 1 is free again after 20 s and takes seed 3.
  expect(needs.seconds).toBe(5 + 20 + 24);
  expect(needs.megabytes).toBe(200);
  expect(needs.bytes).toBeGreaterThan(2 * 5e6 + 3 * 1000 + 26 * 10 + 2 * 500);
  expect(needs.bytes).toBeLessThan(3 * 5e6);
  expect(needs.byExperiment).toEqual(new Map([["x", runs]]));
});

/** A task of what runs share. */
function withoutRun({ run: _, ...task }: Task): Task {
  return task;
}

test("a plan shows runs, measures each kind once, and knows it from then on", async () => {
  const { file, results } = sweepFile({
    config: tiny,
    grid: {
      method: { dm: {}, broken: { data: { name: "mnist", root: "/nowhere" } } },
      "optimizer.learningRate": [0.5, 2],
    },
    exclude: [{ method: "broken", "optimizer.learningRate": 2 }],
    seeds: 0,
  });
  const first = startSweep(file, "--results", results, "--plan");
  expect(await first.ended).toBe(0);
  expect(first.output()).toMatch(/sweep study: 3 runs \(3 cells at 1 seed\)/);
  expect(first.output()).toMatch(/measuring dm_learningRate-0\.5, 1 of 2 kinds of run/);
  expect(first.output()).toMatch(/dm_learningRate-2 +0 +new +about .* s +\d+ MB/);
  expect(first.output()).toMatch(/broken_learningRate-0\.5 cannot run: mnist: expected .*nowhere/);
  expect(first.output()).toMatch(/time +about .* s: 1 kind of run by timed steps \(at least \d+\)/);
  expect(first.output()).toMatch(/memory +\d+ MB of .* GB/);
  expect(existsSync(join(results, "runs"))).toBe(false);

  const known = readFileSync(join(results, "costs.json"), "utf8");
  const again = startSweep(file, "--results", results, "--plan", "method=dm");
  expect(await again.ended).toBe(0);
  expect(again.output()).not.toMatch(/measuring/);
  expect(readFileSync(join(results, "costs.json"), "utf8")).toBe(known);
}, 240_000);

test("what runs share is planned with its disk space, and steps are measured once it is there", async () => {
  const { file, results } = sweepFile({
    config: {
      ...tiny,
      objective: { name: "dm", realBatch: 4, networks: { name: "pretrained", epochs: 1, models: 2 } },
    },
    grid: { "optimizer.learningRate": [0.5] },
    seeds: 0,
  });
  const plan = async (): Promise<string> => {
    const { ended, output } = startSweep(file, "--results", results, "--plan");
    expect(await ended).toBe(0);
    return output();
  };
  const before = await plan();
  expect(before).toMatch(/shared by runs: pretrained-\w+, 0 of 2 parts done/);
  expect(before).toMatch(/time +not known before what runs share is made/);
  expect(await startSweep(file, "--results", results, "--phase", "prepare").ended).toBe(0);
  const after = await plan();
  expect(after).toMatch(/pretrained-\w+, 2 of 2 parts done/);
  expect(after).toMatch(/time +about .* s: 1 kind of run by timed steps/);
}, 240_000);
