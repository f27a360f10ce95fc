import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, expect, test } from "@jest/globals";
import { readRows } from "../../../experiments/results.ts";
import { seeded } from "../../../src/core/rng.ts";
import {
  childrenOf,
  filesIn,
  lastingRows,
  type Running,
  startSweep,
  sweepFile,
  tiny,
  until,
} from "./processes.ts";

const KILLS = 10;
const SEED = 7;

const { file, results: whole } = sweepFile({
  config: { ...tiny, steps: 30, checkpointEvery: 4, evaluation: { protocol: "quick", networks: 2 } },
  grid: {
    method: {
      random: { objective: null, steps: 0 },
      dm: {},
      csdm: { objective: { name: "csdm", frequencies: 16 } },
    },
    "data.imbalance": [1, 4],
  },
  seeds: [0, 1],
});

let seconds = NaN;
beforeAll(async () => {
  const begun = performance.now();
  const sweep = startSweep(file, "--results", whole, "--jobs", "2");
  expect([await sweep.ended, sweep.output()]).toEqual([0, expect.anything()]);
  seconds = (performance.now() - begun) / 1000;
}, 300_000);

test("twelve runs of three methods, two imbalances and two seeds come to their report", () => {
  const rows = readRows(join(whole, "runs.csv"));
  expect(rows).toHaveLength(24);
  expect(rows.every(({ status }) => status === "done")).toBe(true);
  const page = readFileSync(join(whole, "report.html"), "utf8");
  for (const method of ["random", "dm", "csdm"]) expect(page).toContain(method);
  expect(existsSync(join(whole, "tables", "accuracy.md"))).toBe(true);
});

/** What a process that is killed while it writes may leave behind. Nothing ever reads it. */
const harmless = [
  /\.\d+\.partial$/, // a file of which not all was written
  /\.lock\.[0-9a-f-]{36}(\.dead)?$/, // a lock's content before it is linked to its name
];

test(`a sweep that is killed ${KILLS} times ends with the rows and files of one that was not`, async () => {
  const { results } = sweepFile({});
  const dice = seeded(SEED).stream("kills");
  let struck = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const rng = dice.stream(String(kill));
    const sweep = startSweep(file, "--results", results, "--jobs", "2");
    // Most of the time there is a run under way: the start of the program itself is the smaller part.
    await Promise.race([wait(1000 * (0.5 + rng.uniform() * (seconds / 6))), sweep.ended]);
    if (sweep.child.exitCode === null) struck++;
    await killed(sweep, kinds[kill % kinds.length]!);
  }
  expect(struck).toBeGreaterThan(KILLS / 2);
  const last = startSweep(file, "--results", results, "--jobs", "2");
  expect([await last.ended, last.output()]).toEqual([0, expect.anything()]);
  expect(lastingRows(results)).toEqual(lastingRows(whole));
  const left = filesIn(results).filter((path) => !harmless.some((pattern) => pattern.test(path)));
  expect(left).toEqual(filesIn(whole));
}, 400_000);

/** What is killed: the sweep with all its processes, the sweep alone, or one of its runs, and the sweep a little later. */
const kinds = ["all", "parent", "child"] as const;

async function killed({ child, ended }: Running, kind: (typeof kinds)[number]): Promise<void> {
  const pid = child.pid!;
  const runs = childrenOf(pid);
  if (kind === "child") {
    for (const run of runs.slice(0, 1)) signal(run);
    await Promise.race([wait(1500), ended]);
  }
  signal(kind === "parent" ? pid : -pid);
  await ended;
  // What outlives the sweep ends by itself, having saved what it has. Half of the time the next sweep meets it still there.
  if (kind === "parent" && runs.length % 2 === 0)
    await until(() => runs.every((run) => !existsSync(`/proc/${run}`)));
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ESRCH"); // it was done before
  }
}
