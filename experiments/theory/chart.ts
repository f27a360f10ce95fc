import type { Chart, LegendEntry } from "../report/charts/chart.ts";
import { type Axis, quantity } from "../report/charts/frame.ts";
import { panelled } from "../report/charts/panels.ts";
import { levelLook, type Series } from "../report/palette.ts";
import { listed, pluralOf } from "../report/labels.ts";
import { percent } from "../report/numbers.ts";
import type { TheoryResult } from "./run.ts";
import { type Family, type View, views } from "./students.ts";
import { stretchOf, viewNames } from "./tables.ts";

/** How a family is drawn, and what it is called. */
interface Drawn {
  readonly label: string;
  readonly color: string;
  readonly look: Pick<Series, "shape" | "dash">;
  readonly includes: (family: Family) => boolean;
}

/** Fractions side by side, as in the papers' figures; then the two ways to keep one fraction, for each view. */
export function theoryCharts(result: TheoryResult): Chart[] {
  return views.flatMap((view) => [fractionChart(result, view), strategyChart(result, view)]);
}

const titles: Readonly<Record<View, string>> = {
  total: "Examples before pruning, for each dimension (α_tot)",
  kept: "Examples kept, for each dimension (α_prune)",
};

const all: Drawn = {
  label: "all",
  color: "var(--s0)",
  look: { shape: "circle", dash: [] },
  includes: ({ keep }) => keep === "none",
};

const probe = (angle: number): string => (angle === 0 ? "perfect probe" : `probe at ${angle}°`);

/** Error by α: a row for each probe, easy left and hard right, a color for each fraction. */
function fractionChart(result: TheoryResult, view: View): Chart {
  const { angles, fractions } = result.options;
  const drawn = (angle: number, kept: "easy" | "hard"): Drawn[] => [
    all,
    ...fractions.map((fraction, i) => {
      const { color, shape } = levelLook(i);
      return {
        label: `${percent(fraction, 0)} %`,
        color: `var(--s${color})`,
        look: { shape, dash: kept === "hard" ? HARD : [] },
        includes: (one: Family) => one.angle === angle && one.keep === kept && one.fraction === fraction,
      };
    }),
  ];
  const panels = angles.flatMap((angle) =>
    (["easy", "hard"] as const).map((kept) => ({
      name: `${kept} kept, ${probe(angle)}`,
      families: drawn(angle, kept),
      crossings: [],
    })),
  );
  return {
    ...common(result, view),
    id: `error-by-${view}`,
    title: `Test error by examples, ${viewNames[view]}`,
    legend: drawn(angles[0]!, "easy").map(legendEntry),
    spec: drawnPanels(result, view, { panels, columns: 2, height: 130 }),
  };
}

/** Dash of what is hard. */
const HARD = [5, 2.5];

/** Error by α: a row for each fraction, a column for each probe, easy against hard. */
function strategyChart(result: TheoryResult, view: View): Chart {
  const { angles, fractions } = result.options;
  const drawn = (angle: number, fraction: number): Drawn[] => [
    { ...all, label: "all examples" },
    ...(["easy", "hard"] as const).map((kept, i) => ({
      label: `${kept} kept`,
      color: `var(--s${i + 1})`,
      look: { shape: i === 0 ? ("square" as const) : ("triangle-up" as const), dash: i === 0 ? [] : HARD },
      includes: (one: Family) => one.angle === angle && one.keep === kept && one.fraction === fraction,
    })),
  ];
  const columns = Math.min(angles.length, 3);
  const panels = fractions.flatMap((fraction) =>
    angles.map((angle) => ({
      name: `${percent(fraction, 0)} %, ${angle === 0 ? "perfect" : `${angle}°`}`,
      families: drawn(angle, fraction),
      crossings: result.comparisons
        .filter((one) => one.view === view && one.angle === angle && one.fraction === fraction)
        .filter(({ first, second }) => first === "hard" && second === "easy")
        .flatMap(({ crossings }) => crossings.map(({ at }) => at)),
    })),
  );
  return {
    ...common(result, view),
    id: `strategies-by-${view}`,
    title: `Easy or hard, ${viewNames[view]}`,
    legend: drawn(angles[0]!, fractions[0]!).map(legendEntry),
    spec: drawnPanels(result, view, { panels, columns, height: 96 }),
  };
}

function legendEntry({ label, color, look }: Drawn): LegendEntry {
  return { label, color, look: { shape: "circle", dash: look.dash }, mark: "lineAndPoint" };
}

function common(
  result: TheoryResult,
  view: View,
): Pick<Chart, "section" | "dataset" | "methods" | "alt" | "caption"> {
  const { dimensions, trials, examples } = result.options.simulation;
  const simulation =
    examples.length === 0
      ? ""
      : ` Points: means of ${pluralOf(trials, "simulation")} in ${dimensions} dimensions, with standard errors.`;
  const crossings = result.comparisons
    .filter((one) => one.view === view && one.first === "hard" && one.second === "easy")
    .map((one) => `${percent(one.fraction, 0)} % kept, ${probe(one.angle)}: ${stretchOf(one)}`);
  return {
    section: "options",
    dataset: "perceptron",
    methods: [],
    caption: `Lines: theory for infinitely many dimensions.${simulation}`,
    alt:
      `Test error of a perceptron trained on the easy or the hard part of its examples, ${viewNames[view]}, by that number. ` +
      `Hard examples are better than easy ones, ${listed(crossings)}.`,
  };
}

