import { pluralOf } from "../labels.ts";
import type { Chart } from "./chart.ts";
import { evenly } from "./classSpectra.ts";
import { type Curve, curveLayers, curveLegend } from "./curves.ts";
import { panelled } from "./panels.ts";
import {
  bars,
  type Bin,
  binsOf,
  difficultyAxis,
  experimentSlug,
  type GuidedExperiment,
  type SamplingSetting,
  shareAxis,
} from "./samplingBins.ts";

/** Most classes that have a panel; of more, so many evenly spaced by label. */
const PANELS = 12;

/** Transformed difficulty of each class: bars for the images that an experiment chose, lines for what it chose by and from. */
export function classSamplingChart(one: GuidedExperiment, about: SamplingSetting): Chart {
  const { label, method, color, runs } = one;
  const { selection } = runs[0]!;
  const labels = evenly(selection.classes.length, PANELS);
  const panels = labels.map((at) => panelOf(one, at, about));
  const highest = panels.flatMap(({ chosen, curves }) => [
    ...chosen.map(({ share }) => share),
    ...curves.flatMap(({ points }) => points.map(({ y }) => y)),
  ]);
  const filled = sumOf(runs.flatMap((run) => run.selection.classes.map((own) => own.filled)));
  const all = sumOf(runs.map((run) => run.selection.positions.length));
  const title = `Difficulty class by class, ${label}`;
  const some =
    labels.length < selection.classes.length
      ? ` ${labels.length} of ${selection.classes.length} classes, evenly spaced by label.`
      : "";
  return {
    id: `sampling-by-class-${about.name}-${experimentSlug(one)}`,
    section: "sampling",
    detail: true,
    title,
    caption:
      `${about.words} Log-transformed. Bars are the images chosen${runs.length > 1 ? `, over ${pluralOf(runs.length, "seed")}` : ""}; ` +
      `${filled} of ${all} were taken at random, as their bins had none left.${some}`,
    alt: `${title}: ${about.words} ${panels
      .map(
        ({ name, chosen }) =>
          `${name}: ${chosen.map(({ share }) => `${(100 * share).toFixed(0)}%`).join(" ")}`,
      )
      .join("; ")}.`,
    dataset: about.dataset,
    methods: about.methods,
    legend: [
      { label: "chosen", method, color, mark: "bar", look: { shape: "square", dash: [] } },
      ...curveLegend(panels[0]!.curves),
    ],
    numbers: classNumbers(one, about),
    spec: panelled(
      panels.map(({ name, chosen, curves }, i) => ({
        name,
        layers: (x, y) => [
          bars(`series_${method}_chosen_${i}`, { bins: chosen, color }, x, y),
          ...curveLayers(curves, x, y, `_${i}`),
        ],
      })),
      {
        x: { ...difficultyAxis, title: "Log-transformed difficulty" },
        y: shareAxis(highest),
        columns: 3,
        height: 60,
      },
    ),
  };
}

/** One class: what was chosen of it over the seeds, and what by and from. */
function panelOf({ runs }: GuidedExperiment, at: number, { classNames }: SamplingSetting) {
  const { classes, from } = runs[0]!.selection;
  const of = (images: "real" | "pool"): Bin[] => binsOf([classes[at]!], images, "transformed");
  return {
    name: classNames[at] ?? `class ${at}`,
    chosen: binsOf(
      runs.map((run) => run.selection.classes[at]!),
      "chosen",
      "transformed",
    ),
    curves: [
      curve("real images", of("real"), [2, 2]),
      ...(from === "real" ? [] : [curve("pool", of("pool"), [])]),
    ],
  };
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** A histogram as a line through the middles of its bins. */
function curve(label: string, bins: readonly Bin[], dash: readonly number[]): Curve {
  const points = bins.map(({ from, to, share }) => ({
    x: (from + to) / 2,
    y: share,
    low: share,
    high: share,
  }));
  return { label, color: "var(--ink)", look: { shape: "circle", dash }, points };
}

/** What was found, demanded and taken of each class, a line for each class of each seed. */
function classNumbers(
  { runs }: GuidedExperiment,
  { classNames }: SamplingSetting,
): NonNullable<Chart["numbers"]> {
  return runs.flatMap(({ seed, selection }) =>
    selection.classes.map((own, at) => ({
      ...{ seed, class: classNames[at] ?? `class ${at}`, bottom: own.bottom, top: own.top },
      objective: own.objective ?? "infinite",
      ...{ real: own.real.raw.join(" "), transformedReal: own.real.transformed.join(" ") },
      ...{ pool: own.pool.raw.join(" "), transformedPool: own.pool.transformed.join(" ") },
      ...{ demanded: own.demanded.join(" "), taken: own.taken.join(" ") },
      ...{ filled: own.filled, repeated: own.repeated },
      ...{ chosen: own.chosen.raw.join(" "), transformedChosen: own.chosen.transformed.join(" ") },
    })),
  );
}
