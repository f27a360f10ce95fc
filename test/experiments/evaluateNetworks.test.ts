import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { main } from "../../experiments/cli.ts";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { evaluateForeign, evaluateRun } from "../../experiments/commands/evaluate.ts";
import { accuracyText } from "../../experiments/commands/evaluationText.ts";
import { exportRun } from "../../experiments/commands/export.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { acquire } from "../../experiments/lock.ts";
import { readRows, type Row } from "../../experiments/results.ts";
import { lockOf, type RunFolder } from "../../experiments/runFolder.ts";
import { selectEngine } from "../../src/engines/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const config = {
  data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 5, side: 16 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: { name: "dm", realBatch: 4 },
  steps: 2,
  evaluation: { protocol: "quick", networks: 2 },
};

const results = mkdtempSync(join(tmpdir(), "distillery-networks-"));
let run: RunFolder;
beforeAll(async () => {
  [run] = (await distillExperiment(resolveExperiment("tiny", config), engine, { results, force: false })) as [
    RunFolder,
  ];
}, 60_000);

const own = "convNet-d2-w4-relu-instance-avg";
const measured = (rows: readonly Row[]): unknown =>
  rows.map(({ evaluationNetwork, evaluationSeed, accuracy }) => [
    evaluationNetwork,
    evaluationSeed,
    accuracy,
  ]);

test("several architectures are trained in their order, each network once, and kept apart", async () => {
  const asked = { architectures: ["mlp", "leNet", "convNet"], force: false };
  const rows = await evaluateRun(run, engine, { ...asked, networks: 1 });
  expect(rows.map(({ evaluationNetwork, status }) => [evaluationNetwork, status])).toEqual([
    ["mlp", "done"],
    ["leNet", "done"],
    [own, "done"],
  ]);
  expect(new Set(rows.map(({ network }) => network))).toEqual(new Set([own]));

  const more = await evaluateRun(run, engine, asked); // the config's number
  expect(
    more.map(({ evaluationNetwork, evaluationSeed }) => `${evaluationNetwork} ${evaluationSeed}`),
  ).toEqual(["mlp 0", "mlp 1", "leNet 0", "leNet 1", `${own} 0`, `${own} 1`]);
  expect(measured(more.filter(({ evaluationSeed }) => evaluationSeed === 0))).toEqual(measured(rows));
  expect(readRows(join(results, "runs.csv"))).toHaveLength(6);
  // What the config asks for is among them, and not trained again.
  expect(await evaluateRun(run, engine, { force: false })).toEqual(more.slice(4));

  const lines = accuracyText(more).split("\n");
  expect(lines[0]).toMatch(/^network +accuracy, % +networks +time of each$/);
  expect(lines.slice(2).map((line) => line.split(/ {2,}/)[0])).toEqual(["mlp", "leNet", own]);
  const diverged = { accuracy: NaN, status: "train: expected a finite loss, got NaN" };
  const told = accuracyText([{ ...more[0]!, ...diverged }, ...more.slice(1)]).split("\n");
  expect(told[2]).toMatch(/^mlp +\d+\.\d +1 of 2 /);
  expect(told.at(-1)).toBe("mlp: train: expected a finite loss, got NaN");
  expect(lines[2]).toMatch(/^mlp +\d+\.\d ± \d+\.\d +2 +\d+\.\d s$/);
});

test("architectures in several pools are trained once, and one that does not fit stops all before any is", async () => {
  const options = { architectures: ["convNet", "pooling"], networks: 1, force: false };
  const rows = await evaluateRun(run, engine, options);
  expect(rows.map(({ evaluationNetwork }) => evaluationNetwork)).toEqual([
    own,
    "convNet-d2-w4-relu-instance-none",
    "convNet-d2-w4-relu-instance-max",
  ]);
  const folder = join(run.path, "evaluations", "quick");
  const before = readdirSync(folder);
  await expect(evaluateRun(run, engine, { ...options, architectures: ["alexNet", "vgg11"] })).rejects.toThrow(
    "vgg11: expected images that 5 poolings leave a pixel of, got 16×16, which have room for 4",
  );
  expect(readdirSync(folder)).toEqual(before);
});

test("networks that another process trains are left to it, and the others trained", async () => {
  const held = acquire(lockOf(run, "quick.leNet.2"))!;
  const options = { architectures: ["leNet", "mlp"], networks: 3, force: false };
  await expect(evaluateRun(run, engine, options)).rejects.toThrow(
    /1 networks are still being trained elsewhere/,
  );
  expect(readdirSync(join(run.path, "evaluations", "quick", "mlp")).sort()).toEqual([
    "0.json",
    "1.json",
    "2.json",
  ]);
  held.release();
  expect(await evaluateRun(run, engine, options)).toHaveLength(6);
});

test("a set of anyone's is judged by several architectures too", async () => {
  const { path } = await exportRun(run, { force: false });
  const options = { overrides: [], architectures: ["mlp", "convNet"], networks: 2, force: false };
  const { rows, notes } = await evaluateForeign(path, engine, options);
  const ours = await evaluateRun(run, engine, { ...options });
  expect(measured(rows)).toEqual(measured(ours));
  const expected = notes.filter((note) => note.startsWith("its card says "));
  expect(expected.map((note) => note.split(" networks on ")[1]).sort()).toEqual([own, "mlp"]);
});

/** What `distillery evaluate` prints, or what it refuses. */
async function said(...argv: readonly string[]): Promise<string> {
  const spies = (["stdout", "stderr"] as const).map((name) =>
    jest.spyOn(process[name], "write").mockReturnValue(true),
  );
  await main(["evaluate", run.path, ...argv]);
  const text = spies.flatMap((spy) => spy.mock.calls.map(([part]) => part as string)).join("");
  for (const spy of spies) spy.mockRestore();
  process.exitCode = undefined;
  return text;
}

test("on the command line, --networks is a number, or names", async () => {
  expect(await said("--networks", "1", "--threads", "1")).toMatch(/^\d+\.\d % over 1 network$/m);
  const table = await said("--networks", "mlp,leNet", "--count", "2", "--threads", "1");
  expect(table).toMatch(/^mlp .*\nleNet .*/m);
  expect(await said("--networks", "0")).toMatch("--networks: expected a whole number >= 1, got 0");
  expect(await said("--networks", "2", "--count", "3")).toMatch(
    "--networks 2: expected names beside --count 3, got a number",
  );
  expect(await said("--networks", "mpl")).toMatch(/--networks: expected one of all, .*; did you mean mlp\?/);
});
