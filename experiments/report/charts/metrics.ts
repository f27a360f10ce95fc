import { trackedColumns } from "../../tracking.ts";
import type { ReportData, RunRecord } from "../data.ts";
import { labelAmong, pluralOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { groups, type Summary } from "../summarize.ts";
import { type Chart, colorOf, slug } from "./chart.ts";
import { type Curve, curveLayers, curveLegend, dashes } from "./curves.ts";
import { framed } from "./frame.ts";
import { logTicks, spansDecades } from "./scales.ts";
import { inName, inWords } from "./setting.ts";
import { shortNames } from "./shortNames.ts";
import { shortNumber, stretched } from "./stretches.ts";

/** Most experiments of one chart; where there are more, each kind has charts of its own. */
const CURVES = 6;

/** Every metric that runs logged against their steps, whatever names a method gives them, but dice. */
export function metricCharts({ summaries, runs }: ReportData, look: Look): Chart[] {
  const settings = [...groups(runs, ["dataset", "imbalance", "imagesPerClass"]).values()];
  return settings.flatMap((setting) =>
    metricNames(setting).flatMap((name) => {
      const logged = setting.filter(
        (run) => !isTracked(run, name) && run.metrics.some((metric) => Number.isFinite(metric[name])),
      );
      const all = [...groups(logged, ["experiment"]).values()];
      return parts(all, ({ method }) => method).map((experiments) =>
        metricChart({ name, experiments, labels: labelsOf(experiments, summaries) }, look),
      );
    }),
  );
}

function metricNames(runs: readonly RunRecord[]): string[] {
  const names = new Set(
    runs.flatMap((run) =>
      run.metrics.flatMap((metric) => Object.keys(metric).filter((name) => !isTracked(run, name))),
    ),
  );
  return [...names].filter((name) => !notCharted.includes(name));
}

/** The axis, and dice: no curve tells anything of where segments of experts begin. */
const notCharted: readonly string[] = ["step", "startEpoch"];

/** What is tracked of the images has charts of its own. */
function isTracked({ tracking }: RunRecord, name: string): boolean {
  return tracking !== undefined && trackedColumns.some((column) => column === name);
}

/** Experiments, each with the runs of its seeds, as they go into charts: those of a kind together where they are many. */
export function parts<R extends RunRecord>(experiments: readonly R[][], kindOf: (run: R) => string): R[][][] {
  if (experiments.length === 0) return [];
  if (experiments.length <= CURVES) return [[...experiments]];
  const kinds = new Set(experiments.map(([one]) => kindOf(one!)));
  return [...kinds].flatMap((kind) => {
    const own = experiments.filter(([one]) => kindOf(one!) === kind);
    return Array.from({ length: Math.ceil(own.length / CURVES) }, (_, i) =>
      own.slice(i * CURVES, (i + 1) * CURVES),
    );
  });
}

/** What experiments are called, by what differs where several are of one method. */
export function labelsOf(
  experiments: readonly (readonly RunRecord[])[],
  summaries: readonly Summary[],
): string[] {
  const known = experiments.map(([one]) =>
    summaries.find(({ experiment }) => experiment === one!.experiment),
  );
  const rivals = known.filter((one) => one !== undefined);
  const networks = [...new Set(rivals.map(({ network }) => network))];
  const short = shortNames(networks);
  return experiments.map(([one], i) => {
    const summary = known[i];
    if (summary) {
      const label = labelAmong(
        rivals.filter(({ network }) => network === summary.network),
        summary,
      );
      return networks.length > 1 ? `${label}, ${short(summary.network)}` : label;
    }
    const { method, experiment } = one!;
    return experiments.some(([other]) => other !== one && other!.method === method)
      ? `${method}, ${experiment}`
      : method;
  });
}

interface Plotted {
  readonly name: string;
  readonly experiments: readonly RunRecord[][];
  readonly labels: readonly string[];
}

function metricChart({ name, experiments, labels }: Plotted, look: Look): Chart {
  const methods = [...new Set(experiments.map(([one]) => one!.method))];
  const drawn = experiments.map((runs) =>
    stretched(
      runs.map(({ metrics }) =>
        metrics.flatMap((metric) => (name in metric ? [[metric.step, metric[name] ?? NaN] as const] : [])),
      ),
    ),
  );
  const curves = drawn.map(({ points }, i): Curve => {
    const { method } = experiments[i]![0]!;
    const earlier = experiments.slice(0, i).filter(([one]) => one!.method === method).length;
    const own = look(method);
    return {
      label: labels[i]!,
      method: methods.indexOf(method),
      color: colorOf(own),
      look: { ...own, dash: earlier === 0 ? own.dash : dashes[(earlier - 1) % dashes.length]! },
      points,
    };
  });
  const values = curves.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high]));
  const { dataset, imbalance, imagesPerClass } = experiments[0]![0]!;
  const setting = { dataset, imbalance, imagesPerClass };
  const title = inTitle(name);
  const alone = methods.length === 1 && experiments.length > 1 ? `-${slug(labels[0]!)}` : "";
  const log = spansDecades(values) && { scale: "log" as const, values: logTicks(values) };
  return {
    id: `${slug(title)}-${inName(setting, [])}${alone}`,
    section: "training",
    title: `${title} by step`,
    caption: `${inWords(setting)} ${reading(Math.max(...drawn.map(({ length }) => length)), experiments)}`,
    alt: `${title} by step: ${inWords(setting)} ${curves.map((curve, i) => inNumbers(curve, drawn[i]!.missing)).join("; ")}.`,
    dataset,
    methods,
    legend: curveLegend(curves),
    spec: framed(curveLayers(curves, { title: "Step" }, { title, grid: true, ...log })),
  };
}

/** "gradientNorm" is titled "Gradient norm". */
function inTitle(name: string): string {
  const words = name.replace(
    /([a-z0-9])([A-Z])/g,
    (_, end: string, start: string) => `${end} ${start.toLowerCase()}`,
  );
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How line and band are to be read. */
function reading(length: number, experiments: readonly RunRecord[][]): string {
  const seeds = Math.max(...experiments.map((runs) => runs.length));
  const over = [
    ...(seeds > 1 ? [pluralOf(seeds, "seed")] : []),
    ...(length > 1 ? [`${length} steps at a time`] : []),
  ];
  return over.length === 0
    ? "Every step is drawn."
    : `Mean over ${over.join(" and ")}, in a band from the smallest to the largest value.`;
}

function inNumbers({ label, points }: Curve, missing: number): string {
  const peak = points.reduce((a, b) => (b.high > a.high ? b : a));
  const lost = missing > 0 ? `, ${pluralOf(missing, "value")} not finite` : "";
  return (
    `${label} from ${shortNumber(points[0]!.y)} to ${shortNumber(points.at(-1)!.y)}, ` +
    `at most ${shortNumber(peak.high)} about step ${Math.round(peak.x)}${lost}`
  );
}
