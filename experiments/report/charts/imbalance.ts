import type { ReportData } from "../data.ts";
import type { Look } from "../palette.ts";
import { chartsAlong } from "./along.ts";
import type { Chart } from "./chart.ts";

/** Accuracy against the imbalance of the training set. */
export function imbalanceCharts(data: ReportData, look: Look): Chart[] {
  return chartsAlong(data, look, {
    column: "imbalance",
    name: "accuracy-by-imbalance",
    title: "Accuracy against imbalance",
    axis: "Images of the largest class for one of the smallest",
  });
}
