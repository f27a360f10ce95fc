import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { readArtifact } from "../../experiments/artifact.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateRun } from "../../experiments/commands/evaluate.ts";
import { type Experiment, resolveExperiment } from "../../experiments/config.ts";
import { optionsText } from "../../experiments/leaves.ts";
import { fileOf, openRun, readMetrics, readRun, type RunFolder } from "../../experiments/runFolder.ts";
import { phasesOf } from "../../experiments/tasks.ts";
import { arraysOf, datasets, decodedSet, distillationOf, selectEngine, trackingOf } from "../../src/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const data = { classes: 3, trainPerClass: 8, testPerClass: 4, side: 8 };
const { train } = datasets.procedural.read(data);
const network = { name: "convNet", depth: 1, width: 4 } as const;
const columns = ["difficulty", "difficultyPerClass", "misclassified", "syntheticLoss"] as const;

function experiment(change: object = {}, name = "run"): Experiment {
  return resolveExperiment(name, {
    data: { name: "procedural", ...data },
    objective: "dm",
    network,
    imagesPerClass: 2,
    steps: 5,
    evaluation: { protocol: "quick", networks: 1 },
    ...change,
  });
}

const newResults = (): string => mkdtempSync(join(tmpdir(), "distillery-tracking-"));

async function distilled(given: Experiment, results = newResults()): Promise<RunFolder> {
  const [run] = await distillExperiment(given, engine, { results, force: false });
  return run!;
}

/** What is tracked in the metrics of a run, by step. */
function trackedIn(run: RunFolder): Map<number, number[]> {
  const rows = readMetrics(run).filter(({ difficulty }) => difficulty !== undefined);
  return new Map(rows.map((row) => [row.step, columns.map((name) => row[name]!)]));
}

