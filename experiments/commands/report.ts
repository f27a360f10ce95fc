import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../src/core/errors.ts";
import { writeWhole } from "../files.ts";
import type { Machine } from "../machine.ts";
import { methodOf } from "../report/labels.ts";
import { markdownTable } from "../report/markdown.ts";
import { type Figure, renderReport } from "../report/report.ts";
import { summarize } from "../report/summarize.ts";
import { readRows, type Row } from "../results.ts";
import { fileOf, isDone, listRuns, readMetrics, readRun, type RunFolder } from "../runFolder.ts";

/** Where a report went, and its table as text. */
export interface WrittenReport {
  readonly page: string;
  readonly table: string;
}

/** Writes report.html, tables/accuracy.md and figures/*.png of a results folder from its rows and runs. */
export function writeReport(results: string): WrittenReport {
  const rows = readRows(join(results, "runs.csv"));
  const runs = listRuns(results).map(readRun).filter(isDone);
  check(
    rows.length > 0 || runs.length > 0,
    () => `${results}: expected rows in runs.csv or finished runs, found neither; distil something first`,
  );
  const table = markdownTable(summarize(rows));
  const figures = figuresOf(results, runs, rows);
  for (const { file, gridPng } of figures) writeWhole(join(results, "figures", `${file}.png`), gridPng);
  writeWhole(join(results, "tables", "accuracy.md"), `${table.trimEnd()}\n`);
  const page = join(results, "report.html");
  writeWhole(
    page,
    renderReport({
      title: "Distilled sets, side by side",
      lead: leadOf(rows),
      rows,
      classNames: Object.fromEntries(runs.map((run) => [run.experiment.data.name, classNamesOf(run)])),
      figures,
      facts: runs[0] ? factsOf(runs[0]) : [],
      configs: runs.map((run) => [
        `${run.experiment.name}, seed ${run.seed}`,
        readFileSync(fileOf(run, "config"), "utf8"),
      ]),
    }),
  );
  return { page, table };
}

type FiledFigure = Figure & { readonly file: string };

/**
 * Real images, then the result of each experiment's first seed, in the order of the rows. Of an experiment whose run
 * folder is elsewhere, the picture that an earlier report saved.
 */
function figuresOf(results: string, runs: readonly RunFolder[], rows: readonly Row[]): FiledFigure[] {
  const experiments = new Set([...rows.map(({ experiment }) => experiment), ...runs.map(nameOf)]);
  const learned = [...experiments].flatMap((experiment) => {
    const row = rows.find((one) => one.experiment === experiment);
    const about = { file: experiment, name: row ? methodOf(row) : experiment };
    const run = runs.find((one) => nameOf(one) === experiment);
    if (run) return [{ ...about, ...figureOf(run) }];
    return savedFigures(results, [experiment]).map((saved) => ({ ...saved, ...about }));
  });
  const sets = new Map(runs.map((run) => [`${run.experiment.data.name}-real`, run]));
  const real = [...sets].map(([file, run]) => ({
    file,
    name: "real images",
    caption: `${run.experiment.data.name}, the first of each class`,
    classNames: machineOf(run).classNames,
    gridPng: readFileSync(fileOf(run, "real")),
  }));
  const others = [...new Set(rows.map(({ dataset }) => `${dataset}-real`))].filter((file) => !sets.has(file));
  return [...real, ...savedFigures(results, others), ...learned];
}

const nameOf = (run: RunFolder): string => run.experiment.name;

function figureOf(run: RunFolder): Omit<FiledFigure, "file" | "name"> {
  const lossCurve = readMetrics(run).map(({ step, loss }) => [step, loss] as const);
  return {
    caption: `${nameOf(run)}, seed ${run.seed}`,
    classNames: machineOf(run).classNames,
    gridPng: readFileSync(fileOf(run, "images")),
    ...(lossCurve.length > 0 && { lossCurve }),
  };
}

function savedFigures(results: string, names: readonly string[]): FiledFigure[] {
  return names.flatMap((file) => {
    const path = join(results, "figures", `${file}.png`);
    return existsSync(path)
      ? [{ file, name: file, caption: `${file}, saved earlier`, gridPng: readFileSync(path) }]
      : [];
  });
}

function leadOf(rows: readonly Row[]): string {
  const count = (key: keyof Row): number => new Set(rows.map((row) => row[key])).size;
  const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
  return (
    `${plural(rows.length, "evaluation network")} trained on synthetic sets of ${plural(count("objective"), "method")}. ` +
    "Each is trained from scratch and tested once, after its last epoch, on all real test images."
  );
}

function classNamesOf(run: RunFolder): readonly string[] {
  return machineOf(run).classNames;
}

function factsOf(run: RunFolder): [string, string][] {
  const { engineDescription, node, processor, cores, memoryGiB, distillery, commit, date } = machineOf(run);
  return [
    ["Engine", engineDescription],
    ["Machine", `${processor}, ${cores} cores, ${memoryGiB} GiB`],
    ["Distillery", `${distillery} (${commit}), Node ${node}`],
    ["Date", date.slice(0, 10)],
  ];
}

function machineOf(run: RunFolder): Machine & { readonly classNames: readonly string[] } {
  const file = fileOf(run, "machine");
  if (!existsSync(file)) throw new Error(`internal: ${file}: a finished run without it`);
  return JSON.parse(readFileSync(file, "utf8")) as Machine & { readonly classNames: readonly string[] };
}
