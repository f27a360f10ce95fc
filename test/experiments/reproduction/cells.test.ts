import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { distillExperiment } from "../../../experiments/commands/distill.ts";
import { resolveExperiment } from "../../../experiments/config.ts";
import { readPublished } from "../../../experiments/published.ts";
import { cellOf, experimentOf, obstacle, readCells } from "../../../experiments/reproduction/cells.ts";
import { isDone } from "../../../experiments/runFolder.ts";
import { methodName } from "../../../experiments/setting.ts";
import { selectEngine } from "../../../src/engines/index.ts";
import { networkOf } from "../../../src/networks/index.ts";
import { number } from "./numbers.ts";

const published = readPublished();
const cells = readCells({ published });
const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

test("there is a cell for each file of configs/published/", () => {
  const files = new Set([...cells.values()].map(({ file }) => file));
  expect(files.size).toBe(readdirSync("configs/published").length);
});

test("what there is of methods and data has a cell for each accuracy that is published of it", () => {
  const usual = published.filter(
    ({ variant, cell, plugins }) => variant === "" && plugins === "" && !cell.includes("-on-"),
  );
  const waiting = usual.filter((one) => !cells.has(one.cell) && obstacle(one).includes("a config in"));
  expect(waiting.map(({ cell }) => cell)).toEqual([]);
});

describe.each([...cells.values()].map((cell) => [cell.name, cell] as const))("%s", (_, cell) => {
  test("is the setting that is published under this name", () => {
    const experiment = experimentOf(cell, [], false);
    // Names do not depend on the task; these images are large enough for any depth.
    const task = { imageShape: [256, 256, 3], classes: 10 } as const;
    const matching = networkOf(experiment.network, task).name;
    const judging = networkOf(experiment.evaluation.network ?? experiment.network, task).name;
    for (const one of cell.published) {
      expect(experiment.data.name).toBe(one.dataset);
      expect(experiment.data.imbalance).toBe(one.imbalance);
      expect(experiment.imagesPerClass).toBe(one.imagesPerClass);
      expect(methodName(experiment)).toBe(one.method);
      expect(experiment.plugins.map(({ name }) => name).join(" ")).toBe(one.plugins);
      if (one.network !== "") expect(matching).toBe(one.network);
      if (one.evaluationNetwork !== "") expect(judging).toBe(one.evaluationNetwork);
    }
  });

  test("is evaluated as published where that is stated", () => {
    const { protocol } = experimentOf(cell, [], false).evaluation;
    const stated = cell.published.map((one) => one.protocol).filter((name) => name !== "");
    for (const name of stated) expect(protocol).toBe(name);
  });

  test("has a quick form that is smaller, and named apart", () => {
    const [full, quick] = [false, true].map((small) => experimentOf(cell, [], small)) as [never, never];
    const size = ({ steps, imagesPerClass, seeds, evaluation }: ReturnType<typeof experimentOf>) =>
      (steps + 1) * imagesPerClass * seeds.length * evaluation.networks;
    expect(size(quick)).toBeLessThan(size(full) / 10);
    const run = cell.name.replace(/-on-.*$/, ""); // cells that judge one set by other networks share its run
    expect(quick).toMatchObject({ name: `${run}-quick`, evaluation: { protocol: "quick" } });
  });
});

test.each([
  "dm-cifar10-ipc10",
  "dm-mnist-ipc1",
  "random-cifar100-ipc10",
  "dc-mnist-ipc10",
  "dsac+sdc-svhn-ipc10",
])("%s runs two steps on a toy", async (name) => {
  const { name: runName, ...options } = experimentOf(cells.get(name)!, [], true);
  const toy = { name: "procedural", trainPerClass: 6, testPerClass: 2 };
  const small = ["network.width=4", "imagesPerClass=2", `steps=${Math.min(2, options.steps)}`];
  // There are no published loops for 2 images per class.
  if ("networkTraining" in (options.objective ?? {})) small.push("objective.outerLoop=2");
  const experiment = resolveExperiment(runName, { ...options, data: toy }, small);
  const results = mkdtempSync(join(tmpdir(), "distillery-cells-"));
  const [run] = await distillExperiment(experiment, engine, { results, force: false });
  expect(isDone(run!)).toBe(true);
});

describe("overrides", () => {
  const cell = cells.get("dm-cifar10-ipc100")!;

  test("come after the cell's own, which come after the file's", () => {
    const given = ["data.root=DIR", "seeds=[3]", "evaluation.networks=2"];
    expect(experimentOf(cell, given, false)).toMatchObject({
      data: { root: "DIR" },
      optimizer: { name: "sgd", learningRate: 10, momentum: 0.5 },
      evaluation: { protocol: "dm-1000", networks: 2 },
      seeds: [3],
    });
  });

  test("that would make it another experiment are refused", () => {
    expect(() => experimentOf(cell, ["seeds=[0]", "steps=5"], false)).toThrow(
      /^reproduce dm-cifar10-ipc100: expected overrides of data.root, .*, got steps=5; anything else is another/,
    );
  });

  test("of a quick run may change anything", () => {
    expect(experimentOf(cell, ["steps=5"], true).steps).toBe(5);
  });
});

