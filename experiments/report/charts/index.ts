import { continualMethods } from "../continual.ts";
import type { ReportData } from "../data.ts";
import { type Look, seriesOf } from "../palette.ts";
import { ablationCharts } from "./ablations.ts";
import { architectureCharts } from "./architectures.ts";
import type { Chart } from "./chart.ts";
import { classCharts } from "./classes.ts";
import { continualCharts } from "./continual.ts";
import { costCharts } from "./cost.ts";
import { discrepancyCharts } from "./discrepancy.ts";
import { frequencyCharts } from "./frequencies.ts";
import { imagesPerClassCharts } from "./imagesPerClass.ts";
import { imbalanceCharts } from "./imbalance.ts";
import { mapCharts } from "./maps.ts";
import { metricCharts } from "./metrics.ts";
import { optionCharts } from "./options.ts";
import { pairedCharts } from "./paired.ts";
import { samplingCharts } from "./sampling.ts";
import { spectrumCharts } from "./spectra.ts";
import { thirdCharts } from "./thirds.ts";
import { trackingCharts } from "./tracking.ts";

export type { Chart } from "./chart.ts";
export { chartCsv } from "./csv.ts";
export { chartPng } from "./png.ts";
export { chartSvg } from "./render.ts";

/** Kinds of charts, in the order of the report. Each finds in the data what it can show, and shows nothing else. */
const kinds: readonly ((data: ReportData, look: Look) => Chart[])[] = [
  imagesPerClassCharts,
  imbalanceCharts,
  pairedCharts,
  thirdCharts,
  classCharts,
  ablationCharts,
  optionCharts,
  architectureCharts,
  continualCharts,
  samplingCharts,
  trackingCharts,
  metricCharts,
  discrepancyCharts,
  frequencyCharts,
  mapCharts,
  spectrumCharts,
  costCharts,
];

/** All charts that the data have something for, with ids of their own. */
export function chartsOf(data: ReportData): Chart[] {
  const onMaps = (data.maps ?? []).flatMap(({ subjects }) => subjects);
  const look = seriesOf(
    [...data.summaries, ...continualMethods(data.continual ?? [])],
    [...data.runs, ...onMaps].map(({ method }) => method),
  );
  const seen = new Map<string, number>();
  return kinds
    .flatMap((kind) => kind(data, look))
    .map((chart) => {
      const count = (seen.get(chart.id) ?? 0) + 1;
      seen.set(chart.id, count);
      return count > 1 ? { ...chart, id: `${chart.id}-${count}` } : chart;
    });
}
