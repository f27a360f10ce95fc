import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, jest, test } from "@jest/globals";
import { readArtifact } from "../../experiments/artifact.ts";
import { main } from "../../experiments/cli.ts";
import { continual } from "../../experiments/commands/continual.ts";
import { writeReport } from "../../experiments/commands/report.ts";
import { type Experiment, resolveExperiment } from "../../experiments/config.ts";
import { rowIn, type ContinualRow } from "../../experiments/continual/rows.ts";
import type { ContinualOptions } from "../../experiments/continual/plan.ts";
import { continualFiles, type ContinualResult, readContinual } from "../../experiments/continual/result.ts";
import { loadData } from "../../experiments/data/load.ts";
import { fileOf, listRuns, readRun } from "../../experiments/runFolder.ts";
import { classSteps } from "../../src/datasets/classSteps.ts";
import { type Dataset, normalized, subset } from "../../src/datasets/dataset.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { networkOf } from "../../src/networks/index.ts";
import { evaluationOf } from "../../src/runs/evaluation.ts";
import type { StoredSet } from "../../src/runs/storedSet.ts";
import { sizeOf } from "../../src/core/shape.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());
afterEach(() => {
  process.exitCode = undefined;
});

const config = {
  data: { name: "procedural", classes: 6, trainPerClass: 8, testPerClass: 5, side: 8 },
  imagesPerClass: 2,
  network: { name: "convNet", depth: 1, width: 4 },
  steps: 0,
  evaluation: { protocol: "quick" },
};
const matched = { ...config, objective: { name: "dm", realBatch: 4 }, steps: 2 };
const random = (...overrides: string[]): Experiment => resolveExperiment("random", config, overrides);
const dm = (...overrides: string[]): Experiment => resolveExperiment("dm", matched, overrides);

const continualResults = (results: string): ContinualResult[] => continualFiles(results).map(readContinual);

const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-continual-"));

const asked = { steps: 3, orders: [0, 4], count: 1, force: false };
const run = (experiments: readonly Experiment[], given: { results: string } & Partial<ContinualOptions>) =>
  continual(experiments, engine, { ...asked, ...given });

/** The row of a network as its file has it. */
function rowOf(results: string, name: string, place: string): ContinualRow {
  const folder = join(results, "continual", name, "steps-3");
  return rowIn(join(folder, "networks", "quick", "convNet-d1-w4-relu-instance-avg", `${place}.json`))!;
}

const { splits } = await loadData(random().data);
const shared = newFolder();
const written = await run([random(), dm()], { results: shared });
const steps = classSteps(6, { steps: 3, seed: 4 });
const folder = join(shared, "continual", "dm", "steps-3");

/** The set of one run, and labels that its classes have in the whole set. */
const memoryOf = (name: string, step: number): { set: StoredSet; labels: readonly number[] } => ({
  set: readArtifact(
    readRun(join(shared, "continual", name, "steps-3", "runs", `${name}_order-4_step-${step}`, "seed-4")),
  ),
  labels: steps[step]!,
});

test("a memory is an ordinary run, of the classes of its step alone", () => {
  const runs = listRuns(folder).map((path) => readRun(path));
  expect(runs).toHaveLength(6);
  const { experiment, seed } = runs.find(({ path }) => path.includes("order-4_step-1"))!;
  expect([experiment.name, seed, experiment.steps]).toEqual(["dm_order-4_step-1", 4, 2]);
  expect(experiment.data.onlyLabels).toEqual(steps[1]);
});

test("every image that a memory is chosen from is of the classes of its step", () => {
  const runs = listRuns(join(shared, "continual", "random", "steps-3")).map((path) => readRun(path));
  for (const one of runs) {
    const read = (file: "indices" | "selection"): unknown =>
      JSON.parse(readFileSync(fileOf(one, file), "utf8"));
    const indices = read("indices") as number[];
    const { positions } = read("selection") as { positions: number[] };
    const labels = positions.map((position) => splits.train.labels[indices[position]!]!);
    const { onlyLabels } = one.experiment.data;
    expect(labels).toEqual(onlyLabels!.flatMap((label) => [label, label]));
    const chosen = positions.map((position) => indices[position]!);
    expect(readArtifact(one).images).toEqual(normalized(splits.train, chosen));
  }
});

