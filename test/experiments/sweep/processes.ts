import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { stringify } from "yaml";
import { readRows, type Row } from "../../../experiments/results.ts";

/** Sizes at which a run takes little more than the start of its process. */
export const tiny = {
  data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 5 },
  imagesPerClass: 1,
  network: { depth: 2, width: 4 },
  objective: { name: "dm", realBatch: 4 },
  steps: 2,
  evaluation: { protocol: "quick", networks: 1 },
};

/** A sweep file in a folder of its own, and where its results go. */
export function sweepFile(content: object): { readonly file: string; readonly results: string } {
  const folder = mkdtempSync(join(tmpdir(), "distillery-sweep-"));
  const file = join(folder, "study.yaml");
  writeFileSync(file, stringify(content));
  return { file, results: join(folder, "results") };
}

/** A `distillery sweep` under way. It leads a process group of its own, with its children in it. */
export interface Running {
  readonly child: ChildProcess;
  /** All that it has printed so far. */
  readonly output: () => string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export function startSweep(file: string, ...more: readonly string[]): Running {
  const command = ["experiments/distillery.mjs", "sweep", file, "--threads", "1", ...more];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (printed += String(text)));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal!));
  });
  return { child, output: () => printed, ended };
}

/** Processes that `pid` has started. */
export function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : [];
}

/** Waits until something holds; the test's own limit ends a wait that is in vain. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(20);
}

/** Files below a folder, by their paths in it. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Rows in an order of their own, without what varies from one call to the next: times, memory and commit. */
export function lastingRows(results: string): object[] {
  const place = (row: Row): string => [row.experiment, row.distillSeed, row.evaluationSeed].join(" ");
  return readRows(join(results, "runs.csv"))
    .sort((a, b) => (place(a) < place(b) ? -1 : 1))
    .map(({ commit: _, distillSeconds: _d, evaluationSeconds: _e, peakMegabytes: _m, ...row }) => row);
}
