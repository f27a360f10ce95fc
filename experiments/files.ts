import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { InputError } from "../src/core/errors.ts";

/** Writes a whole file or nothing: to a temporary name beside it, then renames. Missing folders are made. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  // Processes of several machines can have one number.
  const partial = `${path}.${hostname()}.${process.pid}.partial`;
  try {
    writeFileSync(partial, content);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true }); // a full disk is not left fuller
    throw error;
  }
}

/** Runs `read`; what it finds wrong is said with the file it is in, and what to do. */
export function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${path}: ${error.message}; the file is damaged: distil again with --force`);
  }
}

/** What a file of ours holds as JSON. */
export function readJson(path: string): unknown {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `${path}: expected JSON, got a file that is cut short or otherwise damaged (${(error as Error).message}); ` +
        "remove it, and start the command again that makes it",
    );
  }
}
