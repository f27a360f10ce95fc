import { mean } from "../../../src/evaluation/statistics.ts";
import { type TrackedColumn, trackedColumns } from "../../tracking.ts";
import type { ReportData, RunRecord, TrackedBy } from "../data.ts";
import { pluralOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import { spreadOf } from "../statistics.ts";
import { groups } from "../summarize.ts";
import { type Chart, colorOf, slug } from "./chart.ts";
import { type Curve, curveLayers, curveLegend, type CurvePoint, dashes } from "./curves.ts";
import { type Axis, framed } from "./frame.ts";
import { labelsOf, parts } from "./metrics.ts";
import { logTicks, spansDecades } from "./scales.ts";
import { inName, inWords } from "./setting.ts";
import { shortNumber } from "./stretches.ts";

/** A run whose images were tracked. */
type TrackedRun = RunRecord & { readonly tracking: TrackedBy };

interface Quantity {
  readonly title: string;
  readonly axis: Axis;
  /** What it is, as part of a sentence. */
  readonly meaning: string;
}

/** What is tracked, by the names of its columns, in the order of the report. */
const quantities: Readonly<Record<TrackedColumn, Quantity>> = {
  difficulty: {
    title: "Difficulty along distillation",
    axis: { title: "Gradient norm of the set" },
    meaning: "Norm of the gradient of the mean loss on all synthetic images at once",
  },
  difficultyPerClass: {
    title: "Difficulty of a class along distillation",
    axis: { title: "Gradient norm of a class" },
    meaning:
      "Norm of the gradient of the mean loss on the synthetic images of one class, mean over the classes",
  },
  gradn: {
    title: "Difficulty of an image along distillation",
    axis: { title: "Gradient norm of an image" },
    meaning: "Norm of the gradient of the loss on one synthetic image (GraDN), mean over the images",
  },
  misclassified: {
    title: "Misclassified images along distillation",
    axis: { title: "Misclassified images", format: ".1~%" },
    meaning: "Share of the synthetic images whose class the networks do not find",
  },
  syntheticLoss: {
    title: "Loss on the images along distillation",
    axis: { title: "Loss on the synthetic set" },
    meaning: "Mean cross-entropy of the networks on the synthetic images",
  },
};

/**
 * How difficult the synthetic images are along the steps (figure 1 of the paper on sample difficulty correction): of each
 * setting and ensemble a chart for each quantity, in which a method with plugins has the color of the method, dashed. What
 * is not learned is a level across.
 */
export function trackingCharts({ summaries, runs }: ReportData, look: Look): Chart[] {
  const tracked = runs.filter(
    (run): run is TrackedRun =>
      run.tracking !== undefined && run.metrics.some(({ difficulty }) => Number.isFinite(difficulty)),
  );
  const keyed = tracked.map((run) => ({ ...run, ensemble: inEnsembleWords(run.tracking) }));
  const settings = [...groups(keyed, ["dataset", "imbalance", "imagesPerClass", "ensemble"]).values()];
  return settings.flatMap((setting) => {
    const twin = settings.some((other) => other !== setting && isSameSetting(other[0]!, setting[0]!));
    return charted([...groups(setting, ["experiment"]).values()]).flatMap((part) =>
      trackedColumns.flatMap((name) => {
        const experiments = part.filter((runs) => measurements(runs, name).length > 0);
        if (experiments.length === 0) return [];
        return trackingChart(name, { experiments, labels: labelsOf(experiments, summaries), twin }, look);
      }),
    );
  });
}

function isSameSetting(a: TrackedRun, b: TrackedRun): boolean {
  return inName(a, []) === inName(b, []);
}

/** The method without plugins. */
const familyOf = ({ method }: RunRecord): string => method.split(" + ")[0]!;

/**
 * What goes into one chart: all experiments; where they are many, methods without plugins, so that methods can be compared,
 * and then each method beside itself with plugins.
 */
function charted(experiments: readonly TrackedRun[][]): TrackedRun[][][] {
  const all = byFamily(experiments);
  if (parts(all, familyOf).length === 1) return [all];
  const isBare = ([one]: readonly TrackedRun[]): boolean => one!.method === familyOf(one!);
  const families = [
    ...groups(
      all.map((runs) => ({ runs, family: familyOf(runs[0]!) })),
      ["family"],
    ).values(),
  ];
  const corrected = families
    .map((family) => family.map(({ runs }) => runs))
    .filter((family) => !family.every(isBare));
  return [all.filter(isBare), ...corrected].flatMap((some) => parts(some, familyOf));
}

/** Experiments of one family side by side, without plugins first. */
function byFamily(experiments: readonly TrackedRun[][]): TrackedRun[][] {
  const families = [...new Set(experiments.map(([one]) => familyOf(one!)))];
  return families.flatMap((family) => {
    const own = experiments.filter(([one]) => familyOf(one!) === family);
    const bare = own.filter(([one]) => one!.method === family);
    return [...bare, ...own.filter((one) => !bare.includes(one))];
  });
}

interface Shown {
  readonly experiments: readonly TrackedRun[][];
  readonly labels: readonly string[];
  /** Whether the setting was tracked by other networks, too. */
  readonly twin: boolean;
}

function trackingChart(name: TrackedColumn, { experiments, labels, twin }: Shown, look: Look): Chart {
  const { title, axis, meaning } = quantities[name];
  const lasts = experiments.map((runs) =>
    Math.max(...runs.flatMap(({ metrics }) => metrics.map(({ step }) => step))),
  );
  const learned = lasts.filter((last) => last > 0);
  const isShare = new Set(learned).size > 1;
  const end = isShare ? 1 : Math.max(1, ...learned);
  const drawn = experiments.map((runs, i) => courseOf(runs, name, isShare ? lasts[i]! : 1, end));
  const methods = [...new Set(experiments.map(([one]) => one!.method))];
  const curves = drawn.map(({ points }, i): Curve => ({
    label: labels[i]!,
    method: methods.indexOf(experiments[i]![0]!.method),
    ...drawnAs(experiments, i, look),
    points,
  }));
  const values = curves.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high]));
  const log = spansDecades(values) && { scale: "log" as const, values: logTicks(values) };
  const x: Axis = {
    title: "Step",
    domain: [0, end],
    ...(isShare && { title: "Share of all steps", format: ".1~%" }),
  };
  const { dataset, imbalance, imagesPerClass, tracking } = experiments[0]![0]!;
  const setting = { dataset, imbalance, imagesPerClass };
  const ensemble = inEnsembleWords(tracking);
  const said = curves.map(
    ({ label, points }) => `${label} from ${shortNumber(points[0]!.y)} to ${shortNumber(points.at(-1)!.y)}`,
  );
  return {
    id: [slug(title), inName(setting, []), ...(twin ? [slug(ensemble)] : [])].join("-"),
    section: "training",
    title,
    caption: [
      inWords(setting),
      `${meaning}, under ${ensemble}, the same for all curves.`,
      ...reading(experiments, Math.max(...drawn.map(({ length }) => length))),
    ].join(" "),
    alt: `${title}: ${inWords(setting)} ${said.join("; ")}.`,
    dataset,
    methods,
    legend: curveLegend(curves),
    numbers: experiments.flatMap((runs, i) => numbersOf(runs, name, labels[i]!)),
    spec: framed(curveLayers(curves, x, { ...axis, grid: true, ...log })),
  };
}

