import { ablationsOf, isShown } from "../ablations.ts";
import { percentSpread } from "../numbers.ts";
import type { ReportData } from "../data.ts";
import type { Look } from "../palette.ts";
import { groups, type Summary } from "../summarize.ts";
import { changesFrom, differences, mainVariant, shortPath } from "../variants.ts";
import { type Chart, slug } from "./chart.ts";
import { dotLayers } from "./dots.ts";
import { accuracyAxis, framed } from "./frame.ts";
import { isNumeric, type OptionCurve, optionCurves } from "./optionCurves.ts";
import { valuesAxis } from "./scales.ts";
import { legendOf, type Measured, measuredLayers, pointsInWords } from "./series.ts";
import { inName, inWords, repetitions, sharedBy } from "./setting.ts";

/** Most curves of one chart. */
const CURVES = 6;

/**
 * Accuracy over every option in which measurements differ and in nothing else: as curves where it is a number, as dots
 * where it is a word. What an ablation over several options shows is left to its chart.
 */
export function optionCharts({ summaries }: ReportData, look: Look): Chart[] {
  const ablations = ablationsOf(summaries);
  const alone = optionCurves(summaries).filter(
    ({ path, points }) =>
      !isShown(
        ablations,
        path,
        points.map(({ summary }) => summary),
      ),
  );
  const curves = alone.map((curve) => ({
    ...curve,
    setting: inWords(sharedBy(curve.points.map(({ summary }) => summary))),
  }));
  return [...groups(curves, ["path", "setting"]).values()].flatMap((together) =>
    Array.from({ length: Math.ceil(together.length / CURVES) }, (_, part) =>
      optionChart(together.slice(part * CURVES, (part + 1) * CURVES), { summaries, look }),
    ),
  );
}

interface Context {
  readonly summaries: readonly Summary[];
  readonly look: Look;
}

function optionChart(curves: readonly OptionCurve[], { summaries, look }: Context): Chart {
  const shown = curves.flatMap(({ points }) => points.map(({ summary }) => summary));
  const values = curves.flatMap(({ points }) => points.map(({ value }) => value));
  const path = curves[0]!.path;
  const name = shortPath(path);
  const methods = [...new Set(curves.map(({ method }) => method))];
  const setting = sharedBy(shown);
  const numeric = isNumeric(values);
  const words = [...new Set(values)];
  const series = curves.map((curve): Measured => ({
    label: labelOf(curve, curves),
    method: methods.indexOf(curve.method),
    look: look(curve.method),
    points: curve.points.map(({ value, summary }) => ({
      x: numeric ? Number(value) : words.indexOf(value),
      y: summary.accuracy,
    })),
    joined: numeric,
  }));
  const said = numeric
    ? pointsInWords(series)
    : curves
        .map(({ points }, i) =>
          [
            series[i]!.label,
            points
              .map(({ value, summary }) => `${percentSpread(summary.accuracy)}% with ${value}`)
              .join(", "),
          ].join(" "),
        )
        .join("; ");
  const title = `Accuracy against ${name}`;
  return {
    id: `accuracy-by-${slug(name)}-${inName(setting, summaries)}`,
    section: "options",
    title,
    caption: `${inWords(setting)} ${repetitions(shown)} All other options are the same along a line.`,
    alt: `${title}: ${inWords(setting)} ${said}.`,
    dataset: shown[0]!.dataset,
    methods,
    legend: legendOf(series),
    spec: numeric
      ? framed(measuredLayers(series, valuesAxis(name, values.map(Number)), accuracyAxis))
      : framed(dotLayers(series, { names: words, title: name }, accuracyAxis), 70 + 30 * words.length),
  };
}

/** The method; where it has several curves, with what their main configs differ in beside the option. */
function labelOf(curve: OptionCurve, curves: readonly OptionCurve[]): string {
  const own = curves.filter(({ method }) => method === curve.method);
  if (own.length < 2) return curve.method;
  // At one value that all of them have, if there is one: then only what differs between the curves is said.
  const at = ({ points }: OptionCurve): Summary =>
    (
      points.find(({ value }) => own.every((other) => other.points.some((point) => point.value === value))) ??
      points[0]!
    ).summary;
  const main = mainVariant(own.map(at));
  return differences(main, at(curve)).length === 0
    ? curve.method
    : `${curve.method}, ${changesFrom(main, at(curve))}`;
}
