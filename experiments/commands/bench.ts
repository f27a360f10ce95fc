import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { oneOf, wholeNumber } from "../../src/core/errors.ts";
import { seeded } from "../../src/core/rng.ts";
import { writeNpz } from "../../src/formats/npz.ts";
import { BENCH_SEED, type Size } from "../bench/benchCase.ts";
import { benchCaseNamed, benchCases } from "../bench/cases/index.ts";
import {
  type Crew,
  measure,
  type Measurement,
  type PeerName,
  type Tolerance,
  titles,
} from "../bench/measure.ts";
import { benchJson, type BenchRow, benchTables, readBench, recordBench } from "../bench/results.ts";
import { findPython, type Python, startOurs, startPeer, WorkerFailure } from "../bench/workers.ts";
import type { Hello, Job } from "../bench/worker.ts";
import { machine } from "../machine.ts";

export interface BenchOptions {
  /** Names of cases; all where none is given. One takes those along whose names go on from its own after a hyphen. */
  readonly cases: readonly string[];
  readonly size: Size;
  readonly pairs: number | undefined;
  readonly engine: string;
  readonly threads: number | undefined;
  /** CSV file; by default results/bench.csv for the full size, none for the small one. */
  readonly out: string | undefined;
  readonly json: boolean;
}

const defaultPairs = { full: 7, small: 3 } as const satisfies Record<Size, number>;

/** Float32 sums in another order differ by this much. GPUs round the factors of a convolution to 10 bits (TF32). */
const tolerances = {
  cpu: { loss: 1e-4, norms: 1e-3 },
  cuda: { loss: 1e-3, norms: 1e-2 },
} as const satisfies Record<string, Tolerance>;

/**
 * Measures cases, ours against the peer, records each when it is done, and prints a table, or JSON and nothing else.
 *
 * @returns whether all peers that were there computed what ours does.
 */
export async function runBench(options: BenchOptions, print: (line: string) => void): Promise<boolean> {
  const { size, out = size === "full" ? join("results", "bench.csv") : undefined, json } = options;
  const pairs = wholeNumber("--pairs", options.pairs ?? defaultPairs[size], 1);
  const threads = wholeNumber("--threads", options.threads ?? availableParallelism(), 1);
  const measurements = chosenCases(options.cases).flatMap((name) =>
    Object.entries(benchCaseNamed(name).settings[size]).map(([part, setting]) => ({ name, part, setting })),
  );
  if (out !== undefined) readBench(out); // one that cannot be added to is better known now than at the end
  const python = findPython();
  if ("reason" in python) say(python.reason);
  const peerTorch = "version" in python ? python.version : undefined;
  const folder = mkdtempSync(join(tmpdir(), "distillery-bench-"));
  const file = join(folder, "inputs.npz");
  const rows: BenchRow[] = [];
  try {
    for (const { name, part, setting } of measurements) {
      say(`${name} ${part}`.trimEnd());
      const job: Job = { case: name, setting, file, threads, engine: options.engine };
      const { hello, measurement } = await measured(job, python, pairs);
      const { engine, loadedBytes } = hello;
      const about = { case: name, part, size, threads, pairs, peerTorch, machine: machine(engine) };
      const keptBytes = benchCaseNamed(name).keptBytes?.(setting);
      const row: BenchRow = { ...measurement, ...about, loadedBytes, keptBytes };
      rows.push(row);
      if (out !== undefined) recordBench(out, [row]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  print(json ? JSON.stringify(benchJson(rows), null, 2) : benchTables(rows));
  return rows.every(({ disagrees }) => !disagrees);
}

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

function chosenCases(asked: readonly string[]): string[] {
  const all = Object.keys(benchCases);
  if (asked.length === 0) return all;
  asked.forEach((name) => oneOf("bench", benchCases, name));
  return all.filter((name) => asked.some((one) => name === one || name.startsWith(`${one}-`)));
}

/** One case in processes of its own, so that their peaks of memory are the case's. */
async function measured(
  job: Job,
  python: Python,
  pairs: number,
): Promise<{ readonly hello: Hello; readonly measurement: Measurement }> {
  const measuredCase = benchCaseNamed(job.case);
  writeFileSync(job.file, writeNpz(measuredCase.inputs(job.setting, seeded(BENCH_SEED).stream(job.case))));
  const ours = await startOurs(job);
  try {
    const device = ours.hello.engine.name.endsWith("-cuda") ? "cuda" : "cpu";
    const program = measuredCase.peer && "program" in python ? python.program : undefined;
    const { peers, notes } = await startPeers(job, program, device);
    try {
      const plan = { pairs, tolerance: tolerances[device] };
      const measurement = await measure({ ours: ours.worker, peers }, plan);
      return { hello: ours.hello, measurement: { ...measurement, notes: [...notes, ...measurement.notes] } };
    } finally {
      await Promise.all(Object.values(peers).map((worker) => worker.end()));
    }
  } finally {
    await ours.worker.end();
  }
}

/** The peer as shipped, and with malloc tuned, which is of no use on a GPU. */
async function startPeers(
  { case: name, setting, file, threads }: Job,
  program: string | undefined,
  device: "cpu" | "cuda",
): Promise<{ readonly peers: Crew["peers"]; readonly notes: string[] }> {
  const peers: Partial<Record<PeerName, Crew["ours"]>> = {};
  const notes: string[] = [];
  if (program === undefined) return { peers, notes };
  const job = { case: name, setting, file, threads, device };
  const start = async (peer: PeerName, malloc: "asShipped" | "tuned"): Promise<void> => {
    try {
      peers[peer] = (await startPeer(program, malloc, job)).worker;
    } catch (error) {
      if (!(error instanceof WorkerFailure)) throw error;
      notes.push(`${titles[peer]}: ${error.message}`);
    }
  };
  await Promise.all([start("peer", "asShipped"), ...(device === "cpu" ? [start("tuned", "tuned")] : [])]);
  return { peers, notes };
}
