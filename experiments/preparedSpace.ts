import { dirname } from "node:path";
import { check } from "../src/core/errors.ts";
import type { Source } from "../src/objectives/objective.ts";
import { freeBytes, sizeText } from "./disk.ts";
import { isThere, partFile } from "./partFile.ts";
import type { Prepared } from "./preparation.ts";
import { listed, pluralOf } from "./report/labels.ts";

/** How much of a preparation is still to be made. */
export interface OpenParts {
  readonly prepared: Prepared;
  readonly open: number;
  /** Of each part on disk, about; 0 where the preparation does not say. */
  readonly bytesEach: number;
}

/** What a part takes is known from network and data. */
type Sizing = Pick<Source, "network" | "real" | "classes">;

/** What is still to be made of each. */
export function openParts(all: readonly Prepared[], source: Sizing): OpenParts[] {
  return all.map((prepared) => {
    const { preparation, path } = prepared;
    const there = Array.from({ length: preparation.parts }, (_, index) =>
      isThere(partFile(path, index), "outside"),
    );
    const open = there.filter((isPart) => !isPart).length;
    return { prepared, open, bytesEach: preparation.bytes?.(source) ?? 0 };
  });
}

/**
 * Bytes that making them takes: the parts, and of the largest also a checkpoint while it is made, which is there twice while it
 * is written.
 */
export function bytesToMake(open: readonly OpenParts[]): number {
  const left = open.filter((one) => one.open > 0);
  const parts = left.reduce((sum, one) => sum + one.open * one.bytesEach, 0);
  return parts + 2 * Math.max(0, ...left.map(({ bytesEach }) => bytesEach));
}

/** Bytes of a part that is still to be made, on average; 0 where there is none. */
export function meanBytesOfPart(all: readonly Prepared[], source: Sizing): number {
  const left = openParts(all, source);
  const parts = left.reduce((sum, { open }) => sum + open, 0);
  return parts === 0 ? 0 : left.reduce((sum, { open, bytesEach }) => sum + open * bytesEach, 0) / parts;
}

/**
 * Holds what is still to be made against the space there is, before hours are spent on it.
 *
 * @param free bytes that may still be written into a folder.
 * @throws InputError saying how much is missing.
 */
export function checkSpace(
  all: readonly Prepared[],
  source: Sizing,
  free: (path: string) => number = freeBytes,
): void {
  const open = openParts(all, source).filter((one) => one.open > 0);
  const [first] = open;
  if (first === undefined) return;
  const root = dirname(first.prepared.path);
  const [needed, there] = [bytesToMake(open), free(root)];
  check(needed <= there, () => {
    const what = open.map((one) => `${pluralOf(one.open, "part")} of ${one.prepared.name}`);
    return (
      `${root}: expected ${sizeText(needed)} free for ${listed(what)}, got ${sizeText(there)}; ` +
      `free ${sizeText(needed - there)} more, or choose a folder on another disk with --prepared DIR`
    );
  });
}
