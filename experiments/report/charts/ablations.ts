import { type Ablation, type AblationPanel, ablationsOf } from "../ablations.ts";
import type { ReportData } from "../data.ts";
import { listed } from "../labels.ts";
import { percent, percentSpread } from "../numbers.ts";
import { levelLook } from "../palette.ts";
import type { Summary } from "../summarize.ts";
import { highestOf, highestSentences, levelName, panelName } from "../highest.ts";
import { type Chart, colorOf, type LegendEntry, slug } from "./chart.ts";
import { accuracyAxis, type Axis, framed, quantity } from "./frame.ts";
import { isSlanted, type Matrix, matrixHeight, matrixLayers } from "./matrix.ts";
import { panelled } from "./panels.ts";
import { valuesAxis } from "./scales.ts";
import { type InPanel, legendOf, type Measured, measuredLayers } from "./series.ts";
import { inName, inWords, repetitions, sharedBy } from "./setting.ts";

/** Most panels of one chart; more are drawn in another. */
const PANELS = 6;

/**
 * Accuracy over two or three factors at once: a line for each value of one along the numbers of another, with a panel for
 * each method and each value of the third; a matrix where both are options of three numbers or more, or both are words.
 */
export function ablationCharts({ summaries }: ReportData): Chart[] {
  return ablationsOf(summaries).flatMap((ablation) => {
    const parts = isMatrix(ablation)
      ? ablation.panels.map((panel) => [panel])
      : Array.from({ length: Math.ceil(ablation.panels.length / PANELS) }, (_, i) =>
          ablation.panels.slice(i * PANELS, (i + 1) * PANELS),
        );
    return parts.map((panels) => {
      const part = { ...ablation, panels };
      return isMatrix(part) ? matrixChart(part, summaries) : lineChart(part, summaries);
    });
  });
}

function isMatrix({ x, line }: Ablation): boolean {
  if (!x.numeric) return true;
  return line.numeric && line.path !== "imbalance" && x.values.length > 2 && line.values.length > 2;
}

function lineChart(ablation: Ablation, summaries: readonly Summary[]): Chart {
  const { x, line, panels } = ablation;
  const about = aboutOf(ablation, summaries);
  const drawn = panels.map((panel) => ({
    panel,
    series: seriesOf(ablation, panel, about.methods),
    flat: flatOf(ablation, panel, about.methods),
  }));
  const xAxis = valuesAxis(x.name, x.values.map(Number));
  const entries = new Map(
    drawn
      .flatMap(({ series, flat }) => [...legendOf(series), ...flat.map(({ entry }) => entry)])
      .map((entry) => [entry.label, entry]),
  );
  const order = line.values.flatMap((value) => {
    const label = levelName(line, value);
    return [...entries.values()].filter((one) => one.label === label || one.label.startsWith(`${label},`));
  });
  const layers = (
    { series, flat }: (typeof drawn)[number],
    axes: [Axis, Axis],
    panel?: InPanel,
  ): object[] => [
    ...flat.map((one, i) => flatLayer(one, axes[1], `${i}${panel?.suffix ?? ""}`)),
    ...measuredLayers(series, ...axes, panel),
  ];
  return {
    ...about,
    alt: `${about.title}: ${inWords(sharedBy(summariesOf(ablation)))} ${drawn.map(inNumbers).join("; ")}.`,
    legend: order.map(({ method: _, ...entry }) => entry),
    spec:
      drawn.length === 1
        ? framed(layers(drawn[0]!, [xAxis, accuracyAxis]))
        : panelled(
            drawn.map((one, i) => ({
              name: panelName(one.panel, ablation),
              layers: (ofX, ofY) => layers(one, [ofX, ofY], { suffix: `_${i}` }),
            })),
            {
              x: { ...xAxis, domain: endsOf(x.values.map(Number)) },
              y: { ...accuracyAxis, domain: accuracyRange(summariesOf(ablation)) },
              columns: 2,
              height: 120,
            },
          ),
  };

  function inNumbers({ panel, series, flat }: (typeof drawn)[number]): string {
    const lines = series.map(
      ({ label, points }) =>
        `${label} ${points.map((point) => `${percentSpread(point.y)}% at ${point.x}`).join(", ")}`,
    );
    const levels = flat.map(({ entry, summary }) => `${entry.label} ${percentSpread(summary.accuracy)}%`);
    return `${panelName(panel, ablation)}: ${[...lines, ...levels].join("; ")}`;
  }
}

function seriesOf(
  { x, line }: Ablation,
  { method, cells }: AblationPanel,
  methods: readonly string[],
): Measured[] {
  return line.values.flatMap((value, place) => {
    const points = cells
      .filter(({ values }) => values.get(line.path) === value && values.has(x.path))
      .map(({ values, summary }) => ({ x: Number(values.get(x.path)), y: summary.accuracy }))
      .sort((a, b) => a.x - b.x);
    if (points.length === 0) return [];
    return [
      {
        label: levelName(line, value),
        method: methods.indexOf(method),
        look: levelLook(place),
        points,
        joined: true,
      },
    ];
  });
}

