import { createHash } from "node:crypto";
import { type Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Files that are written into in place. All others get their names when they are whole, and so change their folder. */
const GROWING = /^metrics\.jsonl$|\.csv$|\.png$/;
/** Folders whose changes no page shows. */
const UNSHOWN = new Set(["checkpoint", "prepared", "figures", "tables"]);

/**
 * A short text that differs once anything in a results folder has changed that its page shows: from the times and sizes
 * of files, without opening any. Network file systems tell nobody of changes, so it is asked for again and again; what
 * vanishes meanwhile counts as not there.
 */
export async function fingerprint(results: string): Promise<string> {
  const hash = createHash("sha256");
  for (const line of await entriesOf(results)) hash.update(`${line}\n`);
  return hash.digest("hex").slice(0, 16);
}

/** A line for a folder and one for all in it that counts, in order of their names. */
async function entriesOf(folder: string): Promise<string[]> {
  const [own, entries] = await Promise.all([stampOf(folder), list(folder)]);
  const inside = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return UNSHOWN.has(entry.name) ? [] : await entriesOf(path);
      return GROWING.test(entry.name) ? [await stampOf(path)] : [];
    }),
  );
  return [own, ...inside.flat()];
}

async function list(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${path} ${mtimeMs} ${size} ${ino}`;
  } catch {
    return `${path} –`;
  }
}
