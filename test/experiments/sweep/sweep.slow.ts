import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { readRows } from "../../../experiments/results.ts";
import { childrenOf, filesIn, startSweep, sweepFile, tiny, until } from "./processes.ts";

const metrics = (results: string, name: string): string =>
  join(results, "runs", name, "seed-0", "metrics.jsonl");

test("a failing cell leaves a row and the others end; a second call does only what is not done", async () => {
  const { file, results } = sweepFile({
    config: tiny,
    grid: {
      method: {
        random: { objective: null, steps: 0 },
        broken: { data: { name: "mnist", root: "/nowhere" } },
        dm: {},
      },
    },
  });
  const first = startSweep(file, "--results", results, "--jobs", "2");
  expect(await first.ended).toBe(1);
  expect(first.output()).toMatch(/sweep study: 3 runs \(3 cells at 1 seed\)/);
  expect(first.output()).toMatch(
    /broken seed 0: FAILED after .*1 failed.*seed-0\.log ends with\n( {4}.*\n)* {4}mnist: expected .*nowhere/,
  );
  expect(first.output()).toMatch(
    /1 task of study not done; the same command tries again:\n {2}broken seed 0: .*nowhere/,
  );
  const rows = readRows(join(results, "runs.csv"));
  expect(rows.map(({ experiment, status }) => [experiment, status === "done"]).sort()).toEqual([
    ["broken", false],
    ["dm", true],
    ["random", true],
  ]);
  expect(existsSync(join(results, "report.html"))).toBe(true);

  const runs = join(results, "runs");
  const times = (): unknown[] => filesIn(runs).map((path) => [path, statSync(join(runs, path)).mtimeMs]);
  const before = times();
  const second = startSweep(file, "method=[random, dm]", "--results", results);
  expect(await second.ended).toBe(0);
  expect(second.output()).toMatch(/2 of 2 tasks done before/);
  expect(times()).toEqual(before);
}, 240_000);

test("a damaged part does not count as done: the sweep says so, and makes it and nothing else again", async () => {
  const networks = { name: "pretrained", models: 2, epochs: 1 };
  const { file, results } = sweepFile({
    config: { ...tiny, objective: { ...tiny.objective, networks } },
    grid: { "data.imbalance": [1] },
  });
  expect(await startSweep(file, "--results", results, "--phase", "prepare").ended).toBe(0);
  const prepared = join(results, "prepared");
  const parts = filesIn(prepared).filter((path) => path.endsWith(".safetensors"));
  expect(parts).toHaveLength(2);
  const damaged = join(prepared, parts[1]!);
  const bytes = readFileSync(damaged);
  writeFileSync(damaged, bytes.with(-1, bytes.at(-1)! ^ 1));
  const again = startSweep(file, "--results", results, "--phase", "prepare");
  expect(await again.ended).toBe(0);
  expect(again.output()).toContain(`${damaged}: does not fit its checksum; it is made again\n`);
  expect(again.output()).toMatch(/1 of 2 tasks done before/);
  expect(readFileSync(damaged)).toEqual(bytes);
}, 240_000);

test("two sweeps at once do every run once, whichever process is at it", async () => {
  const { file, results } = sweepFile({
    config: { ...tiny, steps: 40 },
    grid: { "data.imbalance": [1, 4] },
    seeds: [0, 1],
  });
  const both = [startSweep(file, "--results", results), startSweep(file, "--results", results)];
  expect(await Promise.all(both.map(({ ended }) => ended))).toEqual([0, 0]);
  const rows = readRows(join(results, "runs.csv"));
  expect(rows.map(({ status }) => status)).toEqual(["done", "done", "done", "done"]);
  for (const { experiment, distillSeed } of rows) {
    const log = readFileSync(join(results, "runs", experiment, `seed-${distillSeed}.log`), "utf8");
    expect(log.match(/done in .*, dm, 40 steps/g)).toHaveLength(1);
    expect(log.match(/network 0: done in .*, accuracy/g)).toHaveLength(1);
  }
  expect(filesIn(results).filter((path) => /lock|partial/.test(path))).toEqual([]);
}, 240_000);

test("a killed run is a failed row; one that is stopped is not, and goes on", async () => {
  const { file, results } = sweepFile({
    config: { ...tiny, steps: 100_000, checkpointEvery: 5 },
    grid: { "data.imbalance": [1] },
  });
  const lines = (): number => {
    const path = metrics(results, "imbalance-1");
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;
  };
  const killed = startSweep(file, "--results", results);
  await until(() => lines() > 10);
  for (const pid of childrenOf(killed.child.pid!)) process.kill(pid, "SIGKILL");
  expect(await killed.ended).toBe(1);
  expect(killed.output()).toMatch(
    /imbalance-1 seed 0: FAILED after [^\n]*seed-0\.log ends with\n[^]*imbalance-1 seed 0: ended by SIGKILL, perhaps out of memory/,
  );
  const rows = readRows(join(results, "runs.csv"));
  expect(rows).toMatchObject([{ evaluationSeed: -1, status: "ended by SIGKILL, perhaps out of memory" }]);
  expect(rows[0]!.accuracy).toBeNaN();

  const reached = lines();
  const stopped = startSweep(file, "--results", results);
  await until(() => lines() > reached + 10);
  stopped.child.kill("SIGINT");
  expect(await stopped.ended).toBe(1);
  expect(stopped.output()).toMatch(/failed before and tried again: imbalance-1 seed 0/);
  expect(stopped.output()).toMatch(/stopped with 0 of 1 task done; the same command goes on from there/);
  const run = join(results, "runs", "imbalance-1", "seed-0");
  expect(existsSync(join(run, "failure.json"))).toBe(false);
  const log = readFileSync(`${run}.log`, "utf8");
  expect(log).toMatch(/goes on from step \d+/);
  expect(log).toMatch(/stopped at step \d+; the same command goes on from there/);
}, 240_000);
