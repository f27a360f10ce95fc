import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../src/core/errors.ts";
import { writeWhole } from "../files.ts";
import { gatherRows } from "../gather.ts";
import { gridFiles } from "../report/gridFiles.ts";
import { markdownTable } from "../report/markdown.ts";
import { renderPage } from "../report/page/page.ts";
import { readResults, reportData } from "../report/reportData.ts";

/** Where a report went, and its table as text. */
export interface WrittenReport {
  readonly page: string;
  readonly table: string;
}

/** Writes report.html, tables/accuracy.md and figures/*.png of a results folder from its rows and runs. */
export async function writeReport(results: string): Promise<WrittenReport> {
  gatherRows(results);
  const read = readResults(results);
  check(
    read.rows.length > 0 || read.runs.length > 0,
    () => `${results}: expected rows in runs.csv or runs, found neither; distil something first`,
  );
  const data = await reportData(read);
  const table = markdownTable(data.summaries);
  for (const { file, source } of gridFiles(read)) {
    const target = join(results, "figures", `${file}.png`);
    if (source !== target) writeWhole(target, readFileSync(source));
  }
  writeWhole(join(results, "tables", "accuracy.md"), `${table.trimEnd()}\n`);
  const page = join(results, "report.html");
  writeWhole(page, renderPage(data));
  return { page, table };
}
