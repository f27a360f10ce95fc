import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { parse } from "csv-parse/sync";
import { difficulty } from "../../experiments/commands/difficulty.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { exportRun } from "../../experiments/commands/export.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { difficultySubject } from "../../experiments/difficulty/score.ts";
import { difficultyText } from "../../experiments/difficulty/tables.ts";
import { selectEngine } from "../../src/engines/index.ts";
import { pearson } from "../../src/evaluation/correlation.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
const root = mkdtempSync(join(tmpdir(), "distillery-difficulty-"));
afterAll(() => {
  engine.close();
  rmSync(root, { recursive: true });
});

const data = { classes: 3, trainPerClass: 12, testPerClass: 4, side: 8 };
const small = [
  ...Object.entries(data).map(([key, value]) => `data.${key}=${value}`),
  "images.perClass=8",
  "networks.models=3",
  "networks.epochs=2",
  "networks.network={name: convNet, depth: 1, width: 4}",
];
const folders = { out: join(root, "found"), prepared: join(root, "prepared") };
const asked = (overrides: readonly string[] = [], what = "procedural", more = {}) =>
  difficultySubject({ what, size: "small", overrides: [...small, ...overrides], ...more });
const rowsOf = (file: string): Record<string, string>[] =>
  parse(readFileSync(file, "utf8"), { columns: true });

test("a data set's images are scored into rows, a summary, options and figures", async () => {
  const subject = await asked();
  const scored = await difficulty(subject, engine, folders);
  const rows = rowsOf(join(folders.out, "images.csv"));
  expect(rows).toHaveLength(24);
  expect(rows.filter(({ label }) => label === "2")).toHaveLength(8);
  const column = (name: string): number[] => rows.map((row) => Number(row[name]));
  for (const chi of column("misclassified")) expect([0, 1 / 3, 2 / 3, 1]).toContain(chi);
  const [all, ...classes] = rowsOf(join(folders.out, "summary.csv"));
  expect(classes.map((row) => row["class"])).toEqual(subject.images.dataset.classNames);
  const correlation = pearson(column("gradn"), column("loss"));
  expect(Number(all!["gradnLossPearson"])).toBeCloseTo(correlation, 10);
  expect(difficultyText(scored)).toMatch(new RegExp(`^GraDN, loss +${correlation.toFixed(3)} .* 24$`, "m"));
  expect(readFileSync(join(folders.out, "options.yaml"), "utf8")).toContain("perClass: 8");
  const figures = readdirSync(join(folders.out, "figures")).sort();
  expect(figures).toEqual(
    ["by-class-", ""].flatMap((kind) =>
      ["png", "svg"].map((type) => `difficulty-${kind}procedural-train.${type}`),
    ),
  );
  const svg = readFileSync(join(folders.out, "figures", figures[1]!), "utf8");
  for (const name of subject.images.dataset.classNames) expect(svg).toContain(`>${name}</text>`);
}, 60_000);

test("asked again, nothing is trained or scored anew, and a lost score is made again to the same numbers", async () => {
  const parts = readdirSync(folders.prepared).flatMap((name) =>
    readdirSync(join(folders.prepared, name)).map((part) => join(folders.prepared, name, part)),
  );
  expect(parts).toHaveLength(6);
  const times = parts.map((part) => statSync(part).mtimeMs);
  const before = readFileSync(join(folders.out, "images.csv"), "utf8");
  const lost = parts.findIndex((part) => /difficulty-\w+\/part-0001/.test(part));
  rmSync(parts[lost]!);
  await difficulty(await asked(), engine, folders);
  expect(readFileSync(join(folders.out, "images.csv"), "utf8")).toBe(before);
  parts.forEach((part, i) => {
    if (i !== lost) expect(statSync(part).mtimeMs).toBe(times[i]);
  });
  expect(existsSync(parts[lost]!)).toBe(true);
}, 60_000);

test("other images are scored under the same networks", async () => {
  await difficulty(await asked(["images.split=test", "images.perClass=9"]), engine, folders);
  const names = readdirSync(folders.prepared).map((name) => name.replace(/-\w+$/, ""));
  expect(names.sort()).toEqual(["difficulty", "difficulty", "pretrained"]);
  // The test split has four images of each class: all of them.
  expect(rowsOf(join(folders.out, "images.csv")).map(({ index }) => Number(index))).toEqual(
    [0, 1, 2].flatMap((label) => [0, 1, 2, 3].map((i) => 3 * i + label)),
  );
}, 60_000);

test("a run's images and the same set from a file are scored alike, mosaics as what they stand for", async () => {
  const experiment = resolveExperiment("mosaics", {
    data: { name: "procedural", ...data },
    imagesPerClass: 1,
    partition: { factor: 2 },
    network: { depth: 1, width: 4 },
    steps: 0,
    evaluation: { protocol: "quick", networks: 1 },
  });
  const [run] = await distillExperiment(experiment, engine, { results: root, force: false });
  const networks = small.filter((text) => text.startsWith("networks."));
  const subject = await difficultySubject({ what: run!.path, size: "small", overrides: networks });
  const { difficulty: found } = await difficulty(subject, engine, folders);
  expect(found.gradn).toHaveLength(3 * 4);
  const exported = join(root, "exported");
  await exportRun(run!, { out: exported, formats: ["npz"], force: false });
  const again = await difficultySubject({ what: exported, size: "small", overrides: networks });
  const fromFile = await difficulty(again, engine, folders);
  found.gradn.forEach((value, i) => {
    expect(fromFile.difficulty.gradn[i]).toBeCloseTo(value, 4);
  });
}, 60_000);

test("what is wrong is said before anything is trained", async () => {
  await expect(asked([], "cifar11")).rejects.toThrow(
    /expected a data set \(.*cifar10.*\) or the path.*"cifar11"/,
  );
  await expect(asked(["networks.modells=2"])).rejects.toThrow(
    "difficulty: networks.modells: unknown option; did you mean models?",
  );
  await expect(asked(["images.perClass=0"])).rejects.toThrow(/images\.perClass.*got 0/);
  await expect(asked([], "procedural", { data: "mnist" })).rejects.toThrow(
    "--data: expected none, as procedural is a data set itself",
  );
  await expect(asked(["images.perClass=3"], join(root, "runs/mosaics/seed-0"))).rejects.toThrow(
    /expected none of images, as all of .* are scored, got images\.perClass=8/,
  );
});
