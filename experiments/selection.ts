import { existsSync } from "node:fs";
import type { DifficultyGuidedRecord } from "../src/coresets/difficultyGuided.ts";
import type { CoresetSelection } from "../src/coresets/coreset.ts";
import { readJson, writeWhole } from "./files.ts";
import type { Pool, PoolOrigin, PoolRecord } from "./pool.ts";
import { fileOf, type RunFolder } from "./runFolder.ts";

/** A run's selection.json: which images it starts from. A way to choose adds what it has to say. */
export interface SelectionFile extends Partial<DifficultyGuidedRecord> {
  readonly from: "real" | "pool";
  /** In the pool or the real images: of class 0, then of class 1, … */
  readonly positions: readonly number[];
  readonly pool?: PoolRecord;
  /** Where each image is from that was chosen of the pool. */
  readonly origins?: readonly PoolOrigin[];
}

/** Keeps which images a run starts from, and how they were chosen; a run that goes on keeps what it began with. */
export function writeSelection(run: RunFolder, { positions, record }: CoresetSelection, pool?: Pool): void {
  if (existsSync(fileOf(run, "checkpoint"))) return;
  const chosen = Array.from(positions);
  const kept: SelectionFile = {
    from: pool ? "pool" : "real",
    positions: chosen,
    ...(pool && { pool: pool.record, origins: chosen.map((position) => pool.origin(position)) }),
    ...record,
  };
  writeWhole(fileOf(run, "selection"), JSON.stringify(kept));
  for (const warning of kept.warnings ?? []) process.stderr.write(`${run.path}: ${warning}\n`);
}

/** What a run started from, if it says so. */
export function readSelection(run: { readonly path: string }): SelectionFile | undefined {
  const file = fileOf(run, "selection");
  return existsSync(file) ? (readJson(file) as SelectionFile) : undefined;
}
