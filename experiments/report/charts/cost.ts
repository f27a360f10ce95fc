import { percentSpread } from "../numbers.ts";
import type { ReportData } from "../data.ts";
import { methodOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import type { Summary } from "../summarize.ts";
import { type Chart, colorOf } from "./chart.ts";
import { accuracyAxis, type Axis, framed, quantity } from "./frame.ts";
import { logTicks, spansDecades } from "./scales.ts";
import { whisker } from "./series.ts";
import { homeSettings, inName, inWords, repetitions, sharedBy } from "./setting.ts";
import { shortNumber } from "./stretches.ts";

/** What distilling costs. */
const costs = [
  {
    key: "distillSeconds",
    name: "time",
    title: "Accuracy against time",
    axis: "Distillation, seconds",
    unit: "s",
  },
  {
    key: "peakMegabytes",
    name: "memory",
    title: "Accuracy against memory",
    axis: "Peak memory, MB",
    unit: " MB",
  },
] as const;
type Cost = (typeof costs)[number];

/** Time and memory of a distillation against the accuracy it comes to, a point for each summary of a setting. */
export function costCharts({ summaries }: ReportData, look: Look): Chart[] {
  return homeSettings(summaries).flatMap((rivals) => {
    const measured = rivals.filter(({ accuracy }) => Number.isFinite(accuracy.mean));
    return costs.flatMap((cost) => {
      const known = measured.filter((one) => Number.isFinite(one[cost.key].mean));
      const paid = known.filter((one) => one[cost.key].mean > 0);
      return paid.length > 1 ? [costChart(cost, known, { summaries, look })] : [];
    });
  });
}

interface Context {
  readonly summaries: readonly Summary[];
  readonly look: Look;
}

function costChart(cost: Cost, shown: readonly Summary[], { summaries, look }: Context): Chart {
  const methods = [...new Set(shown.map(methodOf))];
  const setting = sharedBy(shown);
  const paid = shown.filter((one) => one[cost.key].mean > 0).map((one) => one[cost.key].mean);
  const log = spansDecades(paid) && { scale: "log" as const, values: logTicks(paid) };
  const x: Axis = { title: cost.axis, padding: 12, ...log };
  const words = shown.map(
    (one) => `${methodOf(one)} ${percentSpread(one.accuracy)}% for ${amount(one, cost)}`,
  );
  const free = shown.some((one) => one[cost.key].mean === 0)
    ? "Horizontal lines cost nothing to distil."
    : "";
  return {
    id: `accuracy-by-${cost.name}-${inName(setting, summaries)}`,
    section: "cost",
    title: cost.title,
    caption: [inWords(setting), repetitions(shown), free].join(" ").trim(),
    alt: `${cost.title}: ${inWords(setting)} ${words.join("; ")}.`,
    dataset: shown[0]!.dataset,
    methods,
    legend: methods.map((label, method) => ({
      label,
      method,
      look: look(label),
      color: colorOf(look(label)),
      mark: shown.some((one) => methodOf(one) === label && one[cost.key].mean > 0) ? "point" : "line",
    })),
    spec: framed(
      methods.flatMap((name, method) =>
        costLayers(
          cost,
          shown.filter((one) => methodOf(one) === name),
          { method, look: look(name), x },
        ),
      ),
    ),
  };
}

function amount(one: Summary, { key, unit }: Cost): string {
  return one[key].mean === 0 ? "nothing" : `${shortNumber(one[key].mean)}${unit}`;
}

interface Drawn {
  readonly method: number;
  readonly look: ReturnType<Look>;
  readonly x: Axis;
}

/** Points with whiskers to both sides; what costs nothing, as no point of a logarithmic axis can, is a line across. */
function costLayers(cost: Cost, own: readonly Summary[], { method, look, x }: Drawn): object[] {
  const data = own.map((one) => {
    const [spent, { mean, std }] = [one[cost.key], one.accuracy];
    return {
      cost: spent.mean,
      least: spent.mean - spent.std,
      most: spent.mean + spent.std,
      mean,
      low: mean - std,
      high: mean + std,
      text: `${methodOf(one)}, ${one.experiment}: ${percentSpread(one.accuracy)}% for ${amount(one, cost)}`,
    };
  });
  const color = colorOf(look);
  const y = quantity("mean", accuracyAxis);
  const layer = (part: string, values: object[], mark: object, encoding: object): object => ({
    name: `series_${method}_${part}`,
    data: { values },
    mark: { color, aria: false, ...mark },
    encoding,
  });
  const paid = data.filter((one) => one.cost > 0);
  const free = data.filter((one) => one.cost === 0);
  const place = quantity("cost", x);
  return [
    ...(free.length > 0 ? [layer("free", free, { type: "rule", strokeWidth: 1.6 }, { y })] : []),
    layer(
      "spread",
      paid.filter(({ low }) => Number.isFinite(low)),
      { type: "rule", strokeWidth: 1.5 },
      { x: place, ...whisker("y", accuracyAxis) },
    ),
    layer(
      "range",
      paid.filter(({ least }) => least > 0),
      { type: "rule", strokeWidth: 1.5 },
      { ...whisker("x", x, ["least", "most"]), y },
    ),
    layer(
      "point",
      paid,
      { type: "point", filled: true, opacity: 1, size: 48, shape: look.shape, aria: true },
      { x: place, y, description: { field: "text" } },
    ),
  ];
}