/** Every measurement of a line, for whoever draws it elsewhere. */
function numbersOf(
  runs: readonly TrackedRun[],
  name: TrackedColumn,
  label: string,
): Chart["numbers"] & object {
  return measurements(runs, name).map(({ step, values }) => {
    const { mean: average, std, count } = spreadOf(values);
    return { method: label, step, [name]: average, std: Number.isFinite(std) ? std : "", seeds: count };
  });
}

/** A family has one color, and the lines of it differ in their dashes. */
function drawnAs(experiments: readonly TrackedRun[][], i: number, look: Look): Pick<Curve, "color" | "look"> {
  const { method } = experiments[i]![0]!;
  const family = familyOf(experiments[i]![0]!);
  const known = experiments.some(([one]) => one!.method === family);
  const own = look(known ? family : method);
  const earlier = experiments.slice(0, i).filter(([one]) => familyOf(one!) === family).length;
  return {
    color: colorOf(own),
    look: { ...own, dash: earlier === 0 ? own.dash : dashes[(earlier - 1) % dashes.length]! },
  };
}

/** Most points of a curve; of more measurements, some together make a point. */
const POINTS = 200;

interface Course {
  readonly points: readonly CurvePoint[];
  /** Measurements that make a point. */
  readonly length: number;
}

/** Mean and range over the runs, by steps over `unit`; what was measured once is a level up to the end. */
function courseOf(runs: readonly TrackedRun[], name: TrackedColumn, unit: number, end: number): Course {
  const measured = measurements(runs, name);
  const length = Math.ceil(measured.length / POINTS);
  const points = Array.from({ length: Math.ceil(measured.length / length) }, (_, i): CurvePoint => {
    const together = measured.slice(i * length, (i + 1) * length);
    const values = together.flatMap((one) => one.values);
    return {
      x: mean(together.map(({ step }) => step)) / unit,
      y: mean(values),
      low: Math.min(...values),
      high: Math.max(...values),
    };
  });
  return { points: points.length === 1 ? [0, end].map((x) => ({ ...points[0]!, x })) : points, length };
}

/** Values of all runs by step, in the order of the steps. */
function measurements(
  runs: readonly TrackedRun[],
  name: TrackedColumn,
): { readonly step: number; readonly values: readonly number[] }[] {
  const bySteps = new Map<number, number[]>();
  for (const { metrics } of runs) {
    for (const { step, [name]: value = NaN } of metrics) {
      if (Number.isFinite(value)) bySteps.set(step, [...(bySteps.get(step) ?? []), value]);
    }
  }
  return [...bySteps].sort(([a], [b]) => a - b).map(([step, values]) => ({ step, values }));
}

/** How line and band are to be read. */
function reading(experiments: readonly TrackedRun[][], length: number): string[] {
  const seeds = experiments.map((runs) => runs.length);
  const [fewest, most] = [Math.min(...seeds), Math.max(...seeds)];
  const over = [
    ...(most > 1 ? [(fewest < most ? `${fewest} to ` : "") + pluralOf(most, "seed")] : []),
    ...(length > 1 ? [`${length} measurements at a time`] : []),
  ];
  return over.length === 0
    ? []
    : [`Mean over ${over.join(" and ")}, in a band from the smallest to the largest value.`];
}

/** "5 networks (convNet, width 64) at their random start". */
function inEnsembleWords({ models, epochs, network }: TrackedBy): string {
  const state =
    epochs === 0 ? "at their random start" : `trained on the real images for ${pluralOf(epochs, "epoch")}`;
  return `${pluralOf(models, "network")} (${network}) ${state}`;
}
