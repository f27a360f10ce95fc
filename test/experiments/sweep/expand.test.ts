import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { stringify } from "yaml";
import { resolveExperiment, withOption } from "../../../experiments/config.ts";
import { readSweep, type Sweep } from "../../../experiments/sweep/expand.ts";
import { InputError } from "../../../src/core/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "distillery-sweep-"));
const path = join(folder, "study.yaml");

function read(content: object | string, overrides: readonly string[] = []): Sweep {
  writeFileSync(path, typeof content === "string" ? content : stringify(content));
  return readSweep(path, overrides);
}

const config = { data: "procedural", objective: { name: "dm", realBatch: 64 }, steps: 30 };
const method = {
  random: { objective: null, steps: 0 },
  dm: { objective: "dm" },
  csdm: { objective: { name: "csdm", frequencies: 256 } },
};
const study = {
  config,
  grid: { method, "data.imbalance": [1, 10, 50] },
  exclude: [{ method: "random", "data.imbalance": 10 }],
  seeds: "0..4",
};
const namesIn = (sweep: Sweep): string[] => sweep.cells.map(({ experiment }) => experiment.name);

test("a grid becomes experiments named by what differs, in order, without what is excluded", () => {
  const sweep = read(study);
  expect(sweep.name).toBe("study");
  expect(namesIn(sweep)).toEqual([
    "random_imbalance-1",
    "random_imbalance-50",
    "dm_imbalance-1",
    "dm_imbalance-10",
    "dm_imbalance-50",
    "csdm_imbalance-1",
    "csdm_imbalance-10",
    "csdm_imbalance-50",
  ]);
  const { experiment, labels } = sweep.cells.at(-1)!;
  expect(labels).toEqual({ method: "csdm", "data.imbalance": "50" });
  expect(experiment).toMatchObject({
    data: { name: "procedural", imbalance: 50 },
    objective: { name: "csdm", frequencies: 256, realBatch: 256 },
    steps: 30,
    seeds: [0, 1, 2, 3, 4],
  });
  expect(sweep.cells[0]!.experiment.objective).toBeUndefined();
});

test("a base lies relative to the sweep, and config goes over it without forgetting what it says", () => {
  writeFileSync(join(folder, "base.yaml"), stringify({ ...config, seeds: [7] }));
  const { cells } = read({
    base: "./base.yaml",
    config: { data: { imbalance: 5 }, evaluation: { networks: 1 } },
    grid: { imagesPerClass: [1, 2] },
  });
  expect(cells.map(({ experiment }) => experiment)).toMatchObject(
    [1, 2].map((imagesPerClass) => ({
      data: { name: "procedural", imbalance: 5 },
      objective: { name: "dm", realBatch: 64 },
      evaluation: { networks: 1, protocol: "dm-1000" },
      imagesPerClass,
      seeds: [7],
    })),
  );
});

test("a base is found by its whole path too", () => {
  const base = join(folder, "whole.yaml");
  writeFileSync(base, stringify({ ...config, steps: 12 }));
  const [cell] = read({ base, grid: { imagesPerClass: [1] } }).cells;
  expect(cell!.experiment.steps).toBe(12);
});

test("names take as much of an option's path as tells it from the others, and values of any form", () => {
  const names = namesIn(
    read({
      config: { ...config, objective: "csdm" },
      grid: {
        "objective.kernel.name": ["matern32"],
        "objective.kernel.scale": [0.5],
        "objective.bandwidth.factor": [2, null],
        "evaluation.network": [{ name: "convNet", depth: 2 }],
        "network.depth": [2],
        plugins: [[], [{ name: "difficultyCorrection", weight: 0.1 }]],
      },
    }),
  );
  expect(names).toEqual([
    "kernel-matern32_scale-0.5_factor-2_evaluation.network-convNet-depth-2_depth-2_plugins-none",
    "kernel-matern32_scale-0.5_factor-2_evaluation.network-convNet-depth-2_depth-2_plugins-difficultyCorrection-weight-0.1",
    "kernel-matern32_scale-0.5_factor-default_evaluation.network-convNet-depth-2_depth-2_plugins-none",
    "kernel-matern32_scale-0.5_factor-default_evaluation.network-convNet-depth-2_depth-2_plugins-difficultyCorrection-weight-0.1",
  ]);
});

