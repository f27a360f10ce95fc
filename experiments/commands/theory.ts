import { join } from "node:path";
import { stringify as csv } from "csv-stringify/sync";
import { stringify as yaml } from "yaml";
import { writeWhole } from "../files.ts";
import { commit } from "../machine.ts";
import { chartPng, chartSvg } from "../report/charts/index.ts";
import { theoryCharts } from "../theory/chart.ts";
import type { TheoryOptions } from "../theory/options.ts";
import { runTheory, type TheoryResult } from "../theory/run.ts";
import { crossoverMarkdown, crossoverRows, curveRows, pointRows } from "../theory/tables.ts";

/**
 * Solves and simulates the scaling law of data pruning, and writes what was found into a folder:
 *
 *     curves.csv             a line for each student of the theory
 *     points.csv             a line for each simulated one, where any is
 *     crossovers.csv, .md    where hard examples get better than easy ones, and either than all
 *     options.yaml           every option resolved, and the commit
 *     figures/               error by examples, as SVG and PNG
 */
export async function theory(options: TheoryOptions, out: string): Promise<TheoryResult> {
  const result = runTheory(options);
  const write = (name: string, content: string | Uint8Array): void => writeWhole(join(out, name), content);
  write("curves.csv", csv(curveRows(result), { header: true }));
  if (result.points.length > 0) write("points.csv", csv(pointRows(result), { header: true }));
  write("crossovers.csv", csv(crossoverRows(result), { header: true }));
  write("crossovers.md", crossoverMarkdown(result));
  write("options.yaml", yaml({ ...options, commit }));
  for (const chart of theoryCharts(result)) {
    write(join("figures", `${chart.id}.svg`), await chartSvg(chart, "print"));
    write(join("figures", `${chart.id}.png`), await chartPng(chart));
  }
  return result;
}
