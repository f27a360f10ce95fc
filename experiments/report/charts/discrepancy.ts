import type { ReportData, RunRecord } from "../data.ts";
import { pluralOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { spreadOf } from "../statistics.ts";
import type { Chart, LegendEntry } from "./chart.ts";
import { evenly } from "./classSpectra.ts";
import { dotLayers } from "./dots.ts";
import { type Axis, framed, quantity } from "./frame.ts";
import { logTicks } from "./scales.ts";
import { legendOf, type Measured } from "./series.ts";
import { inName, inWords } from "./setting.ts";
import { mainRunsBySetting } from "./spectra.ts";
import { shortNumber } from "./stretches.ts";

type ComparedRun = RunRecord & { readonly discrepancy: NonNullable<RunRecord["discrepancy"]> };

/** Most classes that have a row; of more, so many evenly spaced by label. */
const CLASSES = 12;
/** From this factor on values are drawn on a logarithmic axis. */
const LOG_RATIO = 4;

/** Runs whose features were compared with those of real images. */
export function comparedRuns(runs: readonly RunRecord[]): ComparedRun[] {
  return runs.filter((run): run is ComparedRun => run.discrepancy !== undefined);
}

/**
 * How far each method's images are from held-out real ones in feature space, over all classes and in each, with what as
 * many random real images have, for each setting and architecture.
 */
export function discrepancyCharts(data: ReportData, look: Look): Chart[] {
  const known = comparedRuns(data.runs);
  const networks = [...new Set(known.map(({ discrepancy }) => discrepancy.network))];
  return networks.flatMap((network) =>
    mainRunsBySetting(
      known.filter(({ discrepancy }) => discrepancy.network === network),
      data,
    ).map((shown) => discrepancyChart(shown, data, look)),
  );
}

function discrepancyChart(
  shown: readonly ComparedRun[][],
  { classNames }: Pick<ReportData, "classNames">,
  look: Look,
): Chart {
  const { dataset, imbalance, imagesPerClass, discrepancy } = shown[0]![0]!;
  const { synthetic, network, networks } = discrepancy;
  const labels = evenly(synthetic.classes.length, CLASSES);
  const rows = ["all classes", ...labels.map((label) => classNames[dataset]?.[label] ?? `class ${label}`)];
  const series = shown.map((runs, method): Measured => {
    const values = runs.map((run) => valuesOf(run.discrepancy, "synthetic", labels));
    const points = rows.map((_, x) => ({ x, y: spreadOf(values.map((own) => own[x]!)) }));
    return { label: runs[0]!.method, method, look: look(runs[0]!.method), points, joined: false };
  });
  // Of methods that show networks more images than others, such as cells of mosaics, the reference has more, too.
  const references = shown.map((runs) => valuesOf(runs[0]!.discrepancy, "real", labels));
  const reference = references.reduce((a, b) => (b[0]! > a[0]! ? b : a));
  const axis = axisFor([...series.flatMap(({ points }) => points.map(({ y }) => y.mean)), ...reference]);
  const title = "Distance from real images in feature space";
  const seeds = Math.max(...shown.map((runs) => runs.length));
  const setting = { dataset, imbalance, imagesPerClass };
  const said = [
    ...series.map(({ label, points }) => `${label} ${shortNumber(points[0]!.y.mean)}`),
    `random real images ${shortNumber(reference[0]!)}`,
  ];
  return {
    id: `feature-discrepancy-${inName(setting, [])}`,
    section: "features",
    title,
    caption:
      `${inWords(setting)} Squared MMD under a Gaussian kernel of the median distance, mean over ` +
      `${pluralOf(networks, "random network")} ${network}${seeds > 1 ? `; ± standard deviation over ${pluralOf(seeds, "seed")}` : ""}. ` +
      "Left of its tick, a class is closer to held-out images than as many random training images are.",
    alt: `${title}: ${inWords(setting)} Over all classes ${said.join(", ")}.`,
    dataset,
    methods: shown.map(([run]) => run!.method),
    legend: [...legendOf(series), realEntry],
    spec: framed(
      [
        ...dotLayers(series, { names: rows, title: "" }, axis, ({ mean }) => shortNumber(mean)),
        referenceLayer(rows, reference, axis),
      ],
      60 + rows.length * Math.max(18, 6 * series.length + 4),
    ),
  };
}

/** At the median distance: over all classes, then of those shown. */
function valuesOf(
  discrepancy: ComparedRun["discrepancy"],
  images: "synthetic" | "real",
  labels: readonly number[],
): number[] {
  const at = discrepancy.factors.indexOf(1);
  const { overall, classes } = discrepancy[images];
  return [overall[at]!, ...labels.map((label) => classes[label]?.[at] ?? NaN)];
}

/** Logarithmic where all values are positive and far apart. */
function axisFor(means: readonly number[]): Axis {
  const known = means.filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const isLog = low > 0 && high / low > LOG_RATIO;
  return {
    title: "Squared MMD to held-out images",
    grid: true,
    padding: 10,
    ...(isLog ? { scale: "log", values: logTicks([low, high]) } : { zero: true }),
  };
}

function referenceLayer(rows: readonly string[], reference: readonly number[], axis: Axis): object {
  const values = rows.map((name, i) => ({ name, x: reference[i]! })).filter(({ x }) => Number.isFinite(x));
  const scale = { type: "point", domain: [...rows], padding: 0.5 };
  return {
    name: "other_real",
    data: { values },
    mark: { type: "tick", color: "var(--ink)", thickness: 2, size: 16, aria: false },
    encoding: { x: quantity("x", axis), y: { field: "name", type: "nominal", sort: null, scale } },
  };
}

const realEntry: LegendEntry = {
  label: "as many random real images",
  color: "var(--ink)",
  mark: "line",
  look: { shape: "circle", dash: [] },
};
