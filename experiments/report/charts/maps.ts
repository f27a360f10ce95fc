import type { MapRecord } from "../../map/record.ts";
import type { ReportData } from "../data.ts";
import { classLook, levelLook, type Look, type Series } from "../palette.ts";
import { type Chart, colorOf, type LegendEntry, slug } from "./chart.ts";
import { mapNumberChart } from "./mapNumbers.ts";
import { type Drawn, type DrawnClass, mapSpec, type MapPanel } from "./mapPanels.ts";
import { madeOf, trustIn } from "./mapWords.ts";
import { shortNumber } from "./stretches.ts";

/** Of each map in a results folder, the charts that `chartsOfMap` makes. */
export function mapCharts({ maps = [] }: ReportData, look: Look): Chart[] {
  return maps.flatMap((map) => chartsOfMap(map, look));
}

/**
 * One map in three charts: a panel for each set among real images, colors by class; all sets on one map, colors by method; and
 * how the classes of each set lie in the space that the map was made of, in numbers.
 */
export function chartsOfMap(map: MapRecord, look: Look): Chart[] {
  const looks = looksOf(map, look);
  return [panelChart(map, looks), methodChart(map, looks), mapNumberChart(map, looks)];
}

/** By their methods; where several sets are of one, by their places. */
function looksOf({ subjects }: MapRecord, look: Look): Series[] {
  const methods = new Set(subjects.map(({ method }) => method));
  return subjects.map(({ method }, i) => (methods.size === subjects.length ? look(method) : levelLook(i)));
}

/** Most classes that have colors of their own; of more, colors are for methods alone. */
const COLORED = 20;
/** Most real images of a panel, and of the map of all sets; of more, evenly spaced ones are drawn. */
const [PANEL_DOTS, MAP_DOTS] = [400, 1500];

function panelChart(map: MapRecord, looks: readonly Series[]): Chart {
  const { subjects, classNames } = map;
  const byClass = classNames.length <= COLORED;
  const real = thinned(imagesOf(map, -1), PANEL_DOTS).map(({ label, ...place }) => ({
    ...place,
    color: byClass ? classLook(label).color : "var(--s0)",
  }));
  const panels = subjects.map(({ label }, i): MapPanel => ({
    name: label,
    series: `series_${methodsOf(map).indexOf(subjects[i]!.method)}`,
    real,
    sets: imagesOf(map, i).map(({ label: own, ...place }) => ({
      ...place,
      ...(byClass ? classLook(own) : { color: colorOf(looks[i]!), shape: looks[i]!.shape }),
      text: `${label}, ${classNames[own]!}`,
    })),
  }));
  return {
    ...common(map, "sets"),
    title: byClass ? "Map of features, colors by class" : "Map of features, set by set",
    caption: `${madeOf(map)} ${trustIn(map)}`,
    legend: [...(byClass ? classNames.map((name, label) => entry(name, classLook(label))) : []), realEntry],
    spec: mapSpec(panels, spanOf(map)),
  };
}

function methodChart(map: MapRecord, looks: readonly Series[]): Chart {
  const { subjects, classNames } = map;
  const methods = methodsOf(map);
  const panel: MapPanel = {
    name: "",
    series: "other",
    real: thinned(imagesOf(map, -1), MAP_DOTS).map((place) => ({ ...place, color: "var(--s0)" })),
    sets: subjects.flatMap(({ label, method }, i) =>
      imagesOf(map, i).map(({ label: own, ...place }) => ({
        ...place,
        color: colorOf(looks[i]!),
        shape: looks[i]!.shape,
        series: `series_${methods.indexOf(method)}`,
        text: `${label}, ${classNames[own]!}`,
      })),
    ),
    ...(classNames.length <= COLORED && { classes: middles(map) }),
  };
  return {
    ...common(map, "methods"),
    title: "Map of features, colors by method",
    caption:
      "The same map, all sets at once." +
      (classNames.length <= COLORED ? " Names stand at the middle of each class’s real images." : ""),
    legend: [
      ...subjects.map(({ label, method }, i) => ({
        ...entry(label, { color: colorOf(looks[i]!), shape: looks[i]!.shape }),
        method: methods.indexOf(method),
      })),
      realEntry,
    ],
    spec: mapSpec([panel], spanOf(map)),
  };
}

function common(map: MapRecord, kind: string): Omit<Chart, "title" | "caption" | "legend" | "spec"> {
  const said = map.subjects.map(({ label, geometry: { overall } }) => {
    const spread =
      overall.spreadRatio === null ? "" : `, spread ${shortNumber(overall.spreadRatio)} of theirs`;
    return `${label} ${shortNumber(overall.centerDistance)} spreads from the real class means${spread}`;
  });
  return {
    id: `map-${slug(map.name)}-${kind}`,
    section: "maps",
    alt: `${madeOf(map)} Mean over classes: ${said.join("; ")}.`,
    dataset: map.dataset,
    methods: methodsOf(map),
  };
}

/** Each once. */
function methodsOf({ subjects }: MapRecord): string[] {
  return [...new Set(subjects.map(({ method }) => method))];
}

interface Placed {
  readonly x: number;
  readonly y: number;
  readonly label: number;
}

/** Points of a set; of real images for −1. */
function imagesOf({ points }: MapRecord, subject: number): Placed[] {
  return points.subject.flatMap((own, i) =>
    own === subject ? [{ x: points.x[i]!, y: points.y[i]!, label: points.label[i]! }] : [],
  );
}

function thinned<T>(all: readonly T[], most: number): T[] {
  const step = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(most, all.length) }, (_, i) => all[Math.floor(i * step)]!);
}

/** Least and largest coordinate of all points. */
function spanOf({ points: { x, y } }: MapRecord): Record<"x" | "y", readonly [number, number]> {
  const ends = (values: readonly number[]): [number, number] => [
    values.reduce((a, b) => Math.min(a, b)),
    values.reduce((a, b) => Math.max(a, b)),
  ];
  return { x: ends(x), y: ends(y) };
}

/** Where the names of classes stand: the medians of their real images. */
function middles(map: MapRecord): DrawnClass[] {
  const real = imagesOf(map, -1);
  return map.classNames.flatMap((name, label) => {
    const own = real.filter((image) => image.label === label);
    return own.length === 0
      ? []
      : [{ name, x: median(own.map(({ x }) => x)), y: median(own.map(({ y }) => y)) }];
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
}

function entry(label: string, { color, shape }: Pick<Drawn, "color" | "shape">): LegendEntry {
  return { label, color, mark: "point", look: { shape, dash: [] } };
}

/** Smaller on the map than here. */
const realEntry = entry("small dots: real images", { color: "var(--soft)", shape: "circle" });