test("networks are tested on all classes seen so far and on no other", () => {
  steps.forEach((_, step) => {
    const seen = steps.slice(0, step + 1).flat();
    const row = rowOf(shared, "dm", `order-4/step-${step}/0`);
    expect([row.classesSeen, row.testImages, row.trainingImages]).toEqual([
      seen.length,
      5 * seen.length,
      2 * seen.length,
    ]);
    const measured = row.classAccuracies.flatMap((value, label) => (Number.isNaN(value) ? [] : [label]));
    expect(measured).toEqual([...seen].sort((a, b) => a - b));
    const hits = seen.reduce((sum, label) => sum + 5 * row.classAccuracies[label]!, 0);
    expect(row.accuracy).toBeCloseTo(hits / (5 * seen.length), 6);
    row.stepAccuracies.forEach((accuracy, j) => {
      const own = steps[j]!.map((label) => row.classAccuracies[label]!);
      expect(accuracy).toBeCloseTo((own[0]! + own[1]!) / 2, 6);
    });
  });
});

/** Sets with the whole set's labels put together by hand, class after class. */
function together(memories: readonly { set: StoredSet; labels: readonly number[] }[]): StoredSet {
  const size = sizeOf(splits.train.imageShape);
  const images = memories.flatMap(({ set, labels }) =>
    Array.from(set.labels, (label, i) => ({
      label: labels[label]!,
      pixels: set.images.subarray(i * size, (i + 1) * size),
    })),
  );
  images.sort((a, b) => a.label - b.label);
  return {
    ...memories[0]!.set,
    images: Float32Array.from(images.flatMap(({ pixels }) => [...pixels])),
    labels: Int32Array.from(images, ({ label }) => label),
  };
}

/** Evaluated in memory, by the library's functions. */
function evaluated(set: StoredSet, test: Dataset, networks: number): number[] {
  const { imageShape, classNames } = splits.train;
  const network = networkOf(random().network, { imageShape, classes: classNames.length });
  const synthetic = { ...set, classNames, network };
  const result = evaluationOf(synthetic, test, { engine, protocol: "quick", networks }).finish();
  return result.networks.map(({ accuracy }) => accuracy);
}

test("accuracy after a step is that of a network with an output for every class, by another road", () => {
  const seen = new Set([...steps[0]!, ...steps[1]!]);
  const positions = [...splits.test.labels.keys()].filter((i) => seen.has(splits.test.labels[i]!));
  const set = together([memoryOf("dm", 0), memoryOf("dm", 1)]);
  const [accuracy] = evaluated(set, subset(splits.test, positions), 1);
  expect(rowOf(shared, "dm", "order-4/step-1/0").accuracy).toBeCloseTo(accuracy!, 6);
});

test("a single step is the ordinary evaluation of the whole set", async () => {
  const results = newFolder();
  const given = { results, steps: 1, orders: [3], count: 2 };
  const { results: all } = await run([dm()], given);
  const place = join(results, "continual", "dm", "steps-1", "runs", "dm_order-3_step-0", "seed-3");
  const [labels] = classSteps(6, { steps: 1, seed: 3 }) as [number[]];
  const [one, two] = evaluated(together([{ set: readArtifact(readRun(place)), labels }]), splits.test, 2) as [
    number,
    number,
  ];
  expect(all[0]!.accuracies[0]!.mean).toBeCloseTo((one + two) / 2, 6);
  expect(all[0]!.final.count).toBe(2);
  expect(all[0]!.forgetting.mean).toBeNaN();
});

test("results have means over orders and networks, and are read as they were written", () => {
  const [first, second] = written.results;
  expect([first!.method, second!.method]).toEqual(["dm", "random"]);
  expect(continualResults(shared)).toEqual(written.results);
  const rows = [0, 4].map((order) => rowOf(shared, "dm", `order-${order}/step-2/0`));
  expect(first!.final.mean).toBeCloseTo((rows[0]!.accuracy + rows[1]!.accuracy) / 2, 6);
  expect(first!.final.std).toBeCloseTo(Math.abs(rows[0]!.accuracy - rows[1]!.accuracy) / 2, 6);
  expect(first!.orders[1]).toEqual({ seed: 4, steps });
  expect(first!.classesSeen).toEqual([2, 4, 6]);
});

test("a line of continual.csv is a network", () => {
  const lines = readFileSync(join(folder, "continual.csv"), "utf8").trim().split("\n");
  expect(lines).toHaveLength(1 + 2 * 3);
  expect(lines[0]).toMatch(/^experiment,method,dataset,/);
  expect(lines[1]).toMatch(/^dm,dm,procedural,1,2,3,0,0,2,quick,1,convNet-d1-w4-relu-instance-avg,0,4,/);
});

