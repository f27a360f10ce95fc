import { execFileSync, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { InputError } from "../../src/core/errors.ts";
import type { Answers, Hello, Job } from "./worker.ts";

const here = dirname(fileURLToPath(import.meta.url));

/** A process that measures one case. */
export interface Worker {
  /** @throws WorkerFailure where the process has died, or says that it could not. */
  ask<Ask extends keyof Answers>(ask: Ask, facts?: Readonly<Record<string, number>>): Promise<Answers[Ask]>;
  /** Ends the process; returns when it is gone. */
  end(): Promise<void>;
}

/** Why a worker cannot go on, in one line. */
export class WorkerFailure extends Error {
  override readonly name = "WorkerFailure";
}

/** Our own engine in a process of its own. */
export function startOurs(job: Job): Promise<{ readonly worker: Worker; readonly hello: Hello }> {
  return started({ program: process.execPath, script: join(here, "worker.mjs") }, untuned(), job);
}

/** The same step in PyTorch. */
export function startPeer(
  python: string,
  malloc: "asShipped" | "tuned",
  job: Omit<Job, "engine"> & { readonly device: "cpu" | "cuda" },
): Promise<{ readonly worker: Worker; readonly hello: { readonly version: string } }> {
  const env = { ...untuned(), PYTHONDONTWRITEBYTECODE: "1", ...(malloc === "tuned" && tunedMalloc) };
  return started({ program: python, script: join(here, "peer", "worker.py") }, env, job);
}

/** What our addon sets at load: blocks are kept from step to step, instead of returned to the system. */
const tunedMalloc = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 31 - 1),
  MALLOC_TOP_PAD_: String(64 * 2 ** 20),
};

/** This process's environment without settings of malloc. */
function untuned(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MALLOC_")));
}

/** A Python with PyTorch, or why there is none. */
export type Python = { readonly program: string; readonly version: string } | { readonly reason: string };

/** $PYTHON where that is set; else the first of python3 and /usr/bin/python3 that has torch and numpy. */
export function findPython(): Python {
  const candidates = process.env.PYTHON ? [process.env.PYTHON] : ["python3", "/usr/bin/python3"];
  for (const program of candidates) {
    const version = torchOf(program);
    if (version !== undefined) return { program, version };
  }
  return {
    reason:
      `no torch and numpy in ${candidates.join(" or ")}, so ours is measured alone; ` +
      "install Debian's python3-torch or pip's torch and numpy, or set PYTHON to a Python that has them",
  };
}

function torchOf(program: string): string | undefined {
  try {
    const code = "import numpy, torch; print(torch.__version__)";
    return execFileSync(program, ["-c", code], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined; // not there, or without the modules: the next one may do
  }
}

/** Starts a process and gives it its job. */
async function started<H>(
  { program, script }: { readonly program: string; readonly script: string },
  env: NodeJS.ProcessEnv,
  job: object,
): Promise<{ readonly worker: Worker; readonly hello: H }> {
  const child = spawn(program, [script], { env, stdio: ["pipe", "pipe", "pipe"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaint = "";
  child.stderr.on("data", (text) => (complaint = `${complaint}${text}`.slice(-2000)));
  child.stdin.on("error", () => {}); // where the process has died, the missing answer tells
  const gone = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(ending(code, signal, complaint)));
  });
  const exchange = async (message: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    const { value: line, done } = (await lines.next()) as IteratorResult<string, undefined>;
    if (done) throw new WorkerFailure(await gone);
    const answer = JSON.parse(line) as { readonly error?: string; readonly input?: boolean };
    if (answer.error !== undefined) {
      throw answer.input ? new InputError(answer.error) : new WorkerFailure(answer.error);
    }
    return answer;
  };
  const worker: Worker = {
    ask: (ask, facts = {}) => exchange({ ask, facts }) as Promise<never>,
    async end() {
      child.stdin.end();
      await gone;
    },
  };
  try {
    return { worker, hello: (await exchange(job)) as H };
  } catch (error) {
    await worker.end();
    throw error;
  }
}

function ending(code: number | null, signal: string | null, complaint: string): string {
  if (signal === "SIGKILL") return "killed by SIGKILL; most likely the system ran out of memory";
  const last = complaint.trim().split("\n").at(-1);
  return `ended with ${signal ?? `code ${code}`}${last ? `: ${last}` : ""}`;
}