test("overrides hold for every cell; of an axis they choose its values, and names stay", () => {
  const part = read(study, [
    "steps=7",
    "data.trainPerClass=8",
    "method=[dm, random]",
    "data.imbalance=10",
    "seeds=3",
  ]);
  expect(namesIn(part)).toEqual(["dm_imbalance-10"]);
  expect(part.cells[0]!.experiment).toMatchObject({ steps: 7, data: { trainPerClass: 8 }, seeds: [3] });
  const more = read(study, ["data.imbalance=[1, 50, 200]", "method=dm"]);
  expect(namesIn(more)).toEqual(["dm_imbalance-1", "dm_imbalance-50", "dm_imbalance-200"]);
});

/** An axis of an option, or of cases that set two options together. */
const axes = fc.record({
  imagesPerClass: fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 3 }),
  "data.imbalance": fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 3 }),
  size: fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 3 }),
});

test("cells are the product of the axes without the excluded ones, each the config with its own options set", () => {
  fc.assert(
    fc.property(axes, fc.integer({ min: 0, max: 2 }), ({ size, ...lists }, out) => {
      const cases = Object.fromEntries(
        size.map((s) => [`w${s}`, { network: { width: s }, checkpointEvery: s }]),
      );
      const excluded = lists.imagesPerClass.slice(0, Math.min(out, lists.imagesPerClass.length - 1));
      const { cells } = read({
        config,
        grid: { ...lists, size: cases },
        exclude: excluded.map((imagesPerClass) => ({ imagesPerClass })),
      });
      const whole = [lists.imagesPerClass, lists["data.imbalance"], size].map(({ length }) => length);
      const left = [lists.imagesPerClass.length - excluded.length, whole[1]!, whole[2]!];
      expect(cells).toHaveLength(left.reduce((a, b) => a * b));
      expect(new Set(cells.map(({ experiment }) => experiment.name)).size).toBe(cells.length);
      for (const { experiment, labels } of cells) {
        const width = Number(labels.size!.slice(1));
        const options = [
          ["imagesPerClass", Number(labels.imagesPerClass)],
          ["data.imbalance", Number(labels["data.imbalance"])],
          ["network.width", width],
          ["checkpointEvery", width],
        ] as const;
        const own = options.reduce<unknown>((tree, [at, value]) => withOption(tree, at, value), config);
        expect(experiment).toEqual(resolveExperiment(experiment.name, own));
      }
    }),
    { seed: 5, numRuns: 40 },
  );
});

test("a cell's name does not change when an axis gets more values", () => {
  const few = namesIn(read({ config, grid: { "data.imbalance": [10], "optimizer.learningRate": [1] } }));
  const many = namesIn(
    read({ config, grid: { "data.imbalance": [1, 10], "optimizer.learningRate": [1, 2] } }),
  );
  expect(few).toEqual(["imbalance-10_learningRate-1"]);
  expect(many).toContain(few[0]);
});

