import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { writeWhole } from "../../../experiments/files.ts";
import { fingerprint } from "../../../experiments/watch/changes.ts";

let results: string;
let run: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), "watch-"));
  run = join(results, "runs", "dm", "seed-0");
  writeWhole(join(results, "runs.csv"), "rows\n");
  writeWhole(join(run, "config.yaml"), "name: dm\n");
  writeWhole(join(run, "metrics.jsonl"), "{}\n");
  writeWhole(join(run, "images.png"), "png");
  writeWhole(join(run, "checkpoint", "latest.safetensors"), "state");
});
afterEach(() => {
  rmSync(results, { recursive: true });
});

const changes: readonly (readonly [what: string, change: () => void])[] = [
  ["a step's line", () => appendFileSync(join(run, "metrics.jsonl"), "{}\n")],
  ["new images", () => writeWhole(join(run, "images.png"), "gnp")],
  ["a new row", () => writeWhole(join(results, "runs.csv"), "rows\nmore\n")],
  ["a finished run", () => writeWhole(join(run, "synthetic.safetensors"), "images")],
  ["a finished network", () => writeWhole(join(run, "evaluations", "quick", "convNet", "0.json"), "{}")],
  ["a failure", () => writeWhole(join(run, "failure.json"), "{}")],
  ["a new run", () => writeWhole(join(results, "runs", "dm", "seed-1", "config.yaml"), "name: dm\n")],
  ["a run that goes", () => rmSync(run, { recursive: true })],
  ["a run that moves", () => renameSync(run, join(results, "runs", "dm", "seed-9"))],
];

test.each(changes)("%s is seen", async (_, change) => {
  const before = await fingerprint(results);
  change();
  expect(await fingerprint(results)).not.toBe(before);
});

test("nothing changes by itself, by looking, by a checkpoint, or by what a report writes below", async () => {
  mkdirSync(join(results, "tables"));
  const before = await fingerprint(results);
  expect(await fingerprint(results)).toBe(before);
  writeWhole(join(run, "checkpoint", "latest.safetensors"), "later state");
  writeFileSync(join(results, "tables", "accuracy.md"), "table");
  expect(await fingerprint(results)).toBe(before);
});

test("a folder that is not there is one to wait for", async () => {
  const missing = join(results, "later");
  const before = await fingerprint(missing);
  mkdirSync(missing);
  expect(await fingerprint(missing)).not.toBe(before);
});
