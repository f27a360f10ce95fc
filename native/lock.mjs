// A lock file that one process holds at a time, on one machine or on several that share a folder.
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";

/** A holder on another machine cannot be asked; no compilation takes so long, milliseconds. */
const LONGEST = 15 * 60 * 1000;

/**
 * Waits until no other process holds the lock, and takes it.
 *
 * @param {string} file
 * @param {() => void} onWait called once, where there is another process to wait for.
 * @returns {Promise<() => void>} lets go.
 */
export async function lock(file, onWait) {
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(file, `${process.pid} ${hostname()}`, { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isAbandoned(file)) {
      rmSync(file, { force: true });
      continue;
    }
    if (!waited) onWait();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Whether the process that took the lock has died. */
function isAbandoned(file) {
  try {
    const [pid, host] = readFileSync(file, "utf8").split(" ");
    if (host !== undefined && host !== hostname()) return Date.now() - statSync(file).mtimeMs > LONGEST;
    return Number(pid) > 0 && !isRunning(Number(pid)); // one that is empty is being written
  } catch {
    return false; // it has just been let go
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