interface TheoryPanel {
  readonly name: string;
  readonly families: readonly Drawn[];
  /** α at which a line is drawn across. */
  readonly crossings: readonly number[];
}

interface Placing {
  readonly panels: readonly TheoryPanel[];
  readonly columns: number;
  readonly height: number;
}

function drawnPanels(result: TheoryResult, view: View, { panels, columns, height }: Placing): Chart["spec"] {
  const curves = result.curves
    .filter((one) => one.view === view)
    .map((one) => ({ ...one, y: one.student.error, low: one.student.error, high: one.student.error }));
  const points = result.points
    .filter((one) => one.view === view)
    .map((one) => ({
      ...one,
      y: one.found.error,
      // A bar that reached 0 would have no place on a log axis.
      low: Math.max(one.found.error - one.found.standardError, one.found.error / 10),
      high: one.found.error + one.found.standardError,
    }));
  const shown = [...curves, ...points];
  const [least, most] = extent(shown.map(({ alpha }) => [alpha, alpha]));
  const x = logAxis({ title: titles[view] }, [least, MARGIN * most], [1]);
  const errors = shown.map(({ low, high }) => [low, high] as const);
  const [lowest, highest] = extent(errors);
  const y = logAxis(
    { title: "Test error", format: ".6~%", grid: true },
    [lowest, HEADROOM * highest],
    [1, 2, 5],
  );
  const layersOf = ({ families, crossings }: TheoryPanel, i: number, axes: Axes): object[] => [
    ...(crossings.length === 0 ? [] : [crossingLayer(crossings, axes.x, i)]),
    ...families.flatMap((drawn, place) => {
      const own = <T extends Family & { alpha: number }>(places: readonly T[]): T[] =>
        places.filter(drawn.includes);
      return familyLayers(drawn, { curve: own(curves), points: own(points), suffix: `_${i}_${place}` }, axes);
    }),
  ];
  return panelled(
    panels.map((panel, i) => ({
      name: panel.name,
      layers: (ofX: Axis, ofY: Axis) => layersOf(panel, i, { x: ofX, y: ofY }),
    })),
    { x, y, columns, height },
  );
}

interface Axes {
  readonly x: Axis;
  readonly y: Axis;
}

interface Values {
  readonly curve: readonly { readonly alpha: number; readonly y: number }[];
  readonly points: readonly {
    readonly alpha: number;
    readonly y: number;
    readonly low: number;
    readonly high: number;
  }[];
  readonly suffix: string;
}

/** The line of the theory, then bars and points of the simulation. */
function familyLayers({ color, look }: Drawn, { curve, points, suffix }: Values, { x, y }: Axes): object[] {
  const plain = ({ alpha, y: error, ...rest }: Values["points"][number]): object => ({
    alpha,
    y: error,
    low: rest.low,
    high: rest.high,
  });
  const layer = (part: string, values: readonly object[], mark: object, encoding: object): object => ({
    name: `other_${part}${suffix}`,
    data: { values },
    mark: { aria: false, clip: true, color, ...mark },
    encoding: { x: quantity("alpha", x), ...encoding },
  });
  const values = points.map(plain);
  return [
    layer(
      "line",
      curve.map(({ alpha, y: error }) => ({ alpha, y: error })),
      { type: "line", strokeWidth: 1.5, strokeDash: [...look.dash] },
      { y: quantity("y", y) },
    ),
    layer(
      "bar",
      values,
      { type: "rule", strokeWidth: 1.2 },
      { y: quantity("low", y), y2: { field: "high" } },
    ),
    layer("point", values, { type: "point", filled: true, opacity: 1, size: 16 }, { y: quantity("y", y) }),
  ];
}

function crossingLayer(crossings: readonly number[], x: Axis, i: number): object {
  return {
    name: `other_crossing_${i}`,
    data: { values: crossings.map((alpha) => ({ alpha })) },
    mark: {
      type: "rule",
      aria: false,
      clip: true,
      color: "var(--soft)",
      strokeWidth: 1,
      strokeDash: [1.5, 2],
    },
    encoding: { x: quantity("alpha", x) },
  };
}

function extent(spans: readonly (readonly [number, number])[]): [number, number] {
  return [Math.min(...spans.map(([low]) => low)), Math.max(...spans.map(([, high]) => high))];
}

/** Room beyond the values; above, so much that the label of 50 % is below the plot's edge. */
const [MARGIN, HEADROOM] = [1.08, 1.3];

/** A log axis a little wider than what it has to hold, with labels at these digits of each decade. */
function logAxis(
  axis: Pick<Axis, "title" | "format" | "grid">,
  [from, to]: readonly [number, number],
  digits: readonly number[],
): Axis & { readonly domain: readonly [number, number]; readonly values: readonly number[] } {
  const domain = [from / MARGIN, to] as const;
  const [first, last] = domain.map((value) => Math.floor(Math.log10(value))) as [number, number];
  const decades = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const values = decades
    .flatMap((decade) => digits.map((digit) => Number(`${digit}e${decade}`)))
    .filter((value) => value >= domain[0] && value <= domain[1]);
  return { ...axis, scale: "log", domain, values };
}
