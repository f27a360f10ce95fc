import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { InputError } from "../../src/core/errors.ts";
import { type Experiment, readExperiment, resolveExperiment } from "../../experiments/config.ts";

const folder = mkdtempSync(join(tmpdir(), "distillery-config-"));
const base = { data: "procedural", objective: "dm", steps: 3 };

function fromText(text: string, overrides: readonly string[] = []): Experiment {
  const path = join(folder, "some-experiment.yaml");
  writeFileSync(path, text);
  return readExperiment(path, overrides);
}

test("a config states what differs; all else has a default", () => {
  const experiment = fromText("data: procedural\nobjective: dm\nsteps: 3\n");
  expect(experiment).toMatchObject({
    name: "some-experiment",
    data: { name: "procedural", imbalance: 1 },
    imagesPerClass: 10,
    network: { name: "convNet", depth: 3, width: 128, norm: "instance" },
    objective: { name: "dm", realBatch: 256 },
    optimizer: { name: "sgd", learningRate: 1, momentum: 0.5, weightDecay: 0 },
    evaluation: { protocol: "dm-1000", networks: 5 },
    seeds: [0],
  });
});

test("a config that comes along has its name wherever the program is started, and a file of the name comes first", () => {
  const shipped = readExperiment("configs/dm-mnist.yaml");
  const here = process.cwd();
  process.chdir(folder);
  try {
    expect(readExperiment("dm-mnist")).toEqual(shipped);
    expect(readExperiment("configs/dm-mnist.yaml")).toEqual(shipped);
    writeFileSync("dm-mnist", "data: procedural\nobjective: dm\nsteps: 3\n");
    expect(readExperiment("dm-mnist").data.name).toBe("procedural");
  } finally {
    process.chdir(here);
  }
});

test("overrides come after the file and keep their type", () => {
  const overrides = [
    "data.root=/some/where",
    "network.width=64",
    "seeds=[1, 2]",
    "objective.realBatch=8",
    "steps=7",
  ];
  const experiment = resolveExperiment("x", base, overrides);
  expect(experiment).toMatchObject({
    data: { name: "procedural", root: "/some/where" },
    network: { name: "convNet", width: 64 },
    objective: { name: "dm", realBatch: 8 },
    seeds: [1, 2],
    steps: 7,
  });
});

test("options of the optimizer complete the default one", () => {
  const { optimizer } = resolveExperiment("x", base, ["optimizer.learningRate=0.2"]);
  expect(optimizer).toMatchObject({ name: "sgd", learningRate: 0.2, momentum: 0.5 });
});

test("a plugin is reached by its place in the list", () => {
  const config = { ...base, plugins: [{ name: "difficultyCorrection", weight: 0.1 }] };
  const { plugins } = resolveExperiment("x", config, ["plugins.0.weight=0.5"]);
  expect(plugins).toMatchObject([{ name: "difficultyCorrection", weight: 0.5, norm: "l2" }]);
});

describe("what is wrong is said with its place and what to do", () => {
  test.each([
    ["an unknown key", { ...base, step: 4 }, [], "x: step: unknown option; did you mean steps?"],
    [
      "an unknown key inside a choice",
      { ...base, objective: { name: "csdm", frequencis: 8 } },
      [],
      "x: objective.frequencis: unknown option; did you mean frequencies?",
    ],
    [
      "an option of another method",
      { ...base, objective: { name: "dm", frequencies: 8 } },
      [],
      "x: objective.frequencies: unknown option; expected one of realBatch, precision, networks, terms, name",
    ],
    [
      "an unknown method",
      { ...base, objective: "cdsm" },
      [],
      'x: objective.name: unknown name "cdsm"; did you mean csdm?',
    ],
    ["a wrong type", base, ["steps=many"], 'x: steps: expected number, got "many"'],
    [
      "a value out of range",
      base,
      ["imagesPerClass=0"],
      "x: imagesPerClass: Too small: expected number to be >=1, got 0",
    ],
    ["a missing key", { data: "procedural", objective: "dm" }, [], "x: steps: expected number, got nothing"],
    [
      "an override without a value",
      base,
      ["steps"],
      'override: expected key=value, as in data.root=DIR, got "steps"',
    ],
    [
      "an override of nothing known",
      base,
      ["network.witdh=3"],
      "x: network.witdh: unknown option; did you mean width?",
    ],
  ])("%s", (_, config, overrides, message) => {
    expect(() => resolveExperiment("x", config, overrides)).toThrow(new InputError(message));
  });

  test("a duplicate key, with line and column", () => {
    expect(() => fromText("data: procedural\nsteps: 1\nsteps: 2\n")).toThrow(
      /some-experiment\.yaml:3:1: Map keys must be unique/,
    );
  });

  test("a file that is not there", () => {
    expect(() => readExperiment(join(folder, "none.yaml"))).toThrow(
      /none\.yaml: expected a config file, found none; these come along: .*dm-mnist/,
    );
    expect(() => readExperiment("dm-mnisst")).toThrow(/did you mean dm-mnist\?/);
  });
});

test("null takes an option back to its default, wherever it is set", () => {
  const config = {
    ...base,
    objective: { name: "dm", realBatch: 8 },
    plugins: [{ name: "difficultyCorrection" }],
  };
  const { objective, plugins, network } = resolveExperiment("x", config, [
    "objective.realBatch=null",
    "plugins.0=null",
    "network.width=null",
    "evaluation.network=null",
  ]);
  expect(objective).toEqual(resolveExperiment("x", base).objective);
  expect(plugins).toEqual([]);
  expect(network).toMatchObject({ width: 128 });
  const random = resolveExperiment("x", config, ["objective=null", "steps=0", "plugins=null"]);
  expect(random.objective).toBeUndefined();
  const inner = resolveExperiment("x", base, [
    "objective={ name: csdm, frequencies: null, kernel: matern32 }",
  ]);
  expect(inner.objective).toEqual(
    resolveExperiment("x", { ...base, objective: { name: "csdm", kernel: "matern32" } }).objective,
  );
});

describe("defaults that a method brings", () => {
  const resolved = (config: object) => resolveExperiment("x", { data: "procedural", steps: 1, ...config });

  test("take the place of those of the options", () => {
    expect(resolved({ objective: "dc" })).toMatchObject({
      augmentation: "none",
      initialization: { name: "noise" },
      optimizer: { name: "sgd", learningRate: 0.1, momentum: 0.5 },
    });
    expect(resolved({ objective: { name: "dsa" }, network: "convNet" }).augmentation).toBeUndefined();
    expect(resolved({ objective: "dm" })).toMatchObject({
      initialization: { name: "random" },
      optimizer: { learningRate: 1 },
    });
  });

  test("give way to what a config says", () => {
    const config = { objective: "dcc", initialization: "noise", optimizer: { learningRate: 0.2 } };
    expect(resolved(config)).toMatchObject({
      initialization: { name: "noise" },
      optimizer: { name: "sgd", learningRate: 0.2, momentum: 0.5 },
    });
    expect(resolved({ ...config, optimizer: { name: "sgd" } }).optimizer).toMatchObject({
      learningRate: 0.01,
    });
    expect(resolved({ ...config, optimizer: "adam" }).optimizer).toMatchObject({ name: "adam" });
  });

  test("stay as they are once resolved", () => {
    const { name, ...config } = resolved({ objective: "dc", optimizer: { momentum: 0 } });
    expect(resolveExperiment(name, config)).toEqual({ name, ...config });
  });
});