describe("a name", () => {
  test("that is none is answered with the nearest", () => {
    expect(() => cellOf("dm-cifar-ipc10", cells, published)).toThrow(
      /expected a cell of results\/published.csv, got "dm-cifar-ipc10"; did you mean .*dm-cifar10-ipc10/,
    );
    expect(() => cellOf("cifar10-ipc50", cells, published)).toThrow(/did you mean random-cifar10-ipc50, dm-/);
  });

  test("of a method or data set that is not there yet says so", () => {
    const toy = (change: Parameters<typeof number>[0]): string => obstacle(number(change));
    expect(toy({ method: "future" })).toBe("waits for the method future");
    expect(toy({ dataset: "future" })).toBe("waits for the data set future");
    expect(toy({ method: "a", dataset: "b" })).toBe("waits for the method a and the data set b");
    expect(toy({})).toBe("waits for a config in configs/published/");
    expect(toy({ metric: "finalAccuracy" })).toBe("is no accuracy but finalAccuracy");
    expect(toy({ method: "whole" })).toMatch(/nothing is distilled/);
    expect(toy({ imagesPerClass: undefined })).toMatch(/does not say how many/);
    expect(() => cellOf("lad-imageNetLt-lt5-ipc10", cells, published)).toThrow(
      /lad-imageNetLt-lt5-ipc10 waits for the data set imageNetLt; distillery reproduce --list/,
    );
  });
});

describe("a file of configs/published/", () => {
  const numbers = [number({ cell: "dm-toy-ipc10" }), number({ cell: "dm-toy-ipc10-on-resNet18" })];
  function read(...texts: string[]): ReturnType<typeof readCells> {
    const configs = join(mkdtempSync(join(tmpdir(), "distillery-published-")), "configs");
    mkdirSync(configs);
    texts.forEach((text, i) => {
      writeFileSync(join(configs, `file${i}.yaml`), text);
    });
    return readCells({ published: numbers, configs });
  }
  const experiment = "experiment: { objective: dm, steps: 3 }\n";

  test("of a new method needs no other change", () => {
    const read2 = read(`${experiment}cells:\n  dm-toy-ipc10: { objective.realBatch: 8 }\n`);
    expect(experimentOf(read2.get("dm-toy-ipc10")!, [], false)).toMatchObject({
      name: "dm-toy-ipc10",
      data: { name: "cifar10", imbalance: 1 },
      imagesPerClass: 10,
      objective: { name: "dm", realBatch: 8 },
    });
  });

  test("can judge the runs of one cell by another network", () => {
    const both = read(
      `${experiment}cells:\n  dm-toy-ipc10:\n  dm-toy-ipc10-on-resNet18: { evaluation.network: { name: convNet, depth: 2 } }\n`,
    );
    const [own, other] = [...both.values()].map((cell) => experimentOf(cell, [], false));
    expect(other!.name).toBe(own!.name);
    expect(other!.evaluation.network).toMatchObject({ depth: 2 });
  });

  test("can have a cell that is like another but for some changes", () => {
    const { own } = read(
      `${experiment}cells:\n  dm-toy-ipc10: { steps: 7, objective.realBatch: 8 }\n` +
        "  dm-toy-ipc10-on-resNet18: { like: dm-toy-ipc10, steps: 9 }\n",
    ).get("dm-toy-ipc10-on-resNet18")!;
    expect(own).toEqual(["steps=9", "objective.realBatch=8"]);
  });

  test.each([
    [
      "a cell like none",
      `${experiment}cells:\n  dm-toy-ipc10: { like: dm }\n`,
      /file0.yaml: cells: dm-toy-ipc10.like: expected another cell of this file that is like none, got "dm"/,
    ],
    ["an unknown key", `${experiment}cell: {}\ncells: {}\n`, /file0.yaml: .*Unrecognized key: "cell"/],
    ["no experiment", "cells: {}\n", /file0.yaml: .*experiment/s],
    [
      "a cell without a number",
      `${experiment}cells: { dm-toy-ipc1: }\n`,
      /file0.yaml: cells: expected a cell .*, got "dm-toy-ipc1"; did you mean dm-toy-ipc10/,
    ],
  ])("with %s is refused", (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test("that claims a cell of another is refused", () => {
    const text = `${experiment}cells: { dm-toy-ipc10: }\n`;
    expect(() => read(text, text)).toThrow(
      /file1.yaml: cells: dm-toy-ipc10 is already a cell of .*file0.yaml/,
    );
  });
});
