import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { readSafetensors } from "../../src/formats/safetensors.ts";

const STEPS = 40;
const overrides = [
  `steps=${STEPS}`,
  "checkpointEvery=4",
  "tracking.every=3",
  "tracking.networks.models=1",
  "imagesPerClass=1",
  "network.width=4",
  "objective.realBatch=8",
  "network.depth=2",
  "objective.frequencies=64",
  "data.side=16",
  "data.classes=4",
  "data.trainPerClass=20",
  "data.testPerClass=2",
  "data.imbalance=4",
];

function started(results: string): ChildProcess {
  const command = ["experiments/distillery.mjs", "distill", "configs/csdm-procedural-lt.yaml", ...overrides];
  return spawn(process.execPath, [...command, "--results", results, "--no-evaluate", "--threads", "1"], {
    stdio: "ignore",
  });
}

const runOf = (results: string): string => join(results, "runs", "csdm-procedural-lt", "seed-0");
const linesOf = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
const imagesOf = (run: string): unknown =>
  readSafetensors(readFileSync(join(run, "synthetic.safetensors"))).arrays.images;

test("a run killed in the middle and started again ends with the same bits as one that was not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "distillery-resume-"));
  const whole = started(join(folder, "whole"));
  await once(whole, "exit");
  expect(whole.exitCode).toBe(0);

  const run = runOf(join(folder, "killed"));
  const metrics = join(run, "metrics.jsonl");
  const killed = started(join(folder, "killed"));
  while (linesOf(metrics).length < 10) await wait(5);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const done = linesOf(metrics).length;
  expect(done).toBeLessThan(STEPS);
  expect(existsSync(join(run, "synthetic.safetensors"))).toBe(false);
  expect(existsSync(join(run, "checkpoint", "latest.safetensors"))).toBe(true);

  const resumed = started(join(folder, "killed"));
  await once(resumed, "exit");
  expect(resumed.exitCode).toBe(0);
  expect(imagesOf(run)).toEqual(imagesOf(runOf(join(folder, "whole"))));
  expect(linesOf(metrics)).toEqual(linesOf(join(runOf(join(folder, "whole")), "metrics.jsonl")));
  const rows = linesOf(metrics).map((line) => JSON.parse(line) as { step: number; difficulty?: number });
  expect(rows.map(({ step }) => step)).toEqual(Array.from({ length: STEPS + 1 }, (_, i) => i));
  expect(rows.flatMap(({ step, difficulty }) => (difficulty === undefined ? [] : [step]))).toEqual([
    ...Array.from({ length: 14 }, (_, i) => 3 * i),
    STEPS,
  ]);
}, 300_000);
