import { execFile } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterEach, expect, jest, test } from "@jest/globals";
import { addonFile } from "../../native/build.mjs";
import { loadAddon } from "../../src/engines/torch/addon.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { secondOrder } from "./secondOrder.ts";
import type { News, Task } from "./worker.ts";

// Two threads for every engine, the main thread's and the workers': sums are then split in the same way.
const threads = 2;
const engine = torchEngine({ threads });
const alone = secondOrder(engine);

jest.setTimeout(60_000); // milliseconds; a worker that compiles TypeScript first takes about one second to start

/** Starts worker.ts, which is TypeScript. */
const program = `
  import("tsx/esm/api").then(({ register }) => {
    register();
    return import(${JSON.stringify(new URL("./worker.ts", import.meta.url).href)});
  });
`;

const running = new Set<Worker>();
afterEach(async () => {
  await Promise.all([...running].map((worker) => worker.terminate()));
});

/** A worker, once it has told its news. */
function started(task: Task): Promise<{ worker: Worker; news: News }> {
  const worker = new Worker(program, { eval: true, workerData: task });
  running.add(worker);
  worker.once("exit", () => running.delete(worker));
  return new Promise((resolve, reject) => {
    worker.once("message", (news: News) => resolve({ worker, news }));
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the worker ended without a word")));
  });
}

test("workers and the main thread compute at the same time the bits that one computes alone", async () => {
  const workers = Promise.all([1, 2, 3].map(() => started({ work: "once", threads })));
  let waiting = true;
  const done = workers.finally(() => (waiting = false));
  do {
    expect(secondOrder(engine)).toEqual(alone);
    await wait(1);
  } while (waiting);
  for (const { news } of await done) expect(news.result).toEqual(alone);
});

test("the number of threads is each worker's own", async () => {
  const { news } = await started({ work: "once", threads: 1 });
  expect([news.threads, loadAddon().threads()]).toEqual([1, threads]);
  expect(secondOrder(engine)).toEqual(alone);
});

test("workers that are terminated while they compute leave the others alone", async () => {
  const { worker: other } = await started({ work: "ever", threads });
  for (let i = 0; i < 3; i++) {
    const { worker } = await started({ work: "ever", threads });
    await wait(30 * i); // milliseconds; a computation takes about ten
    await worker.terminate();
    expect(secondOrder(engine)).toEqual(alone);
  }
  expect(running.has(other)).toBe(true);
});

test("memory is flat over twenty workers that end with live tensors and a recorded graph", async () => {
  const littering = `
    const addon = require(${JSON.stringify(addonFile())});
    addon.scratch.set([2, 512, 1024], 16); // 2 MiB
    addon.record(true);
    const variable = addon.variable(addon.full(1, 0, false), false);
    for (let i = 0; i < 8; i++) addon.exp(variable);
  `;
  const size: number[] = [];
  for (let round = 0; round < 10; round++) {
    const pair = [1, 2].map(() => new Worker(littering, { eval: true }));
    const codes = await Promise.all(pair.map((worker) => once(worker, "exit")));
    expect(codes).toEqual([[0], [0]]);
    size.push(process.memoryUsage.rss() / 2 ** 20);
  }
  // What the last ten left would be 180 MiB.
  expect(Math.max(...size.slice(5)) - Math.max(...size.slice(0, 5))).toBeLessThan(90);
  expect(secondOrder(engine)).toEqual(alone);
});

test("a process in which only workers use the engine may end at any time", async () => {
  const main = `
    const { Worker } = require("node:worker_threads");
    const workerData = { work: "ever", threads: 2 };
    const start = () => new Worker(${JSON.stringify(program)}, { eval: true, workerData });
    const [first, second] = [start(), start()];
    first.once("message", () => first.terminate().then(() => {
      second.once("exit", () => start().once("message", () => process.exit(7)));
      setTimeout(() => second.terminate(), 50);
    }));
  `;
  await expect(promisify(execFile)(process.execPath, ["-e", main])).rejects.toMatchObject({
    code: 7,
    signal: null,
    stderr: "",
  });
});
