import { stringify } from "csv-stringify/sync";
import type { Chart } from "./chart.ts";

/** What a chart draws as CSV; none where a table of the report has it. */
export function chartCsv({ numbers }: Chart): string | undefined {
  return numbers && stringify([...numbers], { header: true });
}
