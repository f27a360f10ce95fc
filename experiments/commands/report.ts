import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
  const table = markdownTable(summarize(rows));
  const figures = figuresOf(runs, rows);
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

/** Real images, then the result of each experiment's first seed, in the order of the rows. */
function figuresOf(runs: readonly RunFolder[], rows: readonly Row[]): FiledFigure[] {
  const place = ({ experiment: { name } }: RunFolder): number =>
    rows.findIndex(({ experiment }) => experiment === name);
  const firsts = runs
    .filter((run, i) => runs.findIndex((other) => other.experiment.name === run.experiment.name) === i)
    .sort((a, b) => place(a) - place(b));
  const sets = new Map(firsts.map((run) => [`${run.experiment.data.name}-real`, run]));
  const real = [...sets].map(([file, run]) => ({
    file,
    name: "real images",
    caption: `${run.experiment.data.name}, the first of each class`,
    gridPng: readFileSync(fileOf(run, "real")),
  }));
  const learned = firsts.map((run) => {
    const row = rows.find(({ experiment }) => experiment === run.experiment.name);
    const lossCurve = readMetrics(run).map(({ step, loss }) => [step, loss] as const);
    return {
      file: run.experiment.name,
      name: row ? methodOf(row) : run.experiment.name,
      caption: `${run.experiment.name}, seed ${run.seed}`,
      gridPng: readFileSync(fileOf(run, "images")),
      ...(lossCurve.length > 0 && { lossCurve }),
    };
  });
  return [...real, ...learned];
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
