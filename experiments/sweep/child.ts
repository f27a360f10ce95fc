import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { failureTime, recordFailure } from "../failure.ts";
import { readRow } from "../results.ts";
import { fileOf, isDone } from "../runFolder.ts";
import type { Task } from "../tasks.ts";
import { exitCodes } from "./exit.ts";

const program = join(dirname(fileURLToPath(import.meta.url)), "..", "distillery.mjs");

/** How a try at a task ended. */
export interface Attempt {
  readonly ended: "done" | "busy" | "stopped" | "failed";
  /** Of a failed one, in one line. */
  readonly reason: string;
  readonly seconds: number;
}

/** A process at a task. */
export interface Work {
  readonly attempt: Promise<Attempt>;
  /** Asks it to save what it has and end. */
  stop(): void;
}

/**
 * Starts a process of its own for a task, so that its end is not the end of the others. What it prints is added to a
 * log. If a signal ends it that nobody here sent, the run's row says so.
 *
 * @param command of the program, as in ["sweep", "FILE", "--task", "ID"].
 */
export function startWork(task: Task, command: readonly string[], log: string): Work {
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, "a");
  const begun = performance.now();
  writeSync(file, `${fstatSync(file).size > 0 ? "\n" : ""}${new Date().toISOString()} ${task.id}\n`);
  const before = { log, start: fstatSync(file).size, failure: task.run ? failureTime(task.run) : 0 };
  let child: ChildProcess;
  try {
    // The channel tells the process when this one is gone. They share a process group: a terminal's Ctrl-C reaches both.
    child = spawn(process.execPath, [program, ...command], { stdio: ["ignore", file, file, "ipc"] });
  } finally {
    closeSync(file);
  }
  let stopped = false;
  const attempt = new Promise<Attempt>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const ended = endOf(task, { code, signal, stopped });
      const reason = ended === "failed" ? reasonOf(task, { code, signal, ...before }) : "";
      resolve({ ended, reason, seconds: (performance.now() - begun) / 1000 });
    });
  });
  return {
    attempt,
    stop() {
      stopped = true;
      child.kill("SIGTERM");
    },
  };
}

/** What was there before the process started. */
interface Before {
  readonly log: string;
  /** Length of the log. */
  readonly start: number;
  /** Time of the failure kept with the run. */
  readonly failure: number;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function endOf(
  task: Task,
  { code, signal, stopped }: Exit & { readonly stopped: boolean },
): Attempt["ended"] {
  if (code === exitCodes.busy) return "busy";
  if (code === exitCodes.stopped || (signal !== null && stopped)) return "stopped";
  return code === exitCodes.done && task.isDone() ? "done" : "failed";
}

/** Why a task failed. Of a process that could not say so itself, it is kept with the run. */
function reasonOf({ run }: Task, { code, signal, log, start, failure }: Exit & Before): string {
  const kept = run && fileOf(run, "failure");
  if (kept !== undefined && failureTime(run!) > failure) {
    return firstLine(readRow(kept).status);
  }
  const said = readFileSync(log).subarray(start).toString("utf8").trimEnd().split("\n").at(-1)!;
  const reason =
    signal === null
      ? said || `ended with code ${code!} and without a result`
      : `ended by ${signal}${signal === "SIGKILL" ? ", perhaps out of memory" : ""}`;
  if (run) recordFailure(run, "unknown", reason, { evaluating: isDone(run) });
  return reason;
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!;

/** The last lines of a log, for whoever wants to know more. */
export function tailOf(log: string, lines: number): string[] {
  return existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-lines) : [];
}
