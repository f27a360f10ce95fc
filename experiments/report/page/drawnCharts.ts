import { type Chart, chartSvg } from "../charts/index.ts";
import type { DrawnChart } from "./pageData.ts";

/** Charts drawn for the page before, by all that they are drawn from: of a page that follows results most stay the same. */
let before = new Map<string, string>();

/** Charts, drawn for a page. */
export async function drawnCharts(charts: readonly Chart[]): Promise<DrawnChart[]> {
  const now = new Map<string, string>();
  const drawn: DrawnChart[] = [];
  for (const chart of charts) {
    const key = JSON.stringify(chart);
    const svg = before.get(key) ?? (await chartSvg(chart, "page"));
    now.set(key, svg);
    drawn.push({ ...chart, svg });
  }
  before = now;
  return drawn;
}
