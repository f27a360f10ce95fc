import { totalmem } from "node:os";
import { wholeNumber } from "../../src/core/errors.ts";
import { freeBytes, sizeText } from "../disk.ts";
import { duration } from "../progress.ts";
import { listed, pluralOf } from "../report/labels.ts";
import { standardError } from "../screen.ts";
import { costsOf, type KnownCost } from "../sweep/costs.ts";
import { type Estimate, estimate } from "../sweep/estimate.ts";
import { costKind } from "../sweep/kind.ts";
import { type RunState, stateOf } from "../sweep/state.ts";
import type { Phase, Task } from "../tasks.ts";
import { type AskedSweep, countsOf, phasesOfSweep, type SweepOptions, threadsOf } from "./sweep.ts";

/**
 * Prints what a sweep will do, and what it will take: its runs with their states, then time, memory and disk of what is
 * left, each with how it is known. What is not known yet is measured first; nothing else is run.
 */
export async function planSweep(
  { sweep }: AskedSweep,
  options: SweepOptions,
  print: (line: string) => void,
): Promise<void> {
  const phases = phasesOfSweep(sweep, options);
  const tasks = phases.flatMap((phase) => phase.tasks);
  const jobs = Math.min(wholeNumber("--jobs", options.jobs, 1), tasks.length || 1);
  const threads = threadsOf(options, jobs);
  const left = tasks.filter((task) => !task.isDone());
  const costs = await costsOf(
    left.map(({ experiment }) => experiment),
    { ...options, threads, measuring },
  );
  standardError.draw("");
  const states = new Map(tasks.flatMap(({ run }) => (run ? [[run.path, stateOf(run)] as const] : [])));
  const needs = estimate(phases, { jobs, costs, stateOf: (task) => states.get(task.run!.path)! });
  print(`sweep ${sweep.name}: ${countsOf(sweep)}; results go to ${options.results}\n`);
  runLines(phases, states, needs, costs).forEach(print);
  print("");
  if (left.length === 0) print("all done; the same command without --plan writes the report again");
  else needLines({ needs, jobs, threads, left, costs: [...costs.values()], options }).forEach(print);
}

function measuring({ name }: { readonly name: string }, done: number, all: number): void {
  const text = `measuring ${name}, ${done + 1} of ${pluralOf(all, "kind")} of run: a few steps and epochs`;
  if (standardError.inPlace) standardError.draw(text);
  else standardError.print(text);
}

/** A line for each experiment, in columns. */
function runLines(
  phases: readonly Phase[],
  states: ReadonlyMap<string, RunState>,
  { byExperiment }: Estimate,
  costs: ReadonlyMap<string, KnownCost>,
): string[] {
  const experiments = new Map<string, Task[]>();
  const shared: string[] = [];
  for (const { name: phase, tasks } of phases) {
    const parts = tasks.filter(({ run }) => !run);
    if (parts.length > 0) shared.push(`shared by runs: ${partsText(parts)}`);
    if (phase === "evaluate") continue;
    for (const task of tasks) {
      const { name } = task.experiment;
      if (task.run) experiments.set(name, [...(experiments.get(name) ?? []), task]);
    }
  }
  const rows = [...experiments].map(([name, runs]) => {
    const cost = costs.get(costKind(runs[0]!.experiment));
    const seconds = byExperiment.get(name) ?? 0;
    return [
      name,
      listed(runs.map(({ run }) => String(run!.seed))).replace(" and ", ", "),
      statesText(runs.map(({ run }) => states.get(run!.path)!)),
      cost?.failure !== undefined ? "?" : seconds === 0 ? "" : timeText(seconds),
      cost === undefined || cost.failure !== undefined ? "" : memoryText(cost.megabytes),
    ];
  });
  const failures = [...experiments].flatMap(([name, runs]) => {
    const failure = costs.get(costKind(runs[0]!.experiment))?.failure;
    return failure === undefined ? [] : [`${name} cannot run: ${failure}`];
  });
  return [...shared, ...columns([["run", "seeds", "state", "time", "memory"], ...rows]), ...failures];
}

