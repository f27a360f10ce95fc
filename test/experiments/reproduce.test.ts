import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { configText, listLines, reproduce, writeReproduced } from "../../experiments/commands/reproduce.ts";
import { readExperiment } from "../../experiments/config.ts";
import { type Published, readPublished } from "../../experiments/published.ts";
import { cellOf, experimentOf, readCells } from "../../experiments/reproduction/cells.ts";
import { readRows, rowFromJson, rowJson } from "../../experiments/results.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { number } from "./reproduction/numbers.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const toy = number({
  cell: "dm-procedural-lt2-ipc1",
  dataset: "procedural",
  imbalance: 2,
  imagesPerClass: 1,
  protocol: "quick",
});
const published: readonly Published[] = [
  { ...toy, mean: 0.3, printed: "30.0 ± 1.0", source: "one paper" },
  { ...toy, mean: 0.99, printed: "99.0 ± 1.0", source: "another", evidence: "issue", note: "a note" },
  number({ cell: "future-cifar10-ipc10", method: "future" }),
];
const configs = mkdtempSync(join(tmpdir(), "distillery-cells-"));
writeFileSync(
  join(configs, "dm.yaml"),
  `experiment:
  objective: { name: dm, realBatch: 4 }
  network: { depth: 2, width: 4 }
  steps: 4
  evaluation: { protocol: quick, networks: 2 }
  seeds: [0, 1]
quick: { steps: 2 }
cells:
  dm-procedural-lt2-ipc1: { data.classes: 3, data.trainPerClass: 8, data.testPerClass: 5 }
`,
);
const cells = readCells({ published, configs });
const cell = cellOf("dm-procedural-lt2-ipc1", cells, published);

async function printed(results: string, quick: boolean, given: readonly string[] = []): Promise<string> {
  const lines: string[] = [];
  const experiment = experimentOf(cell, given, quick);
  const task = { cell, experiment, published, quick, results, force: false };
  await reproduce(task, engine, (line) => lines.push(line));
  return lines.join("\n");
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), "distillery-reproduce-"));

describe("a cell", () => {
  const results = newFolder();

  test("is made again seed after seed, with a verdict for each source", async () => {
    const text = await printed(results, false);
    expect(text).toContain("expected 30.0 ± 1.0 % (one paper), 99.0 ± 1.0 % (another [issue])");
    expect(text).toContain("2 distillations of 4 steps, 4 networks by quick");
    expect(text).toMatch(/1 of 4 networks: \d+\.\d %; about .* left/);
    expect(text).toMatch(/2 of 4 networks: /);
    expect(text).not.toMatch(/4 of 4 networks/);
    const got = /^another \[issue\] +99\.0 ± 1\.0 +\d+\.\d ± \d+\.\d +−\d+\.\d +± \d+\.\d +(\w+)$/m.exec(
      text,
    );
    expect(got?.[1]).toMatch(/^(within|below)$/);
    expect(text).toMatch(/got over 4 networks of 2 distillations; .* s a distillation, .* s a network, on /);
    expect(text).toContain("another [issue]: spread 1.0 (published); evaluated by quick; a note");
    const rows = readRows(join(results, "runs.csv"));
    expect(
      rows.map(({ experiment, distillSeed, evaluationSeed }) => [experiment, distillSeed, evaluationSeed]),
    ).toEqual([0, 1].flatMap((seed) => [0, 1].map((network) => [cell.name, seed, network])));
  }, 120_000);

  test("that is done is not done again", async () => {
    const before = readFileSync(join(results, "runs.csv"), "utf8");
    const text = await printed(results, false);
    expect(text).toContain("another [issue]: spread");
    expect(text).not.toContain("of 4 networks:");
    expect(readFileSync(join(results, "runs.csv"), "utf8")).toBe(before);
  });

  test("has a line for each source in the table of what was made again", () => {
    const path = writeReproduced(results, cells.values(), published);
    expect(path).toBe(join(results, "tables", "reproduced.md"));
    const lines = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line.startsWith(`| ${cell.name} |`));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/\| one paper \| 30\.0 ± 1\.0 \| \d+\.\d ± \d+\.\d \| [+−]\d+\.\d \| ± \d/);
    expect(lines[0]).toContain(` ${engine.name} |`);
  });

  test("does not count rows of other options under its name", () => {
    const other = newFolder();
    const path = join(other, "runs.csv");
    const text = readFileSync(join(results, "runs.csv"), "utf8");
    writeFileSync(path, text.replaceAll("objective.realBatch=4", "objective.realBatch=5"));
    expect(readRows(path)).toHaveLength(4);
    const table = readFileSync(writeReproduced(other, cells.values(), published), "utf8");
    expect(table).not.toContain(cell.name);
  });
});

