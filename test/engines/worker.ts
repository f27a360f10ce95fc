import { parentPort, workerData } from "node:worker_threads";
import { loadAddon } from "../../src/engines/torch/addon.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { secondOrder } from "./secondOrder.ts";

/** What a worker is to do: compute and tell the result, or compute for ever. */
export interface Task {
  readonly work: "once" | "ever";
  readonly threads: number;
}

/** What a worker tells. */
export interface News {
  readonly threads: number;
  /** What it computed, if it was to compute once. */
  readonly result?: number[][];
}

const { work, threads } = workerData as Task;
const engine = torchEngine({ threads });
const news: News = { threads: loadAddon().threads() };
parentPort!.postMessage(work === "once" ? { ...news, result: secondOrder(engine) } : news);
while (work === "ever") secondOrder(engine);