test("methods are drawn side by side, in the command's table and figures and in the report's", async () => {
  const names = ["random", "dm"].map((method) => `continual-steps-procedural-ipc2-steps3-${method}`);
  const figures = ["continual-procedural-ipc2-steps3", ...names];
  const kinds = figures.flatMap((id) => [`figures/${id}.svg`, `figures/${id}.png`]);
  const tables = [
    "continual.md",
    "continual-procedural-ipc2-steps3.csv",
    "continual-procedural-ipc2-steps3.tex",
  ];
  const files = [...kinds, ...tables.map((name) => `tables/${name}`)].map((file) => join(shared, file));
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
  const before = files.map((file) => readFileSync(file));
  expect(written.table).toMatch(/\| random \|.*\n\| dm \|/);
  expect(written.table).toContain("over 2 networks: 1 for each of 2 orders of the classes.");
  expect(written.paths).toContain(join(shared, "figures", "continual-procedural-ipc2-steps3.svg"));

  files.forEach((file) => rmSync(file));
  const { page } = await writeReport(shared);
  expect(files.map((file) => readFileSync(file))).toEqual(before);
  const text = readFileSync(page, "utf8");
  expect(text).toContain("Continual learning");
  expect(text).not.toContain("Waiting for the first run");
});

const withoutTimes = (results: string): string =>
  ["continual.csv", "continual.json"]
    .map((file) => readFileSync(join(results, "continual", "dm", "steps-3", file), "utf8"))
    .join("\n")
    .replace(/,[\d.]+,(torch|tfjs)[^,]*,[^,]*,/g, ",")
    .replace(/"seconds": \{[^}]*\}/g, "");

test("what was interrupted goes on to the same rows, and what is there is not made again", async () => {
  const results = newFolder();
  await run([dm()], { results, orders: [0] });
  const place = join(results, "continual", "dm", "steps-3");
  rmSync(join(place, "runs", "dm_order-0_step-1"), { recursive: true });
  const network = join(place, "networks", "quick", "convNet-d1-w4-relu-instance-avg", "order-0");
  rmSync(join(network, "step-2"), { recursive: true });
  const kept = join(network, "step-0", "0.json");
  const before = statSync(kept).mtimeMs;
  await run([dm()], { results });
  expect(withoutTimes(results)).toBe(withoutTimes(shared));
  expect(statSync(kept).mtimeMs).toBe(before);

  await run([dm()], { results, orders: [0], force: true });
  expect(statSync(kept).mtimeMs).toBeGreaterThan(before);
});

test("processes that do the same share the work, and all have the result", async () => {
  const results = newFolder();
  const [one, other] = await Promise.all([run([dm()], { results }), run([dm()], { results })]);
  expect(one.table).toBe(other.table);
  expect(withoutTimes(results)).toBe(withoutTimes(shared));
});

test("networks are trained again where a memory is another one", async () => {
  const results = newFolder();
  await run([dm()], { results, orders: [0] });
  const before = rowOf(results, "dm", "order-0/step-0/0").memorySha256;
  await expect(run([dm("steps=3")], { results, orders: [0] })).rejects.toThrow(
    /holds a run of other options \(steps: 2 there, 3 here\)/,
  );
  await run([dm("steps=3")], { results, orders: [0], force: true });
  expect(rowOf(results, "dm", "order-0/step-0/0").memorySha256).not.toBe(before);
});

test("networks learn by soft labels and the mean of the rates that were learned with the memories", async () => {
  const results = newFolder();
  const objective = {
    name: "datm",
    studentSteps: 2,
    expertEpochs: 1,
    startEpochs: { min: 0, max: 1 },
    experts: { count: 1, epochs: 3 },
    stepSize: { initial: 0.02, learningRate: 1e-4 },
  };
  const learned = resolveExperiment("learned", { ...config, objective, steps: 2 });
  await run([learned], { results, orders: [1] });
  const rates = [0, 1].map((step) => {
    const path = ["continual", "learned", "steps-3", "runs", `learned_order-1_step-${step}`, "seed-1"];
    const { learningRate, softLabels } = readArtifact(readRun(join(results, ...path)));
    expect(softLabels).toHaveLength(4 * 2);
    return learningRate!;
  });
  const after = [0, 1].map((step) => rowOf(results, "learned", `order-1/step-${step}/0`).learningRate);
  expect(after[0]).toBeCloseTo(rates[0]!, 6);
  expect(after[1]).toBeCloseTo(Math.sqrt(rates[0]! * rates[1]!), 6);
  expect(readdirSync(join(results, "prepared")).filter((name) => name.startsWith("experts"))).toHaveLength(3);
});

