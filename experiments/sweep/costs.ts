import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mean } from "../../src/evaluation/statistics.ts";
import { evaluatedRows, isEvaluated } from "../commands/evaluate.ts";
import type { Experiment } from "../config.ts";
import { writeWhole } from "../files.ts";
import { allPreparedFor, hasAllParts } from "../preparation.ts";
import { listRuns, readRun } from "../runFolder.ts";
import { costKind } from "./kind.ts";
import type { Cost, ProbeJob } from "./probe.ts";

const program = join(dirname(fileURLToPath(import.meta.url)), "probe.mjs");

/** What runs of a kind cost, and how that is known. */
export interface KnownCost extends Cost {
  /** Finished runs whose times it is; 0 where it was measured by a few steps and epochs. */
  readonly finishedRuns: number;
  /** Why it could not be measured: such runs would fail as well. */
  readonly failure?: string;
}

export interface CostOptions {
  /** Results folder: keeps what was measured in costs.json, and has finished runs. */
  readonly results: string;
  readonly prepared: string;
  /** Instead of the configs'. */
  readonly engine: string | undefined;
  /** Of each process. */
  readonly threads: number;
  /** Told before a kind is measured, which takes seconds to minutes. */
  readonly measuring: (example: Experiment, done: number, all: number) => void;
}

/**
 * Costs of experiments, by `costKind`: each kind is measured once, in a process of its own that does a few steps and
 * epochs, and then known from a file. Where runs of a kind are finished, their own times and memory count instead.
 */
export async function costsOf(
  experiments: readonly Experiment[],
  options: CostOptions,
): Promise<ReadonlyMap<string, KnownCost>> {
  const examples = new Map<string, Experiment>();
  for (const one of experiments) if (!examples.has(costKind(one))) examples.set(costKind(one), one);
  const file = join(options.results, "costs.json");
  const known = readCosts(file);
  const failures = new Map<string, string>();
  const unknown = [...examples].filter(([kind, example]) =>
    isUnknown(known[keyOf(kind, example, options)], example, options),
  );
  for (const [i, [kind, example]] of unknown.entries()) {
    options.measuring(example, i, unknown.length);
    const answer = await measured(example, options);
    if (typeof answer === "string") failures.set(kind, answer);
    else {
      known[keyOf(kind, example, options)] = answer;
      // Another process may have measured other kinds meanwhile.
      writeWhole(file, `${JSON.stringify({ ...readCosts(file), ...known }, null, 2)}\n`);
    }
  }
  const finished = finishedByKind(options.results);
  return new Map(
    [...examples].map(([kind, example]) => {
      const failure = failures.get(kind);
      const cost = known[keyOf(kind, example, options)] ?? nothing;
      return [
        kind,
        { ...corrected(cost, finished.get(kind) ?? []), ...(failure !== undefined && { failure }) },
      ];
    }),
  );
}

/** Whether it is to be measured: also steps, once what they need is there that was not when the rest was measured. */
function isUnknown(cost: Cost | undefined, example: Experiment, { prepared }: CostOptions): boolean {
  if (cost === undefined) return true;
  return Number.isNaN(cost.stepSeconds) && allPreparedFor(prepared, example).every(hasAllParts);
}

/** Of a kind that cannot be measured. */
const nothing: Cost = {
  startSeconds: NaN,
  stepSeconds: NaN,
  networkSeconds: NaN,
  partSeconds: NaN,
  partBytes: NaN,
  megabytes: NaN,
  bytes: NaN,
  bytesPerStep: NaN,
  checkpointBytes: NaN,
  steps: 0,
  epochs: 0,
};

/** Costs are those of a kind, on an engine, by so many threads of a processor. */
function keyOf(kind: string, { engine }: Experiment, options: CostOptions): string {
  const all = [kind, options.engine ?? engine, options.threads, cpus()[0]?.model ?? ""];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 16);
}

function readCosts(file: string): Record<string, Cost> {
  return existsSync(file) ? (parsedCosts(readFileSync(file, "utf8")) as Record<string, Cost>) : {};
}

/** JSON has null for what is no number. */
function parsedCosts(json: string): unknown {
  return JSON.parse(json, (_: string, value: unknown) => (value === null ? NaN : value));
}

/** The cost of an experiment's kind, or why it cannot be measured. */
function measured(
  experiment: Experiment,
  { engine, threads, prepared }: CostOptions,
): Promise<Cost | string> {
  const job: ProbeJob = { experiment, engine: engine ?? experiment.engine, threads, prepared };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program], (error, stdout, stderr) => {
      if (!error) resolve(parsedCosts(stdout) as Cost);
      else if (error.signal) resolve(`ended by ${error.signal}, perhaps out of memory`);
      else resolve(stderr.trimEnd().split("\n").at(-1)!);
    });
    child.stdin!.on("error", () => {}); // where the process has died, its end tells why
    child.stdin!.end(JSON.stringify(job));
  });
}

/** Seconds and memory of a finished run. */
interface Finished {
  readonly stepSeconds: number;
  readonly networkSeconds: number;
  readonly megabytes: number;
}

/** What finished runs of the results took, by kind. */
function finishedByKind(results: string): Map<string, Finished[]> {
  const kinds = new Map<string, Finished[]>();
  for (const run of listRuns(results).map((path) => readRun(path))) {
    if (!isEvaluated(run)) continue;
    const rows = evaluatedRows(run, { force: false });
    const { distillSeconds, peakMegabytes, steps } = rows[0]!;
    const finished = {
      stepSeconds: steps === 0 ? 0 : distillSeconds / steps,
      networkSeconds: mean(rows.map((row) => row.evaluationSeconds)),
      megabytes: peakMegabytes,
    };
    const kind = costKind(run.experiment);
    kinds.set(kind, [...(kinds.get(kind) ?? []), finished]);
  }
  return kinds;
}

/** A cost with the times of finished runs, which went through all steps and epochs. */
function corrected(cost: Cost, finished: readonly Finished[]): KnownCost {
  if (finished.length === 0) return { ...cost, finishedRuns: 0 };
  return {
    ...cost,
    stepSeconds: mean(finished.map(({ stepSeconds }) => stepSeconds)),
    networkSeconds: mean(finished.map(({ networkSeconds }) => networkSeconds)),
    megabytes: Math.max(...finished.map(({ megabytes }) => megabytes), cost.megabytes || 0),
    finishedRuns: finished.length,
  };
}
