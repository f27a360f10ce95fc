import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "@jest/globals";
import { lock } from "../../native/lock.mjs";

let file: string;
let waits: number;
const onWait = (): void => {
  waits++;
};

beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), "distillery-lock-")), "lock");
  waits = 0;
});

test("one holds the lock, another waits until it is let go, and says so once", async () => {
  const release = await lock(file, onWait);
  const order: string[] = [];
  const second = lock(file, onWait).then((letGo) => {
    order.push("second");
    letGo();
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  order.push("first");
  release();
  await second;
  expect(order).toEqual(["first", "second"]);
  expect(waits).toBe(1);
  expect(existsSync(file)).toBe(false);
});

test("the lock of a process that has died is taken", async () => {
  const dead = execFileSync(process.execPath, ["-e", "console.log(process.pid)"], {
    encoding: "utf8",
  }).trim();
  writeFileSync(file, `${dead} ${hostname()}`);
  await lock(file, onWait);
  expect(readFileSync(file, "utf8")).toBe(`${process.pid} ${hostname()}`);
  expect(waits).toBe(0);
});

test("the lock of another machine is taken when it has grown old", async () => {
  writeFileSync(file, "1 elsewhere");
  const taken = lock(file, onWait);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(readFileSync(file, "utf8")).toBe("1 elsewhere");
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(file, hourAgo, hourAgo);
  (await taken)();
  expect(waits).toBe(1);
});
