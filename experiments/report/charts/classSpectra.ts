import { highFrequencyRatios } from "../../spectra.ts";
import type { ReportData } from "../data.ts";
import { pluralOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { spreadOf } from "../statistics.ts";
import { type Chart, colorOf } from "./chart.ts";
import { type Curve, curveLayers, curveLegend } from "./curves.ts";
import { dotLayers } from "./dots.ts";
import { framed, quantity } from "./frame.ts";
import { panelled } from "./panels.ts";
import { logTicks, spansDecades } from "./scales.ts";
import { legendOf, type Measured } from "./series.ts";
import { inName, inWords } from "./setting.ts";
import { octavesTo, overSeeds, type SpectralRun } from "./spectra.ts";
import { shortNumber } from "./stretches.ts";

/** Most classes that have a panel; of more, so many evenly spaced by label. */
const PANELS = 12;
const COLUMNS = 3;

/**
 * Power spectra of every class, and the high-frequency energy of its images over that of real ones, of the configs that
 * stand for the methods of one setting.
 */
export function classSpectrumCharts(
  shown: readonly SpectralRun[][],
  { classNames }: Pick<ReportData, "classNames">,
  look: Look,
): Chart[] {
  const { dataset, spectra } = shown[0]![0]!;
  const names = spectra.real.classes.map((_, label) => classNames[dataset]?.[label] ?? `class ${label}`);
  if (names.length < 2) return [];
  const labels = evenly(names.length, PANELS);
  return [panelChart(shown, { names, labels, look }), energyChart(shown, { names, labels, look })];
}

interface Classes {
  /** Of all classes. */
  readonly names: readonly string[];
  /** Those shown. */
  readonly labels: readonly number[];
  readonly look: Look;
}

/** 0 … count − 1, or so many of them that are evenly spaced, with both ends. */
export function evenly(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}

function panelChart(shown: readonly SpectralRun[][], { names, labels, look }: Classes): Chart {
  const curvesOf = (label: number): Curve[] => [
    ...shown.map((runs, method): Curve => {
      const own = look(runs[0]!.method);
      const points = overSeeds(runs, ({ synthetic }, k) => synthetic.classes[label]![k]!);
      return { label: runs[0]!.method, method, color: colorOf(own), look: own, points };
    }),
    {
      label: "real images",
      color: "var(--ink)",
      look: { shape: "circle", dash: [2, 2] },
      points: overSeeds([shown[0]![0]!], ({ real }, k) => real.classes[label]![k]!),
    },
  ];
  const panels = labels.map((label) => ({ name: names[label]!, curves: curvesOf(label) }));
  const powers = panels.flatMap(({ curves }) => curves.flatMap(({ points }) => points.map(({ y }) => y)));
  const finest = Math.max(...panels[0]!.curves[0]!.points.map(({ x }) => x));
  const log = spansDecades(powers) && { scale: "log" as const, values: powersOfTen(powers) };
  const legend = panels[0]!.curves;
  const title = "Power spectra by class";
  return {
    ...setting(shown, "power-spectra-by-class"),
    title,
    caption: caption(shown, { names, labels }, "Real images dotted, on the same axes for all classes"),
    alt: `${title}: ${inWords(aboutOf(shown))} At ${finest} cycles per image edge ${panels
      .map(({ name, curves }) => `${name} ${saidOf(curves)}`)
      .join("; ")}.`,
    legend: curveLegend([legend.at(-1)!, ...legend.slice(0, -1)]),
    spec: panelled(
      panels.map(({ name, curves }, at) => ({
        name,
        layers: (x, y) => curveLayers(curves, x, y, `_${at}`),
      })),
      {
        x: {
          title: "Frequency, cycles per image edge",
          scale: "log",
          values: octavesTo(finest),
          domain: [1, finest],
        },
        y: { title: "Mean power", grid: true, ...log, domain: [Math.min(...powers), Math.max(...powers)] },
        columns: Math.min(COLUMNS, panels.length),
        height: 74,
      },
    ),
  };
}

/** Labels of a small logarithmic axis. */
function powersOfTen(values: readonly number[]): number[] {
  const ticks = logTicks(values);
  const powers = ticks.filter((tick) => Number.isInteger(Math.log10(tick)));
  return powers.length > 1 ? powers : ticks;
}

function saidOf(curves: readonly Curve[]): string {
  return curves.map(({ label, points }) => `${label} ${shortNumber(points.at(-1)?.y ?? NaN)}`).join(", ");
}

function energyChart(shown: readonly SpectralRun[][], { names, labels, look }: Classes): Chart {
  const rows = ["all classes", ...labels.map((label) => names[label]!)];
  const series = shown.map((runs, method): Measured => {
    const ratios = runs.map(({ spectra }) => highFrequencyRatios(spectra));
    const values = [
      ratios.map(({ overall }) => overall),
      ...labels.map((label) => ratios.map(({ classes }) => classes[label]!)),
    ];
    return {
      label: runs[0]!.method,
      method,
      look: look(runs[0]!.method),
      points: values.map((of, x) => ({ x, y: spreadOf(of) })),
      joined: false,
    };
  });
  const means = series.flatMap(({ points }) => points.map(({ y }) => y.mean)).filter((mean) => mean > 0);
  const around = [1, ...means];
  const ends = [Math.min(...around), Math.max(...around)] as const;
  const log = ends[1] / ends[0] > 4 && { scale: "log" as const, values: logTicks(ends) };
  const axis = { title: "Energy, real images have 1", grid: true, padding: 10, ...log };
  const title = "High-frequency energy";
  const said = series.map(({ label, points }) => `${label} ${shortNumber(points[0]!.y.mean)}`);
  return {
    ...setting(shown, "high-frequency-energy"),
    title,
    caption: caption(
      shown,
      { names, labels },
      "Energy above half of the finest grating’s frequency, over that of real images of the class: more than 1 is noisier, " +
        "less is smoother",
    ),
    alt: `${title} over that of real images: ${inWords(aboutOf(shown))} Over all classes ${said.join(", ")}.`,
    legend: legendOf(series),
    spec: framed(
      [
        {
          name: "other_real",
          data: { values: [{ x: 1 }] },
          mark: { type: "rule", color: "var(--ink)", strokeDash: [2, 2] },
          encoding: { x: quantity("x", axis) },
        },
        ...dotLayers(
          series,
          { names: rows, title: "" },
          axis,
          ({ mean }) => `${shortNumber(mean)} times that of real images`,
        ),
      ],
      60 + rows.length * Math.max(18, 6 * series.length + 4),
    ),
  };
}

function aboutOf(shown: readonly SpectralRun[][]) {
  const { dataset, imbalance, imagesPerClass } = shown[0]![0]!;
  return { dataset, imbalance, imagesPerClass };
}

function setting(shown: readonly SpectralRun[][], name: string) {
  return {
    id: `${name}-${inName(aboutOf(shown), [])}`,
    section: "spectra" as const,
    dataset: shown[0]![0]!.dataset,
    methods: shown.map(([run]) => run!.method),
  };
}

function caption(
  shown: readonly SpectralRun[][],
  { names, labels }: Omit<Classes, "look">,
  note: string,
): string {
  const seeds = Math.max(...shown.map((runs) => runs.length));
  const over = seeds > 1 ? `; ± standard deviation over ${pluralOf(seeds, "seed")}` : "";
  const some =
    labels.length < names.length
      ? ` ${labels.length} of ${names.length} classes, evenly spaced by label.`
      : "";
  return `${inWords(aboutOf(shown))} ${note}${over}.${some}`;
}
