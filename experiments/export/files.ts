import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { check } from "../../src/core/errors.ts";

/** A file of a folder: path inside it, and content. */
export type FileContent = readonly [path: string, content: string | Uint8Array];

/** The file by which a folder is known as an export. */
export const CARD = "card.json";

/** Writes a whole export or nothing: under a temporary name beside it, then renames. */
export function writeFolderWhole(path: string, files: readonly FileContent[]): void {
  const partial = `${path}.${process.pid}.partial`;
  const replaced = `${path}.${process.pid}.replaced`;
  try {
    for (const [file, content] of files) {
      mkdirSync(dirname(join(partial, file)), { recursive: true });
      writeFileSync(join(partial, file), content);
    }
    if (existsSync(path)) renameSync(path, replaced);
    renameSync(partial, path);
    rmSync(replaced, { recursive: true, force: true });
  } catch (error) {
    if (existsSync(replaced) && !existsSync(path)) renameSync(replaced, path);
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Checks that a folder may be written: nothing is there, or an earlier export that `force` says to replace.
 *
 * @throws InputError where it may not.
 */
export function checkFree(path: string, force: boolean): void {
  if (!existsSync(path)) return;
  check(force, () => `${path}: is there already; replace it with --force, or name another folder with --out`);
  check(
    existsSync(join(path, CARD)) || readdirSync(path).length === 0,
    () =>
      `${path}: expected an earlier export to replace, with ${CARD} in it, got something else; name another folder`,
  );
}
