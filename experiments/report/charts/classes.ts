import { percent } from "../numbers.ts";
import type { ReportData } from "../data.ts";
import { methodOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import type { Summary } from "../summarize.ts";
import { barLayers, barLegend, type BarSeries } from "./bars.ts";
import { byClass } from "./byClass.ts";
import { type Chart, colorOf } from "./chart.ts";
import { type Curve, curveLayers, curveLegend } from "./curves.ts";
import { accuracyAxis, framed } from "./frame.ts";
import { inName, inWords, repetitions, sharedBy } from "./setting.ts";

/** Up to so many classes each has bars of its own; beyond, a line runs over them in label order. */
const BARS = 24;

/** Accuracy of each class, for each setting. */
export function classCharts(data: ReportData, look: Look): Chart[] {
  return byClass(data).map(({ shown, names, note }) => {
    const setting = sharedBy(shown);
    const title = "Accuracy by class";
    const many = names.length > BARS;
    return {
      id: `accuracy-by-class-${inName(setting, data.summaries)}`,
      section: "classes" as const,
      title,
      caption: [inWords(setting), repetitions(shown), note].join(" ").trim(),
      alt: `${title}: ${inWords(setting)} ${shown.map((one) => extremes(one, names)).join("; ")}.`,
      dataset: shown[0]!.dataset,
      methods: shown.map(methodOf),
      ...(many ? profile(shown, look) : bars(shown, names, look)),
    };
  });
}

type Drawn = Pick<Chart, "legend" | "spec">;

function bars(shown: readonly Summary[], names: readonly string[], look: Look): Drawn {
  const series = shown.map((one, method): BarSeries => ({
    label: methodOf(one),
    method,
    look: look(methodOf(one)),
    values: one.classAccuracies,
  }));
  const unique = names.map((name, i) => (names.indexOf(name) === i ? name : `${name} (${i})`));
  const layers = barLayers(
    series,
    { names: unique, title: "", lying: true },
    { ...accuracyAxis, zero: true },
  );
  return { legend: barLegend(series), spec: framed(layers, 60 + names.length * (8 + 9 * series.length)) };
}

function profile(shown: readonly Summary[], look: Look): Drawn {
  const curves = shown.map((one, method): Curve => ({
    label: methodOf(one),
    method,
    look: look(methodOf(one)),
    color: colorOf(look(methodOf(one))),
    points: one.classAccuracies.map(({ mean, std }, x) => ({
      x,
      y: mean,
      low: mean - (std || 0),
      high: mean + (std || 0),
    })),
  }));
  const axis = { title: "Class, by label", domain: [0, shown[0]!.classAccuracies.length - 1] as const };
  return {
    legend: curveLegend(curves),
    spec: framed(curveLayers(curves, axis, { ...accuracyAxis, zero: true })),
  };
}

/** "dm from 21.0% (cat) to 80.1% (ship)". */
function extremes(one: Summary, names: readonly string[]): string {
  const ranked = one.classAccuracies
    .map(({ mean }, label) => ({ mean, label }))
    .sort((a, b) => a.mean - b.mean);
  const [low, high] = [ranked[0]!, ranked.at(-1)!];
  return `${methodOf(one)} from ${percent(low.mean)}% (${names[low.label]!}) to ${percent(high.mean)}% (${names[high.label]!})`;
}
