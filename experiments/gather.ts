import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { writeWhole } from "./files.ts";
import { locked } from "./lock.ts";
import { DISTILLATION_FAILED, readRows, readRow, type Row, rowJson, writeRows } from "./results.ts";
import { fileOf, listRuns, resultsOf, type RunFolder } from "./runFolder.ts";

/** Where a results folder keeps its rows. */
export const rowsFile = (results: string): string => join(results, "runs.csv");

/** Says where a set of anyone's came from that is kept in a folder for its rows. */
export const SOURCE = "source.json";

/** The folder that keeps the rows of a set that is no run's. */
export function artifactFolder(results: string, name: string, seed: number): string {
  return join(results, "artifacts", name, `seed-${seed}`);
}

/** Folders below a results folder that keep rows: of runs, and of other sets. */
export function listFolders(results: string): string[] {
  const root = join(results, "artifacts");
  const others = existsSync(root)
    ? readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => basename(file) === SOURCE)
    : [];
  return [...listRuns(results), ...others.sort().map((file) => join(root, dirname(file)))];
}

/**
 * Keeps a row: in a file of its own in the run's folder, so that any number of processes and machines can evaluate at
 * once, and in runs.csv.
 */
export function recordRow(run: { readonly path: string }, row: Row): void {
  const failed = row.evaluationSeed === DISTILLATION_FAILED;
  writeWhole(failed ? fileOf(run, "failure") : evaluationFile(run, row), rowJson(row));
  gatherRows(resultsOf(run), [run.path]);
}

/** Forgets that a distillation failed before: it is tried again. */
export function forgetFailure(run: RunFolder): void {
  rmSync(fileOf(run, "failure"), { force: true });
}

/** Removes the rows of a run from runs.csv; those in its folder go with the folder. */
export function removeRows(run: RunFolder): void {
  const file = rowsFile(resultsOf(run));
  const own = keyOf({ experiment: run.experiment.name, distillSeed: run.seed });
  locked(`${file}.lock`, () => {
    const rows = readRows(file);
    const others = rows.filter((row) => keyOf(row) !== own);
    if (others.length < rows.length) writeRows(file, others);
  });
}

/** What a run's own folder says of it: its evaluations, or why it failed. In order of networks and seeds. */
export function rowsOfRun(run: { readonly path: string }): Row[] {
  const folder = fileOf(run, "evaluations");
  const evaluations = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".json"))
        .sort(naturally)
        .map((file) => join(folder, file))
    : [];
  const failure = fileOf(run, "failure");
  const files = evaluations.length === 0 && existsSync(failure) ? [failure] : evaluations;
  return files.map(readRow);
}

/**
 * Brings the rows of run folders into runs.csv, in place of those it has of these runs. Rows of runs whose folders lie
 * elsewhere stay. The order is that of first appearance.
 *
 * @param paths of run folders; by default all.
 * @returns all rows.
 */
export function gatherRows(results: string, paths: readonly string[] = listFolders(results)): Row[] {
  const file = rowsFile(results);
  return locked(`${file}.lock`, () => {
    const before = readRows(file);
    const runs = new Map<string, Row[]>();
    for (const row of before) runs.set(keyOf(row), [...(runs.get(keyOf(row)) ?? []), row]);
    for (const path of paths) {
      const own = rowsOfRun({ path });
      if (own.length > 0) runs.set(keyOf(own[0]!), own);
    }
    const rows = [...runs.values()].flat();
    if (JSON.stringify(rows) !== JSON.stringify(before)) writeRows(file, rows);
    return rows;
  });
}

const keyOf = ({ experiment, distillSeed }: Pick<Row, "experiment" | "distillSeed">): string =>
  JSON.stringify([experiment, distillSeed]);

/** The file of an evaluation network's row. */
export function evaluationFile(
  run: { readonly path: string },
  {
    protocol,
    evaluationNetwork,
    evaluationSeed,
  }: Pick<Row, "protocol" | "evaluationNetwork" | "evaluationSeed">,
): string {
  return join(fileOf(run, "evaluations"), protocol, evaluationNetwork, `${evaluationSeed}.json`);
}

const collator = new Intl.Collator("en", { numeric: true });
const naturally = (a: string, b: string): number => collator.compare(a, b);