function partsText(parts: readonly Task[]): string {
  const done = parts.filter((task) => task.isDone()).length;
  const folders = [...new Set(parts.map(({ id }) => id.replace(/\/.*/, "")))];
  return `${listed(folders)}, ${done} of ${pluralOf(parts.length, "part")} done`;
}

/** "done", "2 done, 1 to go on from step 40". */
function statesText(states: readonly RunState[]): string {
  const counts = new Map<string, number>();
  for (const state of states) counts.set(stateText(state), (counts.get(stateText(state)) ?? 0) + 1);
  const texts = [...counts].map(([text, count]) => (counts.size === 1 ? text : `${count} ${text}`));
  return texts.join(", ");
}

function stateText({ is, step, networks }: RunState): string {
  const from = networks > 0 ? `network ${networks}` : `step ${step}`;
  if (is === "begun") return `to go on from ${from}`;
  return is === "failed" ? `failed, to be tried again${step > 0 ? ` from ${from}` : ""}` : is;
}

/** Rows of cells as lines, each column as wide as its widest cell. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}

interface Needs {
  readonly needs: Estimate;
  readonly jobs: number;
  readonly threads: number;
  readonly left: readonly Task[];
  readonly costs: readonly KnownCost[];
  readonly options: SweepOptions;
}

function needLines({ needs, jobs, threads, left, costs, options }: Needs): string[] {
  const { seconds, work, megabytes, bytes } = needs;
  const [memory, free] = [totalmem() / 1e6, freeBytes(options.results)];
  const side = `${pluralOf(jobs, "job")} of ${pluralOf(threads, "thread")}`;
  const lines = [
    `left     ${pluralOf(left.length, "task")}, ${side}`,
    `time     ${timeText(seconds)}${jobs > 1 ? `, ${timeText(work)} of work` : ""}: ${sourceText(costs)}`,
    `memory   ${memoryText(megabytes)} of ${memoryText(memory)}: largest resident memory of ${
      jobs > 1 ? `the ${jobs} largest processes together` : "a process"
    }`,
    `disk     ${sizeText(bytes)} of ${sizeText(free)} free: sizes of files that were written, for all steps and networks`,
  ];
  if (megabytes > memory) {
    lines.push(`warning: ${jobs} jobs need more memory than the machine has; use fewer --jobs`);
  }
  if (bytes > free)
    lines.push(`warning: ${options.results} has not that much space; free some, or use --results`);
  return lines;
}

/** How the times are known. */
function sourceText(costs: readonly KnownCost[]): string {
  const known = costs.filter(({ failure }) => failure === undefined);
  const probed = known.filter(({ finishedRuns }) => finishedRuns === 0);
  const runs = known.reduce((sum, { finishedRuns }) => sum + finishedRuns, 0);
  const timed = (what: "steps" | "epochs"): string[] => {
    const counts = probed.map((cost) => cost[what]).filter((count) => count > 0);
    return counts.length === 0 ? [] : [`${what} (at least ${Math.min(...counts)})`];
  };
  const parts = [
    probed.length === 0
      ? ""
      : `${pluralOf(probed.length, "kind")} of run by timed ${[...timed("steps"), ...timed("epochs")].join(" and ")}, ` +
        "one process alone",
    runs === 0
      ? ""
      : `${pluralOf(known.length - probed.length, "kind")} by ${pluralOf(runs, "finished run")}`,
    costs.length > known.length
      ? `without ${pluralOf(costs.length - known.length, "kind")} that cannot run`
      : "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}

const timeText = (seconds: number): string =>
  Number.isNaN(seconds)
    ? "not known before what runs share is made (--phase prepare)"
    : `about ${duration(seconds)}`;

const memoryText = (megabytes: number): string =>
  megabytes < 1000 ? `${megabytes.toFixed(0)} MB` : `${(megabytes / 1000).toFixed(1)} GB`;