test("of mosaics, networks are trained on the cells", async () => {
  const results = newFolder();
  await run([random("partition.factor=2", "imagesPerClass=1")], { results, orders: [0] });
  const row = rowOf(results, "random", "order-0/step-1/0");
  expect([row.trainingImages, row.classesSeen]).toEqual([16, 4]);
});

test("a config that keeps some classes is learned step by step over these", async () => {
  const results = newFolder();
  await run([random("data.onlyLabels=[5,0,3,1]")], { results, orders: [2], steps: 2 });
  const [, second] = classSteps(4, { steps: 2, seed: 2 });
  const path = ["continual", "random", "steps-2", "runs", "random_order-2_step-1", "seed-2"];
  const { data } = readRun(join(results, ...path)).experiment;
  expect(data.onlyLabels).toEqual(second!.map((label) => [5, 0, 3, 1][label]));
  expect(continualResults(results)[0]!.dataset).toBe("procedural (5, 0, 3, 1)");
});

describe("what cannot be learned step by step", () => {
  test.each<[string, readonly Experiment[], Partial<ContinualOptions>, RegExp]>([
    ["whitened images", [random("zca=true")], {}, /random\.zca: expected false .* zca=false/],
    [
      "a pool of all classes",
      [random("pool={name: sets, paths: [x]}")],
      {},
      /random\.pool: expected none, or aug/,
    ],
    ["steps that leave classes over", [random()], { steps: 4 }, /steps: .* 6 classes .* 1, 2, 3; got 4/],
    ["one class a step", [random()], { steps: 6 }, /two classes or more: 1, 2, 3; got 6/],
    ["a config twice", [random(), random()], {}, /random: expected configs of different names/],
    ["an order twice", [random()], { orders: [1, 1] }, /--orders: expected each order once/],
    ["no order", [random()], { orders: [] }, /--orders: .* got none/],
    ["no network", [random()], { count: 0 }, /--count: expected a whole number >= 1/],
  ])("%s", async (_, experiments, given, message) => {
    await expect(run(experiments, { results: newFolder(), ...given })).rejects.toThrow(message);
  });

  test("a result that is damaged is named, and a report shows the others", async () => {
    const results = newFolder();
    const place = join(results, "continual", "dm", "steps-2");
    expect(continualResults(results)).toEqual([]);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "continual.json"), "{}");
    expect(() => continualResults(results)).toThrow(/continual\.json: expected what class-incremental/);
    cpSync(folder, join(results, "continual", "other", "steps-3"), { recursive: true });
    const page = readFileSync((await writeReport(results)).page, "utf8");
    expect(page).toContain("continual.json: expected what class-incremental");
    expect(page).toContain("Continual learning");
  });
});

/** What a command line says on standard error. */
async function refusal(...argv: readonly string[]): Promise<string> {
  const write = jest.spyOn(process.stderr, "write").mockReturnValue(true);
  await main(argv);
  const said = write.mock.calls.map(([text]) => text as string).join("");
  write.mockRestore();
  return said;
}

describe("the command line", () => {
  test("takes configs and overrides for all of them, and prints the table", async () => {
    const results = newFolder();
    const path = join(results, "tiny.yaml");
    writeFileSync(path, JSON.stringify(config));
    const print = jest.spyOn(process.stdout, "write").mockReturnValue(true);
    const rest = ["imagesPerClass=1", "--steps", "2", "--orders", "0..1", "--count", "1"];
    await main(["continual", path, ...rest, "--results", results, "--threads", "1"]);
    const said = print.mock.calls.map(([text]) => text as string).join("");
    print.mockRestore();
    expect(process.exitCode).toBeUndefined();
    expect(said).toMatch(/\| random \| \d+\.\d ± \d+\.\d \|/);
    expect(said).toContain("1 image per class, 2 steps of 3 classes");
    expect(said).toContain(join(results, "continual", "tiny", "steps-2"));
    expect(existsSync(join(results, "continual", "tiny", "steps-2", "continual.csv"))).toBe(true);
  });

  test("says what is wrong", async () => {
    expect(await refusal("continual", "dm-mnist", "--orders", "4..1")).toBe(
      "--orders: expected seeds, as in 0..4 or 0,2, got 4..1\n",
    );
    expect(await refusal("continual", "steps=3")).toBe(
      "continual: expected at least one config, got overrides alone\n",
    );
    expect(await refusal("continual", "dm-mnist", "dm-cifar10", "--name", "x")).toMatch(
      /^--name: expected one config to name, got 2/,
    );
  });
});