test("networks that could not be trained are told, and enter no verdict", async () => {
  const results = newFolder();
  await printed(results, false, ["seeds=[0]"]);
  const file = join(results, "runs", cell.name, "seed-0", "evaluations");
  const [first] = readdirSync(file, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".json"),
  );
  const row = rowFromJson(readFileSync(join(file, first!), "utf8"));
  writeFileSync(join(file, first!), rowJson({ ...row, accuracy: NaN, status: "train: the loss is NaN" }));
  const text = await printed(results, false, ["seeds=[0]"]);
  expect(text).toContain("1 of 2 networks without an accuracy: train: the loss is NaN");
  expect(text).toMatch(/^one paper +30\.0 ± 1\.0 +\d+\.\d +[+−]\d+\.\d +too few runs to say$/m);
}, 60_000);

test("a quick look runs, says what it is, and gives no verdict", async () => {
  const results = newFolder();
  const text = await printed(results, true, ["evaluation.networks=1"]);
  expect(text).toContain("quick look, no reproduction; published: 30.0 ± 1.0 % (one paper)");
  expect(text).toMatch(/got \d+\.\d % over 1 network; published: 30\.0/);
  expect(text).toContain("No verdict");
  expect(text).not.toMatch(/within|below|above|verdict\b(?<!No verdict)/);
  const [row] = readRows(join(results, "runs.csv"));
  expect(row).toMatchObject({ experiment: `${cell.name}-quick`, protocol: "quick", steps: 2 });
}, 60_000);

// Where the official files are, the two quick looks that a new user would begin with.
const data = process.env.DISTILLERY_DATA ?? "data";
const found = existsSync(join(data, "MNIST", "raw")) || existsSync(join(data, "train-images-idx3-ubyte.gz"));
(found ? test : test.skip)(
  `a quick look at a cell of MNIST, read from ${data}`,
  async () => {
    const all = readPublished();
    const digits = cellOf("random-mnist-ipc1", readCells({ published: all }), all);
    const given = [`data.root=${data}`, "evaluation.networks=1", "network.width=8"];
    const experiment = experimentOf(digits, given, true);
    const lines: string[] = [];
    const task = {
      cell: digits,
      experiment,
      published: all,
      quick: true,
      results: newFolder(),
      force: false,
    };
    await reproduce(task, engine, (line) => lines.push(line));
    expect(lines.join("\n")).toMatch(
      /got [3-9]\d\.\d % over 1 network; published: 64\.9 ± 3\.5 % \(SDC, Table 1\)/,
    );
  },
  120_000,
);

test("data that are not there are missed before anything is written", async () => {
  const all = readPublished();
  const digits = cellOf("random-mnist-ipc1", readCells({ published: all }), all);
  const results = newFolder();
  const experiment = experimentOf(digits, [`data.root=${join(results, "nothing")}`], false);
  const task = { cell: digits, experiment, published: all, quick: false, results, force: false };
  await expect(reproduce(task, engine, () => {})).rejects.toThrow(
    /mnist: expected .*does not exist.*; run: distillery data mnist --fetch/,
  );
  expect(readRows(join(results, "runs.csv"))).toEqual([]);
});

test("a cell's config is one that distil takes", () => {
  const experiment = experimentOf(cell, [], false);
  const text = configText(cell, experiment);
  expect(text).toMatch(/^# dm-procedural-lt2-ipc1, as published: 30\.0 ± 1\.0 % \(one paper\), /);
  const path = join(newFolder(), `${cell.name}.yaml`);
  writeFileSync(path, text);
  expect(readExperiment(path)).toEqual(experiment);
});

describe("the list", () => {
  test("has what can run first, and what the others wait for", () => {
    expect(listLines([], cells, published)).toEqual([
      "dm-procedural-lt2-ipc1  runs here                    30.0 ± 1.0 % (one paper), 99.0 ± 1.0 % (another [issue])",
      "future-cifar10-ipc10    waits for the method future  50.0 ± 1.0 % (a paper)",
      "",
      "1 of 2 cells can be made again here.",
    ]);
  });

  test("is of lines that hold every word", () => {
    expect(listLines(["FUTURE", "ipc10"], cells, published)[0]).toMatch(/^future-cifar10-ipc10/);
    expect(listLines(["nothing"], cells, published)).toEqual([
      "no cell holds nothing; reproduce --list shows all",
    ]);
  });

  test("of the published numbers names every cell once", () => {
    const all = readPublished();
    const names = listLines([], readCells({ published: all }), all)
      .slice(0, -2)
      .map((line) => line.split(" ")[0]);
    expect(new Set(names)).toEqual(new Set(all.map((one) => one.cell)));
    expect(names).toHaveLength(new Set(names).size);
  });
});
