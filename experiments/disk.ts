import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Bytes that may still be written where a folder is or will be. */
export function freeBytes(path: string): number {
  const at = resolve(path);
  if (!existsSync(at)) return freeBytes(dirname(at));
  const { bavail, bsize } = statfsSync(at);
  return bavail * bsize;
}

/** "640 kB", "1.3 MB", "65 MB", "6.5 GB", in powers of 1000. */
export function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
