// @ts-check
/** Gives signs of life on the lock files of this process: see lock.ts. */
import { closeSync, openSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** @type {Set<string>} */
const held = new Set();

parentPort?.on("message", (/** @type {{ path: string, change: "start" | "stop" }} */ { path, change }) => {
  if (change === "start") held.add(path);
  else held.delete(path);
});

setInterval(() => {
  for (const path of held) {
    try {
      // Writing the first letter again, which all locks share, sets the time by the file system's own clock.
      const file = openSync(path, "r+");
      writeSync(file, "{", 0);
      closeSync(file);
    } catch {
      held.delete(path); // released or taken over between two beats
    }
  }
}, 1000 * workerData.seconds);
