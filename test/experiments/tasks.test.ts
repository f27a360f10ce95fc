import { mkdtempSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { resolveExperiment } from "../../experiments/config.ts";
import { loadData } from "../../experiments/data/load.ts";
import { gatherRows } from "../../experiments/gather.ts";
import { acquire } from "../../experiments/lock.ts";
import { hasPart, makePart, prepare, preparedFor } from "../../experiments/preparation.ts";
import { lockOf } from "../../experiments/runFolder.ts";
import { sourceOf } from "../../src/runs/setting.ts";
import { phasesOf } from "../../experiments/tasks.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { initialTensors } from "../../src/networks/index.ts";
import type { Preparation } from "../../src/objectives/objective.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const config = {
  data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 5 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: { name: "dm", realBatch: 4 },
  steps: 2,
  evaluation: { protocol: "quick", networks: 2 },
  seeds: [0, 1],
};
const experiment = resolveExperiment("tiny", config);
const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-tasks-"));
const optionsIn = (results: string, spread: boolean) => ({
  results,
  prepared: join(results, "prepared"),
  spread,
});

test("spread or whole, the tasks end with the same rows, and are done then", async () => {
  const accuracies = [];
  for (const spread of [false, true]) {
    const results = newFolder();
    const phases = phasesOf([experiment], optionsIn(results, spread));
    expect(phases.map(({ name, tasks }) => [name, tasks.length])).toEqual(
      spread
        ? [
            ["distill", 2],
            ["evaluate", 4],
          ]
        : [["run", 2]],
    );
    const tasks = phases.flatMap((phase) => phase.tasks);
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(tasks.length);
    expect(tasks.some((task) => task.isDone())).toBe(false);
    for (const task of tasks) await task.perform(engine);
    expect(tasks.every((task) => task.isDone())).toBe(true);
    accuracies.push(gatherRows(results).map((row) => [row.distillSeed, row.evaluationSeed, row.accuracy]));
  }
  expect(accuracies[1]).toEqual(accuracies[0]);
  expect(accuracies[0]).toHaveLength(4);
});

test("a task that another process is at is left to it", async () => {
  const results = newFolder();
  const [task] = phasesOf([experiment], optionsIn(results, false))[0]!.tasks;
  const lock = acquire(lockOf(task!.run!))!;
  await expect(task!.perform(engine)).rejects.toThrow(
    `another process works on this run (process ${process.pid} on ${hostname()} holds it)`,
  );
  lock.release();
  await task!.perform(engine);
  expect(task!.isDone()).toBe(true);
});

test("a task that fails leaves a row that says why, and its retry one of the result", async () => {
  const results = newFolder();
  const root = newFolder();
  const onFiles = resolveExperiment("files", {
    ...config,
    data: { name: "mnist", root },
    evaluation: { protocol: "quick", networks: 1 },
    seeds: [0],
  });
  const [task] = phasesOf([onFiles], optionsIn(results, false))[0]!.tasks;
  await expect(task!.perform(engine)).rejects.toThrow(/mnist/i);
  expect(gatherRows(results)).toMatchObject([{ experiment: "files", evaluationSeed: -1, accuracy: NaN }]);
  expect(task!.isDone()).toBe(false);
});

/** Networks at the start of training, one each: what experts and extractors look like to whoever keeps them. */
const networks: Preparation = {
  name: "networks",
  options: { scale: 1 },
  parts: 3,
  *part(source, index, rng) {
    yield { share: 0.5 };
    const tensors = initialTensors(source.network.parameters, source.engine, rng);
    const arrays = tensors.map(
      (tensor, i) => [`p${i}`, { shape: tensor.shape, data: tensor.values() }] as const,
    );
    tensors.forEach((tensor) => tensor.dispose());
    return { ...Object.fromEntries(arrays), index: { shape: [1], data: Float32Array.of(index) } };
  },
};

test("what runs share is made part by part, once, and the same whoever makes it", async () => {
  const { splits } = await loadData(experiment.data);
  const source = sourceOf(experiment, splits, engine);
  const [one, two] = [newFolder(), newFolder()].map((root) => preparedFor(root, experiment, networks));
  expect(await makePart(one!, source, 2)).toBe(true);
  expect([0, 1, 2].map((index) => hasPart(one!, index))).toEqual([false, false, true]);
  const [first, second] = [await prepare([one!], source), await prepare([two!], source)];
  for (const index of [0, 1, 2]) {
    const part = first.prepared!(networks, index);
    expect(part).toEqual(second.prepared!(networks, index));
    expect(part.index!.data[0]).toBe(index);
  }
  expect(first.prepared!(networks, 0).p0).not.toEqual(first.prepared!(networks, 1).p0);
  expect("prepared" in source).toBe(false);
});

test("a part that another process makes is waited for, not made twice", async () => {
  const { splits } = await loadData(experiment.data);
  const source = sourceOf(experiment, splits, engine);
  const prepared = preparedFor(newFolder(), experiment, networks);
  await makePart(prepared, source, 0);
  const file = join(prepared.path, "part-0001.safetensors");
  const lock = acquire(`${file}.lock`)!;
  expect(await makePart(prepared, source, 1)).toBe(false);
  const all = prepare([prepared], source);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(hasPart(prepared, 2)).toBe(true);
  writeFileSync(file, "");
  lock.release();
  await all;
});

test("options, data and network each have a folder of their own; the place of official files does not count", () => {
  const name = (overrides: readonly string[], preparation = networks): string =>
    preparedFor("p", resolveExperiment("x", config, overrides), preparation).name;
  const names = [
    name([]),
    name(["network.width=8"]),
    name(["data.trainPerClass=9"]),
    name([], { ...networks, options: { scale: 2 } }),
  ];
  expect(new Set(names).size).toBe(names.length);
  expect(name(["data.root=elsewhere", "steps=7", "imagesPerClass=2"])).toBe(names[0]);
});
