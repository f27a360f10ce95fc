import { finestOf, type ImageSpectra } from "../../spectra.ts";
import type { ReportData, RunRecord } from "../data.ts";
import { pluralOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { groups, type Summary } from "../summarize.ts";
import { mainVariant } from "../variants.ts";
import { type Chart, colorOf } from "./chart.ts";
import { classSpectrumCharts } from "./classSpectra.ts";
import { type Curve, curveLayers, curveLegend, type CurvePoint } from "./curves.ts";
import { type Axis, framed } from "./frame.ts";
import { logTicks, spansDecades } from "./scales.ts";
import { inName, inWords } from "./setting.ts";
import { shortNumber } from "./stretches.ts";

/** A run whose spectra are known. */
export type SpectralRun = RunRecord & { readonly spectra: NonNullable<RunRecord["spectra"]> };

/**
 * Power spectra of real images and of each method's, overall and class by class, and how much more or less power a
 * method's have, for each setting: all seeds of one config of a method.
 */
export function spectrumCharts(data: ReportData, look: Look): Chart[] {
  const known = data.runs.filter((run): run is SpectralRun => run.spectra !== undefined);
  return mainRunsBySetting(known, data).flatMap((shown) => [
    powerChart(shown, look),
    excessChart(shown, look),
    ...classSpectrumCharts(shown, data, look),
  ]);
}

/** Of each setting, for each of its methods: all seeds of the config that the others were varied from. */
export function mainRunsBySetting<R extends RunRecord>(
  runs: readonly R[],
  { summaries }: Pick<ReportData, "summaries">,
): R[][][] {
  const settings = groups(runs, ["dataset", "imbalance", "imagesPerClass"]);
  return [...settings.values()].map((setting) =>
    [...groups(setting, ["method"]).values()].map((own) => mainRuns(own, summaries)),
  );
}

/** All seeds of the one experiment of a method that the others were varied from, or of the first. */
function mainRuns<R extends RunRecord>(runs: readonly R[], summaries: readonly Summary[]): R[] {
  const names = new Set(runs.map(({ experiment }) => experiment));
  const known = summaries.filter(({ experiment }) => names.has(experiment));
  const main = known.length > 0 ? mainVariant(known).experiment : runs[0]!.experiment;
  return runs.filter(({ experiment }) => experiment === main);
}

function powerChart(shown: readonly SpectralRun[][], look: Look): Chart {
  const methods = curvesOf(shown, look, ({ synthetic }, k) => synthetic.overall[k]!);
  const real: Curve = {
    label: "real images",
    color: "var(--ink)",
    look: { shape: "circle", dash: [2, 2] },
    points: overSeeds([shown[0]![0]!], ({ real: images }, k) => images.overall[k]!),
  };
  return chartOf(shown, {
    name: "power-spectra",
    title: "Power spectra",
    note: "Mean of |F|² over the frequencies at one distance from 0, images, channels and classes",
    axis: "Mean power, of pixels in [0, 1]",
    curves: [...methods, real],
    legend: [real, ...methods],
  });
}

function excessChart(shown: readonly SpectralRun[][], look: Look): Chart {
  const curves = curvesOf(shown, look, ({ real, synthetic }, k) => synthetic.overall[k]! / real.overall[k]!);
  return chartOf(shown, {
    name: "power-excess",
    title: "Power over that of real images",
    note: "1 is as much as real images have",
    axis: "Power, real images have 1",
    curves,
    legend: curves,
  });
}

function curvesOf(shown: readonly SpectralRun[][], look: Look, value: ByFrequency): Curve[] {
  return shown.map((runs, method) => {
    const name = runs[0]!.method;
    return {
      label: name,
      method,
      color: colorOf(look(name)),
      look: look(name),
      points: overSeeds(runs, value),
    };
  });
}

type ByFrequency = (
  spectra: { readonly real: ImageSpectra; readonly synthetic: ImageSpectra },
  k: number,
) => number;

/** From one cycle per edge to the finest grating along it, N/2; beyond, only diagonals are left, up to N/√2. */
export function overSeeds(runs: readonly SpectralRun[], value: ByFrequency): CurvePoint[] {
  const finest = finestOf(runs[0]!.spectra.real.overall.length);
  return Array.from({ length: finest }, (_, i) => {
    const spread: Spread = spreadOf(runs.map(({ spectra }) => value(spectra, i + 1)));
    // A band that reaches 0 has no lower edge on a logarithmic axis.
    const deviation = spread.std < spread.mean ? spread.std : 0;
    return { x: i + 1, y: spread.mean, low: spread.mean - deviation, high: spread.mean + deviation };
  }).filter(({ y }) => y > 0 && Number.isFinite(y));
}

interface Plotted {
  readonly name: string;
  readonly title: string;
  readonly note: string;
  readonly axis: string;
  /** In the order in which they are drawn, and in that of the legend. */
  readonly curves: readonly Curve[];
  readonly legend: readonly Curve[];
}

function chartOf(
  shown: readonly SpectralRun[][],
  { name, title, note, axis, curves, legend }: Plotted,
): Chart {
  const { dataset, imbalance, imagesPerClass } = shown[0]![0]!;
  const setting = { dataset, imbalance, imagesPerClass };
  const seeds = Math.max(...shown.map((runs) => runs.length));
  const points = curves.flatMap((curve) => curve.points);
  const finest = Math.max(...points.map(({ x }) => x));
  const x: Axis = { title: "Frequency, cycles per image edge", scale: "log", values: octavesTo(finest) };
  const powers = points.map((point) => point.y);
  const log = spansDecades(powers) && { scale: "log" as const, values: logTicks(powers) };
  const y: Axis = { title: axis, grid: true, ...log };
  const said = legend.map(({ label, points: own }) => `${label} ${shortNumber(own.at(-1)?.y ?? NaN)}`);
  return {
    id: `${name}-${inName(setting, [])}`,
    section: "spectra",
    title,
    caption: `${inWords(setting)} ${note}${seeds > 1 ? `; ± standard deviation over ${pluralOf(seeds, "seed")}` : ""}.`,
    alt: `${title}: ${inWords(setting)} At ${finest} cycles per image edge ${said.join(", ")}.`,
    dataset,
    methods: shown.map(([run]) => run!.method),
    legend: curveLegend(legend),
    spec: framed(curveLayers(curves, x, y)),
  };
}

/** 1, 2, 4, … as far as there are frequencies. */
export function octavesTo(finest: number): number[] {
  return Array.from({ length: Math.floor(Math.log2(finest)) + 1 }, (_, i) => 2 ** i);
}
