import { statSync } from "node:fs";
import type { Engine } from "../../src/engines/index.ts";
import { sourceOf } from "../../src/runs/setting.ts";
import type { Experiment } from "../config.ts";
import { loadData } from "../data/load.ts";
import { freeBytes, sizeText } from "../disk.ts";
import { partFile } from "../partFile.ts";
import { allPreparedFor, checkParts, prepare, type Prepared } from "../preparation.ts";
import { bytesToMake, checkSpace, type OpenParts, openParts } from "../preparedSpace.ts";
import { pluralOf } from "../report/labels.ts";
import { methodName } from "../setting.ts";
import { sourceFor } from "../source.ts";

export interface ExpertsOptions {
  /** Folder that keeps what runs share. */
  readonly prepared: string;
  /** Bytes that may still be written into a folder; by default asked of its file system. */
  readonly free?: (path: string) => number;
}

/** Says that an experiment's runs share nothing that is made beforehand. */
export function nothingToMake(experiment: Experiment): string {
  return (
    `${experiment.name}: nothing to make: its runs share nothing that is made beforehand ` +
    `(${experiment.objective ? "method" : "initialization"} ${methodName(experiment)})`
  );
}

/**
 * Makes all that an experiment's runs share, such as expert trajectories, and nothing else: what is there stays, what was cut
 * off goes on, and several processes share the parts out.
 *
 * @throws InputError, before anything is made, where it does not fit on the disk; Stopped by a signal.
 */
export async function makeExperts(
  experiment: Experiment,
  engine: Engine,
  { prepared: root, free = freeBytes }: ExpertsOptions,
  print: (line: string) => void,
): Promise<void> {
  const all = allPreparedFor(root, experiment);
  const { splits } = await loadData(experiment.data);
  const sizing = sourceOf(experiment, splits, engine);
  await checkParts(all);
  planLines(openParts(all, sizing), { root, free: free(root) }).forEach(print);
  checkSpace(all, sizing, free); // all of it, before the whitening, which the others need, is made
  const source = await sourceFor(experiment, { splits, engine, prepared: root });
  await prepare(all, source, free);
  for (const one of all) print(`${one.path}  ${partsText(one)}, ${sizeText(sizeOf(one))}`);
}

/** What there is to make, and what it takes. */
function planLines(
  open: readonly OpenParts[],
  { root, free }: { readonly root: string; readonly free: number },
): string[] {
  const lines = open.map((one) => `  ${one.prepared.name}  ${planText(one)}`);
  const space = `disk: ${sizeText(bytesToMake(open))} to write with checkpoints, ${sizeText(free)} free`;
  return [`into ${root}:`, ...lines, ...(open.every((one) => one.open === 0) ? [] : [space])];
}

function planText({ prepared, open, bytesEach }: OpenParts): string {
  const there = prepared.preparation.parts - open;
  if (open === 0) return `${partsText(prepared)}, all there`;
  const size = bytesEach > 0 ? `, ${sizeText(bytesEach)} each` : ", of unknown size";
  return `${partsText(prepared)}${size}, ${there} there, ${open} to make`;
}

const partsText = ({ preparation }: Prepared): string => pluralOf(preparation.parts, "part");

/** Bytes of all its parts. */
function sizeOf({ preparation, path }: Prepared): number {
  const files = Array.from({ length: preparation.parts }, (_, index) => partFile(path, index));
  return files.reduce((sum, file) => sum + statSync(file.path).size, 0);
}