describe("a tracked run", () => {
  test("has the images, the losses and the row of the same run without", async () => {
    const [without, tracked] = [await distilled(experiment()), await distilled(experiment({ tracking: {} }))];
    const arrays = (run: RunFolder): unknown => arraysOf(readArtifact(run));
    expect(arrays(tracked)).toEqual(arrays(without));
    const logged = (run: RunFolder): unknown[] =>
      readMetrics(run).flatMap(({ step, loss, gradientNorm }) =>
        step > 0 ? [{ step, loss, gradientNorm }] : [],
      );
    expect(logged(tracked)).toEqual(logged(without));
    expect(readMetrics(without).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    const [one, other] = [without, tracked].map(async (run) => {
      const [row] = await evaluateRun(run, engine, { force: false });
      return { ...row, distillSeconds: 0, evaluationSeconds: 0, peakMegabytes: 0 };
    });
    expect(await other).toEqual(await one);
    expect(optionsText(tracked.experiment)).toBe(optionsText(without.experiment));
  });

  test.each([
    ["at their random start", {}],
    ["trained on the real images", { epochs: 1 }],
  ])("is measured at every so many steps, and as in memory, under networks %s", async (_, trained) => {
    const networks = { models: 2, ...trained };
    const run = await distilled(experiment({ tracking: { every: 2, networks } }));
    const tracked = trackedIn(run);
    expect([...tracked.keys()]).toEqual([0, 2, 4, 5]);
    const difficultyOf = trackingOf(train, { engine, network, ...networks });
    const memory = distillationOf(train, { engine, objective: "dm", network, imagesPerClass: 2, steps: 5 });
    const found = new Map([[0, difficultyOf(memory.synthetic())]]);
    for (const { step } of memory) if (tracked.has(step)) found.set(step, difficultyOf(memory.synthetic()));
    for (const [step, measured] of found) {
      expect(tracked.get(step)).toEqual(columns.map((name) => measured[name]));
    }
    expect(tracked.get(5)![0]).not.toBe(tracked.get(0)![0]);
  });

  test("of real images that nothing is learned from has the one measurement of these", async () => {
    const untouched = { objective: undefined, steps: 0, tracking: { networks: { models: 2 } } };
    const random = await distilled(experiment(untouched));
    const learned = await distilled(experiment({ tracking: { networks: { models: 2 } } }));
    expect(trackedIn(random)).toEqual(new Map([[0, trackedIn(learned).get(0)!]]));
  });

  test("shares trained networks with whatever else trains the same", async () => {
    const results = newResults();
    const networks = { models: 2, epochs: 1, network };
    await distilled(experiment({ tracking: { networks } }, "one"), results);
    const objective = { name: "iid", terms: { classCentralization: { extractor: networks } } };
    await distilled(experiment({ tracking: { networks }, objective, steps: 1 }, "other"), results);
    const prepared = readdirSync(join(results, "prepared"));
    expect(prepared).toHaveLength(1);
    expect(readdirSync(join(results, "prepared", prepared[0]!)).sort()).toEqual([
      "part-0000.safetensors",
      "part-0001.safetensors",
    ]);
  });
});

describe("sets that are more than whole images with labels", () => {
  const difficultyOf = trackingOf(train, { engine, network, models: 2 });

  test("of mosaics the images are measured that they stand for", async () => {
    const partition = { factor: 2, order: "rows" };
    const run = await distilled(experiment({ partition, tracking: { every: 5, networks: { models: 2 } } }));
    const set = readArtifact(run);
    const cells = decodedSet(set);
    expect(cells.labels).toHaveLength(4 * set.labels.length);
    const measured = difficultyOf(cells);
    expect(trackedIn(run).get(5)).toEqual(columns.map((name) => measured[name]));
  });

  test("soft labels change loss and gradient, and not what counts as misclassified", async () => {
    const set = readArtifact(await distilled(experiment()));
    const softLabels = Float32Array.from({ length: 18 }, (_, i) => (i % 3 === Math.floor(i / 6) ? 0.6 : 0.2));
    const [hard, soft] = [difficultyOf(set), difficultyOf({ ...set, softLabels })];
    expect(soft.misclassified).toBe(hard.misclassified);
    expect(soft.difficulty).not.toBeCloseTo(hard.difficulty, 3);
    const oneHot = Float32Array.from({ length: 18 }, (_, i) => (i % 3 === Math.floor(i / 6) ? 1 : 0));
    const same = difficultyOf({ ...set, softLabels: oneHot });
    for (const name of columns) expect(same[name]).toBeCloseTo(hard[name], 5);
  });
});

test("GraDN is the mean over images of the norm that each one's own gradient has", async () => {
  const run = await distilled(experiment({ tracking: { every: 5, gradn: true, networks: { models: 1 } } }));
  const set = readArtifact(run);
  const difficultyOf = trackingOf(train, { engine, network, models: 1 });
  const size = set.images.length / set.labels.length;
  const single = Array.from(set.labels, (label, i) =>
    difficultyOf({
      ...set,
      images: set.images.slice(i * size, (i + 1) * size),
      labels: Int32Array.of(label),
    }),
  );
  const expected = single.reduce((sum, { difficulty }) => sum + difficulty, 0) / single.length;
  const last = readMetrics(run).at(-1)!;
  expect(last.gradn).toBeCloseTo(expected, 4);
  expect(last.gradn).toBeGreaterThan(last.difficultyPerClass!);
  expect(difficultyOf(set)).not.toHaveProperty("gradn");
});

test("a sweep makes the networks that it tracks by before its runs, each once", () => {
  const tracking = { networks: { models: 3, epochs: 1 } };
  const experiments = ["dm", "csdm"].map((objective) => experiment({ tracking, objective }, objective));
  const results = newResults();
  const [prepare] = phasesOf(experiments, { results, prepared: join(results, "prepared"), spread: false });
  expect(prepare!.name).toBe("prepare");
  expect(prepare!.tasks.map(({ id }) => id.replace(/-\w+\//, "/"))).toEqual([
    "pretrained/part-0",
    "pretrained/part-1",
    "pretrained/part-2",
  ]);
});

describe("a folder that holds a run", () => {
  const results = newResults();
  const tracking = { every: 2, networks: { models: 2 } };

  test("that is done says what its metrics were measured by, whatever is asked of it", async () => {
    const run = await distilled(experiment({ tracking }), results);
    expect(openRun(results, experiment(), 0).experiment.tracking).toEqual(run.experiment.tracking);
    const other = experiment({ tracking: { ...tracking, every: 3 } });
    expect(openRun(results, other, 0).experiment.tracking).toEqual(run.experiment.tracking);
    const again = await distilled(experiment(), results);
    expect(readRun(again.path).experiment.tracking).toEqual(run.experiment.tracking);
  });

  test("does not take other networks to track it by", () => {
    const other = experiment({ tracking: { networks: { models: 3 } } });
    expect(() => openRun(results, other, 0)).toThrow(
      /holds a run of other options \(tracking\.networks\.models: 2 there, 3 here\)/,
    );
    expect(openRun(results, other, 0, true).experiment).toEqual(other);
  });

  test("with rows of a step 0 but no checkpoint is begun anew, with one row of step 0", async () => {
    const run = await distilled(experiment({ tracking }), newResults());
    rmSync(fileOf(run, "synthetic"));
    expect(existsSync(fileOf(run, "checkpoint"))).toBe(false);
    const before = readFileSync(fileOf(run, "metrics"), "utf8");
    await distilled(experiment({ tracking }), join(run.path, "../../.."));
    expect(readFileSync(fileOf(run, "metrics"), "utf8")).toBe(before);
  });
});

describe("what is wrong is said", () => {
  test.each([
    [{ every: 0 }, /tracking\.every: .*>=1, got 0/],
    [{ networks: { models: 0 } }, /tracking\.networks\.models: .*>=1, got 0/],
    [{ networks: { epoch: 4 } }, /tracking\.networks\.epoch: unknown option; did you mean epochs\?/],
  ])("%o", (tracking, message) => {
    expect(() => experiment({ tracking })).toThrow(message);
  });

  test("images of another shape, and classes that the networks do not have", () => {
    const difficultyOf = trackingOf(train, { engine, network, models: 1 });
    const set = distillationOf(train, { engine, network, steps: 0, imagesPerClass: 1 }).synthetic();
    expect(() => difficultyOf({ ...set, imageShape: [4, 16, 3] })).toThrow(
      "tracking: expected images of 8×8×3 in 3 classes, as the real ones are, got 4×16×3",
    );
    expect(() => difficultyOf({ ...set, labels: Int32Array.of(0, 1, 3) })).toThrow("got 8×8×3 and label 3");
    expect(() => trackingOf(train, { engine, models: 0 })).toThrow(/trackingOf: models: .*>=1, got 0/);
  });
});
