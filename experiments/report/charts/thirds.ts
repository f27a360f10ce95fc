import { percentSpread } from "../numbers.ts";
import type { ReportData } from "../data.ts";
import { methodOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { barLayers, barLegend, type BarSeries } from "./bars.ts";
import type { Chart } from "./chart.ts";
import { accuracyAxis, framed } from "./frame.ts";
import { mainConfigs } from "./mainConfigs.ts";
import { homeSettings, inName, inWords, repetitions, sharedBy } from "./setting.ts";

const parts = ["head", "medium", "tail"] as const;

/** Accuracy in thirds of the classes by their number of training images, for each long-tailed setting. */
export function thirdCharts({ summaries }: ReportData, look: Look): Chart[] {
  return homeSettings(summaries).flatMap((rivals) => {
    const { mains, note } = mainConfigs(rivals);
    const shown = mains.filter((one) => one.imbalance > 1 && Number.isFinite(one.headAccuracy.mean));
    if (shown.length === 0) return [];
    const methods = shown.map(methodOf);
    const series = shown.map((one, method): BarSeries => ({
      label: methods[method]!,
      method,
      look: look(methods[method]!),
      values: parts.map((part) => one[`${part}Accuracy`]),
    }));
    const setting = sharedBy(shown);
    const title = "Accuracy of frequent and rare classes";
    const words = series.map(
      ({ label, values }) =>
        `${label} ${parts.map((part, i) => `${part} ${percentSpread(values[i]!)}%`).join(", ")}`,
    );
    return [
      {
        id: `accuracy-by-third-${inName(setting, summaries)}`,
        section: "classes" as const,
        title,
        caption: [inWords(setting), repetitions(shown), note].join(" ").trim(),
        alt: `${title}: ${inWords(setting)} ${words.join("; ")}.`,
        dataset: shown[0]!.dataset,
        methods,
        legend: barLegend(series),
        spec: framed(
          barLayers(
            series,
            {
              names: ["Head", "Medium", "Tail"],
              title: "Thirds of the classes by training images",
              lying: false,
            },
            { ...accuracyAxis, zero: true },
          ),
        ),
      },
    ];
  });
}
