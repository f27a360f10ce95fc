import type { ReportData } from "../data.ts";
import type { Look } from "../palette.ts";
import { chartsAlong } from "./along.ts";
import type { Chart } from "./chart.ts";

/** Accuracy against the number of synthetic images of each class. */
export function imagesPerClassCharts(data: ReportData, look: Look): Chart[] {
  return chartsAlong(data, look, {
    column: "imagesPerClass",
    name: "accuracy-by-images-per-class",
    title: "Accuracy against images per class",
    axis: "Images per class",
  });
}
