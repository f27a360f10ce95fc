import type { ReportData, RunRecord } from "../data.ts";
import type { Look } from "../palette.ts";
import { type Chart, colorOf } from "./chart.ts";
import { type Curve, curveLayers, curveLegend } from "./curves.ts";
import { type Axis, framed } from "./frame.ts";
import { logTicks } from "./scales.ts";
import { inName, inWords } from "./setting.ts";
import { shortNumber } from "./stretches.ts";

/** A run whose estimates were judged. */
export type JudgedRun = RunRecord & { readonly frequencies: NonNullable<RunRecord["frequencies"]> };

/** Runs whose spectral estimates were compared with exact values. */
export function judgedRuns(runs: readonly RunRecord[]): JudgedRun[] {
  return runs.filter((run): run is JudgedRun => run.frequencies !== undefined);
}

/** Errors of spectral estimates by the number of frequencies, of each run that has them: a line for each kernel. */
export function frequencyCharts({ runs }: ReportData, look: Look): Chart[] {
  return judgedRuns(runs).map((run) => frequencyChart(run, look));
}

function frequencyChart(run: JudgedRun, look: Look): Chart {
  const { dataset, imbalance, imagesPerClass, method, seed, frequencies } = run;
  const setting = { dataset, imbalance, imagesPerClass };
  const own = look(method);
  const points = (counts: readonly number[], errors: readonly number[]): Curve["points"] =>
    counts.map((x, i) => ({ x, y: errors[i]!, low: errors[i]!, high: errors[i]! }));
  const curves = frequencies.map(({ kernel, counts, errors }, i): Curve => {
    const dash = dashes[i % dashes.length]!;
    return { label: kernel, color: colorOf(own), look: { ...own, dash }, points: points(counts, errors) };
  });
  const theory: Curve = {
    label: `1/√M, ${frequencies[0]!.kernel}`,
    color: "var(--ink)",
    look: { shape: "circle", dash: [2, 2] },
    points: points(frequencies[0]!.counts, frequencies[0]!.expected),
  };
  const values = [...curves, theory].flatMap((curve) => curve.points.map(({ y }) => y));
  const x: Axis = { title: "Frequencies M", scale: "log", values: [...frequencies[0]!.counts] };
  const y: Axis = { title: "Relative error", grid: true, scale: "log", values: logTicks(values) };
  const title = "Error of spectral estimates";
  const said = curves.map(({ label, points: all }) => `${label} ${shortNumber(all.at(-1)!.y)}`);
  return {
    id: `frequency-errors-${inName(setting, [])}-${run.experiment}`,
    section: "features",
    title,
    caption:
      `${inWords(setting)} Images of ${method}, seed ${seed}, beside held-out ones under a random network: root mean square, ` +
      "over classes and draws, of the estimate of the squared MMD over its exact value, less 1; dotted what theory has.",
    alt: `${title}: ${inWords(setting)} At ${frequencies[0]!.counts.at(-1)!} frequencies ${said.join(", ")}.`,
    dataset,
    methods: [method],
    legend: curveLegend([...curves, theory]),
    spec: framed(curveLayers([...curves, theory], x, y)),
  };
}

/** Of the lines of one method. */
const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