describe("what is wrong is said with its place and what to do", () => {
  const grid = { steps: [1, 2] };
  test.each<[string, object | string, readonly string[], string]>([
    ["an unknown key", { config, gird: grid, grid }, [], `${path}: gird: unknown option; did you mean grid?`],
    ["no grid", { config }, [], `${path}: grid: expected record, got nothing`],
    [
      "a grid of nothing",
      { config, grid: {} },
      [],
      `${path}: grid: expected at least one axis, as in data.imbalance: [1, 10], got {}`,
    ],
    [
      "an empty axis",
      { config, grid: { steps: [] } },
      [],
      `${path}: grid.steps: expected a list of values, or a map of cases with the options of each, got []`,
    ],
    [
      "an axis with one bare value",
      { config, grid: { steps: 5 } },
      [],
      `${path}: grid.steps: expected a list of values, or a map of cases with the options of each, got 5`,
    ],
    [
      "an axis that is no option",
      { config, grid: { "data.imbalanc": [1] } },
      [],
      `${path}, cell imbalanc-1: data.imbalanc: unknown option; did you mean imbalance?`,
    ],
    [
      "an option that only some methods have",
      { config, grid: { "objective.name": ["csdm", "dm"], "objective.kernel": ["matern32"] } },
      [],
      `${path}, cell objective-dm_kernel-matern32: objective.kernel: unknown option; expected one of realBatch, precision, networks, terms, name. If only some cells have objective.kernel, leave the others out with \`exclude\`, or set it in labelled cases`,
    ],
    [
      "an option inside a case that is none",
      { config, grid: { size: { small: { network: { widht: 3 } } } } },
      [],
      `${path}, cell small: network.widht: unknown option; did you mean width?`,
    ],
    [
      "a value out of range",
      { config, grid: { imagesPerClass: [0] } },
      [],
      `${path}, cell imagesPerClass-0: imagesPerClass: Too small: expected number to be >=1, got 0`,
    ],
    [
      "a case without options",
      { config, grid: { size: { small: 3 } } },
      [],
      `${path}: grid.size.small: expected options, as in { objective: dm, steps: 100 }, got 3`,
    ],
    [
      "a label that is no folder's name",
      { config, grid: { size: { "a/b": {} } } },
      [],
      `${path}: grid.size.a/b: expected a label of letters, digits and any of . + - _, since it names folders`,
    ],
    [
      "a value twice",
      { config, grid: { steps: [1, 1] } },
      [],
      `${path}: grid.steps: expected values that can be told apart, got 1 twice; make it a map, with a label for each`,
    ],
    [
      "seeds as an axis",
      { config, grid: { seeds: [[0], [1]] } },
      [],
      `${path}: grid.seeds: expected options other than seeds; every cell runs at all of \`seeds\``,
    ],
    [
      "two cells of one config",
      { config, grid: { size: { a: {}, b: { steps: 30 } } } },
      [],
      `${path}: expected cells that differ, but size=a and size=b come to the same config; give their values labels, or leave one out with \`exclude\``,
    ],
    [
      "two cells of one name",
      { config, grid: { size: { a: { steps: 1 }, A: { steps: 2 } } } },
      [],
      `${path}: expected cells that differ, but size=a and size=A come to the same name; give their values labels, or leave one out with \`exclude\``,
    ],
    [
      "an excluded axis that is none",
      { config, grid, exclude: [{ step: 1 }] },
      [],
      `${path}: exclude.0.step: expected an axis of the grid; did you mean steps?`,
    ],
    [
      "an excluded value that is none",
      { config, grid, exclude: [{ steps: 3 }] },
      [],
      `${path}: exclude.0.steps: expected one of 1, 2, got 3`,
    ],
    [
      "everything excluded",
      { config, grid, exclude: [{ steps: [1, 2] }] },
      [],
      `${path}: expected cells to be left by \`exclude\`, got none`,
    ],
    [
      "a range of seeds backwards",
      { config, grid, seeds: "4..0" },
      [],
      `${path}: seeds: expected seeds, as in 0..4 or [0, 2], got "4..0"`,
    ],
    [
      "a case that there is none of",
      study,
      ["method=dmm"],
      'override method: expected one of random, dm, csdm, got "dmm"',
    ],
    [
      "an override that the grid would undo",
      study,
      ["objective.realBatch=8"],
      "override objective.realBatch: expected an option that the grid leaves open, but every case of method sets it; change it in the file",
    ],
  ])("%s", (_, content, overrides, message) => {
    expect(() => read(content, overrides)).toThrow(new InputError(message));
  });

  test("a key twice, with line and column", () => {
    expect(() => read("grid:\n  steps: [1]\n  steps: [2]\n")).toThrow(
      /study\.yaml:3:3: Map keys must be unique/,
    );
  });

  test("a base that is not there", () => {
    expect(() => read({ base: "none.yaml", grid })).toThrow(/none\.yaml: expected a config file, found none/);
  });
});
