import { randomUUID } from "node:crypto";
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { Worker } from "node:worker_threads";
import { InputError } from "../src/core/errors.ts";
import { writeWhole } from "./files.ts";

/** A lock that this process holds: a file that no other process can create while it is there. */
export interface Lock {
  readonly path: string;
  /** @throws InputError if another process has taken the lock over, as it may after this one was suspended for long. */
  check(): void;
  release(): void;
}

/** Who holds a lock. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Start of the process and boot of the machine, so that a later process of the same number is told apart. */
  readonly born: string;
  /** The scheduler's job, if it runs in one, on one machine or on several at once. */
  readonly job: string;
  /** How often the scheduler has started that job again. Once it has, no process of the time before is running any more. */
  readonly restarts: number;
  readonly token: string;
}

/** Seconds between signs of life of a lock's holder, for readers on other machines. */
const BEAT = 20;
/** A holder on another machine that has given none for so long is taken for dead. */
const SILENCE = 300;
/** Taking over a stale lock is a matter of milliseconds; whoever does so for longer has died over it. */
const TAKEOVER = 60;

/**
 * Takes a lock, by creating its file with its owner inside in one atomic step (a hard link, which also holds on network
 * file systems). A stale lock is taken over: its process is gone, its machine was restarted, the scheduler has started
 * its job again, or it is of another machine and has been silent for five minutes by the file system's own clock.
 *
 * @param options.long whether it is held for more than moments, so that others want signs of life.
 * @returns the lock, or undefined while a living process holds it.
 */
export function acquire(path: string, { long = true } = {}): Lock | undefined {
  const mine: Owner = { ...self(), token: randomUUID() };
  const text = JSON.stringify(mine);
  const candidate = `${path}.${mine.token}`;
  writeWhole(candidate, text);
  try {
    if (!linked(candidate, path) && !(removeStale(path, candidate) && linked(candidate, path))) {
      return undefined;
    }
  } finally {
    unlinkSync(candidate);
  }
  if (long) beat(path, "start");
  const holds = (): boolean => contentOf(path) === text;
  return {
    path,
    check() {
      if (holds()) return;
      throw new InputError(
        `${path}: expected this process to hold the lock, but ${describe(ownerOf(path))}; ` +
          "this one was silent for too long and stops here. Nothing is lost: the other goes on from the last checkpoint",
      );
    },
    release() {
      if (long) beat(path, "stop");
      if (holds()) rmSync(path, { force: true });
    },
  };
}

/** Does something short that only one process may do at a time; waits while another is at it. */
export function locked<T>(path: string, work: () => T): T {
  const deadline = performance.now() + 1000 * PATIENCE;
  for (;;) {
    const lock = acquire(path, { long: false });
    if (lock) {
      try {
        return work();
      } finally {
        lock.release();
      }
    }
    if (performance.now() > deadline) {
      throw new InputError(
        `${path}: expected to get the lock within ${PATIENCE} s, but ${describe(ownerOf(path))}; ` +
          "remove the file if that process is gone",
      );
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + (process.pid % 20));
  }
}

/** Seconds to wait for work that takes milliseconds. */
const PATIENCE = 120;

/** Removes a lock that no living process holds: what a killed one leaves behind. */
export function removeIfStale(path: string): void {
  if (existsSync(path)) acquire(path, { long: false })?.release();
}

/** Who holds a lock now; undefined where nobody does. */
export function ownerOf(path: string): Owner | undefined {
  const text = contentOf(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Owner;
  } catch {
    // It got its name when it was whole, but a machine that loses its power may leave it empty: silence frees it.
    return { host: "an unknown machine", pid: 0, born: "", job: "", restarts: 0, token: "" };
  }
}

/** Whether a living process holds the lock, as far as this one can tell. */
export function isHeld(path: string): boolean {
  const owner = ownerOf(path);
  return owner !== undefined && !isStale(path, owner, Date.now());
}

/** "process 123 on node7 holds it". */
export function describe(owner: Owner | undefined): string {
  return owner === undefined ? "nobody holds it" : `process ${owner.pid} on ${owner.host} holds it`;
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Whether `candidate` now is also called `path`. */
function linked(candidate: string, path: string): boolean {
  try {
    linkSync(candidate, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes the lock if it is stale. Only one process at a time may judge and remove, or a second one could remove the
 * lock that a third has taken in between.
 */
function removeStale(path: string, candidate: string): boolean {
  const guard = `${path}.takeover`;
  const now = statSync(candidate).mtimeMs; // the file system's clock, not this machine's
  const owner = ownerOf(path);
  if (owner === undefined) return true;
  if (!isStale(path, owner, now)) return false;
  if (!linked(candidate, guard)) {
    if (now - modified(guard) > 1000 * TAKEOVER) renameSync(guard, `${candidate}.dead`);
    rmSync(`${candidate}.dead`, { force: true });
    return false;
  }
  try {
    const still = ownerOf(path);
    if (still !== undefined && still.token !== owner.token) return false;
    rmSync(path, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

function isStale(path: string, owner: Owner, now: number): boolean {
  const me = self();
  if (owner.host === me.host) return owner.born !== birth(owner.pid);
  if (owner.job !== "" && owner.job === me.job && owner.restarts < me.restarts) return true;
  return now - modified(path) > 1000 * SILENCE;
}

/** Time of the last sign of life; the present where the file has just gone. */
function modified(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return Infinity;
  }
}

function self(): Omit<Owner, "token"> {
  const { pid } = process;
  const { SLURM_JOB_ID: job = "", SLURM_RESTART_COUNT: restarts = "0" } = process.env;
  return { host: hostname(), pid, born: birth(pid), job, restarts: Number(restarts) };
}

/** When a process of this machine started, as a text that no other process has; empty where there is no such process. */
function birth(pid: number): string {
  try {
    // After the command's name in parentheses, which may hold anything, the start time is the 20th field; a zombie is gone.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return "";
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${fields[19]}`;
  } catch {
    return process.platform === "linux" ? "" : birthElsewhere(pid);
  }
}

/** Without /proc a process is only known to be there or not. */
function birthElsewhere(pid: number): string {
  try {
    process.kill(pid, 0);
    return "alive";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "alive" : "";
  }
}

let heart: Worker | undefined;

/** Signs of life come from a thread of their own: a step of many seconds does not hold them up. */
function beat(path: string, change: "start" | "stop"): void {
  heart ??= new Worker(new URL("./heartbeat.mjs", import.meta.url), { workerData: { seconds: BEAT } });
  heart.unref();
  heart.postMessage({ path, change });
}
