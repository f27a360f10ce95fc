import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { acquire, isHeld, type Owner, ownerOf } from "../../experiments/lock.ts";

const newPath = (): string => join(mkdtempSync(join(tmpdir(), "distillery-lock-")), "run.lock");

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

/** A process of its own that runs some lines with `acquire` and `locked` at hand, and ends when its input does. */
function process_(lines: string): ChildProcess {
  const module = join(process.cwd(), "experiments/lock.ts");
  const code = `import { acquire, locked } from ${JSON.stringify(module)}; import fs from "node:fs"; ${lines}`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

test("a lock is held by one, and free when it is released", () => {
  const path = newPath();
  const lock = acquire(path)!;
  expect(acquire(path)).toBeUndefined();
  expect(ownerOf(path)).toMatchObject({ host: hostname(), pid: process.pid });
  expect(isHeld(path)).toBe(true);
  lock.check();
  lock.release();
  expect(isHeld(path)).toBe(false);
  acquire(path)!.release();
  expect(readdirSync(join(path, ".."))).toEqual([]);
});

test("a lock of a process that was killed is taken over, one of a living process is not", async () => {
  const path = newPath();
  const child = process_(`acquire(${JSON.stringify(path)}); console.log("held"); process.stdin.resume();`);
  await once(child.stdout!, "data");
  expect(acquire(path)).toBeUndefined();
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isHeld(path)).toBe(false);
  const lock = acquire(path)!;
  expect(ownerOf(path)!.pid).toBe(process.pid);
  lock.release();
}, 30_000);

const elsewhere: Owner = { host: "another", pid: 1, born: "then", job: "", restarts: 0, token: "t" };

test("a lock of another machine is taken over after minutes of silence, not before", () => {
  const path = newPath();
  writeFileSync(path, JSON.stringify(elsewhere));
  expect(acquire(path)).toBeUndefined();
  const past = new Date(Date.now() - 301_000);
  utimesSync(path, past, past);
  expect(acquire(path)).toBeDefined();
});

test("a job that the scheduler starts again takes its own lock over at once", () => {
  const path = newPath();
  writeFileSync(path, JSON.stringify({ ...elsewhere, job: "4711" }));
  process.env.SLURM_JOB_ID = "4712";
  try {
    expect(acquire(path)).toBeUndefined();
    process.env.SLURM_JOB_ID = "4711";
    // Steps of one job on several machines.
    expect(acquire(path)).toBeUndefined();
    process.env.SLURM_RESTART_COUNT = "1";
    expect(acquire(path)).toBeDefined();
  } finally {
    delete process.env.SLURM_JOB_ID;
    delete process.env.SLURM_RESTART_COUNT;
  }
});

test("a number that another process has now does not keep a lock", () => {
  const path = newPath();
  writeFileSync(path, JSON.stringify({ ...elsewhere, host: hostname(), pid: process.pid, born: "before" }));
  expect(acquire(path)).toBeDefined();
});

test("a lock that lost its content is freed by silence", () => {
  const path = newPath();
  writeFileSync(path, "");
  expect(acquire(path)).toBeUndefined();
  const past = new Date(Date.now() - 301_000);
  utimesSync(path, past, past);
  acquire(path)!.release();
  expect(readdirSync(join(path, ".."))).toEqual([]);
});

test("whoever lost a lock learns of it, and does not release the other's", () => {
  const path = newPath();
  const lock = acquire(path)!;
  writeFileSync(path, JSON.stringify(elsewhere));
  expect(() => lock.check()).toThrow(
    /run\.lock: expected this process to hold the lock, but process 1 on another/,
  );
  lock.release();
  expect(existsSync(path)).toBe(true);
});

test("many processes that add to one number lose none, though some are killed", async () => {
  const path = newPath();
  const file = join(path, "..", "count");
  writeFileSync(file, "0");
  const lines = `
    for (let i = 0; i < 60; i++) locked(${JSON.stringify(path)}, () => {
      const n = Number(fs.readFileSync(${JSON.stringify(file)}, "utf8"));
      fs.writeFileSync(${JSON.stringify(`${file}.`)} + process.pid, String(n + 1));
      fs.renameSync(${JSON.stringify(`${file}.`)} + process.pid, ${JSON.stringify(file)});
    });`;
  const whole = [process_(lines), process_(lines), process_(lines)];
  // This one dies with the lock in its hand, again and again.
  const dying = process_(`locked(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"));`);
  const codes = await Promise.all(
    [...whole, dying].map(async (child) => (await once(child, "exit"))[0] as number),
  );
  expect(codes).toEqual([0, 0, 0, null]);
  expect(readFileSync(file, "utf8")).toBe("180");
}, 60_000);
