import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../src/core/errors.ts";
import { writeWhole } from "../files.ts";
import { gatherRows } from "../gather.ts";
import { type Chart, chartCsv, chartPng, chartsOf, chartSvg } from "../report/charts/index.ts";
import { gridFiles } from "../report/gridFiles.ts";
import { drawnCharts } from "../report/page/drawnCharts.ts";
import { renderPage } from "../report/page/page.ts";
import { checkBaseline } from "../report/pairedComparisons.ts";
import { readResults, reportData, type Results } from "../report/reportData.ts";
import { markdown, tableFiles, tablesOf } from "../report/tables/index.ts";

/** Where a report went, and its tables of accuracy as Markdown. */
export interface WrittenReport {
  readonly page: string;
  readonly table: string;
}

export interface ReportOptions {
  /** What other methods are held against in paired comparisons: a method or an experiment; see `pairedComparisons`. */
  readonly baseline?: string | undefined;
}

/**
 * Writes report.html, tables/*.{md,csv,tex} and figures/*.{svg,png,csv} of a results folder from its rows and runs.
 *
 * @throws InputError if there are neither, or no row is of the baseline.
 */
export async function writeReport(path: string, { baseline }: ReportOptions = {}): Promise<WrittenReport> {
  check(
    existsSync(path) && statSync(path).isDirectory(),
    () => `${path}: expected a results folder, found ${existsSync(path) ? "a file" : "nothing"}`,
  );
  gatherRows(path);
  const results = readResults(path);
  check(
    results.rows.length > 0 || results.runs.length > 0 || results.continual.length > 0,
    () => `${path}: expected rows in runs.csv or runs, found neither; distil something first`,
  );
  const data = await reportData(results, baseline);
  checkBaseline(data.summaries, baseline);
  const tables = tablesOf(data);
  for (const { name, content } of tableFiles(tables)) writeWhole(join(path, "tables", name), content);
  const charts = chartsOf(data);
  copyGrids(results);
  await writeCharts(path, charts);
  const page = join(path, "report.html");
  writeWhole(page, renderPage(data, await drawnCharts(charts)));
  return { page, table: markdown(tables.filter(({ kind }) => kind === "accuracy")) };
}

/** Grids of images as the runs left them; those of runs elsewhere are there already. */
function copyGrids(results: Results): void {
  for (const { file, source } of gridFiles(results)) {
    const target = join(results.path, "figures", `${file}.png`);
    if (source !== target) writeWhole(target, readFileSync(source));
  }
}

/** Writes charts into the figures of a results folder, each as SVG, PNG and, where it has numbers, CSV. */
export async function writeCharts(path: string, charts: readonly Chart[]): Promise<void> {
  for (const chart of charts) {
    const stem = join(path, "figures", chart.id);
    writeWhole(`${stem}.svg`, await chartSvg(chart, "print"));
    writeWhole(`${stem}.png`, await chartPng(chart));
    const numbers = chartCsv(chart);
    if (numbers !== undefined) writeWhole(`${stem}.csv`, numbers);
  }
}