/** What has no value on the horizontal axis: one level across the panel. */
interface Flat {
  readonly entry: LegendEntry;
  readonly summary: Summary;
}

function flatOf({ x, line }: Ablation, { method, cells }: AblationPanel, methods: readonly string[]): Flat[] {
  return cells
    .filter(({ values }) => !values.has(x.path) && values.has(line.path))
    .map(({ values, summary }) => {
      const value = values.get(line.path) ?? "";
      const look = { ...levelLook(Math.max(0, line.values.indexOf(value))), dash: [3, 3] };
      const label = `${levelName(line, value)}, without ${x.name}`;
      return {
        summary,
        entry: { label, method: methods.indexOf(method), look, color: colorOf(look), mark: "line" },
      };
    });
}

function flatLayer({ entry, summary }: Flat, y: Axis, suffix: string): object {
  return {
    name: `series_${entry.method}_flat${suffix}`,
    data: {
      values: [{ mean: summary.accuracy.mean, text: `${entry.label}: ${percentSpread(summary.accuracy)}%` }],
    },
    mark: { type: "rule", color: entry.color, strokeWidth: 1.6, strokeDash: [...entry.look.dash] },
    encoding: { y: quantity("mean", y), description: { field: "text" } },
  };
}

function matrixChart(ablation: Ablation, summaries: readonly Summary[]): Chart {
  const { x, line, panels } = ablation;
  const about = aboutOf(ablation, summaries);
  const { cells } = panels[0]!;
  const highest = highestOf(cells.map(({ summary }) => summary));
  const means = cells.map(({ summary }) => summary.accuracy.mean);
  const matrix: Matrix = {
    rows: { names: [...line.values].reverse(), title: line.name },
    columns: { names: x.values, title: x.name, slanted: isSlanted(x.values) },
    range: endsOf(means),
  };
  const values = cells.flatMap(({ values: own, summary }) => {
    const [column, row] = [own.get(x.path), own.get(line.path)];
    if (column === undefined || row === undefined) return [];
    const { mean, std } = summary.accuracy;
    return [
      {
        row,
        column,
        mean,
        number: percent(mean),
        spread: Number.isFinite(std) ? `± ${percent(std)}` : "",
        framed: summary === highest?.summary,
        text: `${x.name} ${column}, ${line.name} ${row}: ${percentSpread(summary.accuracy)}%`,
      },
    ];
  });
  return {
    ...about,
    caption: `${about.caption} In percent; framed is the highest mean.`,
    alt: `${about.title}: ${inWords(sharedBy(summariesOf(ablation)))} ${values.map(({ text }) => text).join("; ")}.`,
    legend: [],
    spec: framed(matrixLayers("series_0", values, matrix), matrixHeight(matrix)),
  };
}

function aboutOf(ablation: Ablation, summaries: readonly Summary[]) {
  const { panels } = ablation;
  const shown = summariesOf(ablation);
  const alone = panels.length === 1 ? panelName(panels[0]!, ablation) : "";
  return {
    id: ablationId(ablation, summaries) + (isMatrix(ablation) ? `-${slug(alone)}` : ""),
    section: "options" as const,
    title: ablationTitle(ablation),
    caption: [
      inWords(sharedBy(shown)),
      ...(alone === "" ? [] : [`${alone}.`]),
      repetitions(shown),
      "All other options are the same.",
      ...highestSentences(ablation),
    ].join(" "),
    dataset: shown[0]!.dataset,
    methods: [...new Set(panels.map(({ method }) => method))],
  };
}

/** Names an ablation's chart and table by its factors and setting. */
export function ablationId(ablation: Ablation, summaries: readonly Summary[]): string {
  const setting = sharedBy(summariesOf(ablation));
  return ["ablation", ...namesOf(ablation).map(slug), inName(setting, summaries)].join("-");
}

/** "Accuracy against scale and kernel". */
export function ablationTitle(ablation: Ablation): string {
  return `Accuracy against ${listed(namesOf(ablation))}`;
}

function namesOf({ x, line, facet }: Ablation): string[] {
  return [x, line, ...(facet ? [facet] : [])].map(({ name }) => name);
}

function summariesOf({ panels }: Ablation): Summary[] {
  return panels.flatMap(({ cells }) => cells.map(({ summary }) => summary));
}

function endsOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** From the lowest whisker to the highest, and a little beyond. */
function accuracyRange(summaries: readonly Summary[]): [number, number] {
  const ends = endsOf(
    summaries.flatMap(({ accuracy: { mean, std } }) => [mean - (std || 0), mean + (std || 0)]),
  );
  const margin = 0.04 * (ends[1] - ends[0] || 0.1);
  return [Math.max(0, ends[0] - margin), Math.min(1, ends[1] + margin)];
}
