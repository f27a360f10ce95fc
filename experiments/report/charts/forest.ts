import type { PairedDifference } from "../../../src/evaluation/statistics.ts";
import { pluralOf } from "../labels.ts";
import { points, pointsInterval } from "../numbers.ts";
import type { Series } from "../palette.ts";
import { colorOf, WIDTH } from "./chart.ts";
import { type Axis, quantity } from "./frame.ts";
import { shortened } from "./shortened.ts";
import { textWidth } from "./textWidth.ts";

/** A difference with its interval, under its name. */
export interface ForestRow {
  /** Above the first of neighbors that share it. */
  readonly heading: string;
  readonly label: string;
  readonly difference: PairedDifference;
  /** All of it in words. */
  readonly text: string;
  /** Position in the chart's methods. */
  readonly method: number;
  readonly look: Series;
}

const FONT_SIZE = 11;
/** Pixels of a line of text, of the interval below it, and between rows. */
const [LINE, BAND, GAP] = [15, 13, 4];
/** What is left of the width where labels of the axis stand out at both ends. */
const INNER = WIDTH - 24;
/** From one group to the next. */
const BREAK = 10;
/** Of the axis with its title. */
const AXIS = 44;
/** Whether a name is drawn whole. */
export function isWhole(label: string): boolean {
  return textWidth(label, FONT_SIZE) <= INNER;
}

/** Between what a row is called and its numbers. */
const BETWEEN = 12;
/** An interval that is this many times as wide as the median one ends in an arrow, so that the others can be seen. */
const CLIPPED = 6;

interface Placed extends ForestRow {
  /** Of the name's middle, the numbers' and the interval's, in pixels from the top. */
  readonly labelY: number;
  readonly numbersY: number;
  readonly bandY: number;
  readonly numbers: string;
}

interface Layout {
  readonly headings: readonly { readonly text: string; readonly y: number }[];
  readonly rows: readonly Placed[];
  readonly height: number;
}

/** Rows from top to bottom; numbers stand beside a name where both fit, else below it. */
function layoutOf(rows: readonly ForestRow[]): Layout {
  const headings: { text: string; y: number }[] = [];
  let y = 0;
  const placed = rows.map((row): Placed => {
    if (row.heading !== headings.at(-1)?.text) {
      y += headings.length > 0 ? BREAK : 0;
      headings.push({ text: row.heading, y: y + LINE / 2 });
      y += LINE + GAP;
    }
    const numbers = numbersOf(row.difference);
    const fits = textWidth(row.label, FONT_SIZE) + BETWEEN + textWidth(numbers, FONT_SIZE) <= INNER;
    const labelY = y + LINE / 2;
    const numbersY = fits ? labelY : labelY + LINE;
    const bandY = numbersY + LINE / 2 + BAND / 2;
    y = bandY + BAND / 2 + GAP;
    return { ...row, labelY, numbersY, bandY, numbers };
  });
  return { headings, rows: placed, height: y };
}

function numbersOf({ mean, interval, differences }: PairedDifference): string {
  return interval
    ? `${points(mean)} ${pointsInterval(interval)}`
    : `${points(mean)}, ${pluralOf(differences.length, "pair")}`;
}

/** Height of the whole plot, in pixels. */
export function forestHeight(rows: readonly ForestRow[]): number {
  return layoutOf(rows).height + AXIS;
}

/** Names, numbers and intervals, one row below the other, with a line at 0. */
export function forestLayers(rows: readonly ForestRow[], title: string): object[] {
  const { headings, rows: placed, height } = layoutOf(rows);
  const domain = domainOf(rows.map(({ difference }) => difference));
  const x: Axis = { title, domain };
  const y = (field: string): object => ({
    field,
    type: "quantitative",
    scale: { domain: [0, height], reverse: true, nice: false, zero: false },
    axis: null,
  });
  const words = { type: "text", fontSize: FONT_SIZE, baseline: "middle", aria: false };
  const left = { ...words, align: "left", fill: "var(--ink)" };
  return [
    {
      data: { values: placed.map(({ bandY }) => ({ at: 0, from: bandY - BAND / 2, to: bandY + BAND / 2 })) },
      mark: { type: "rule", color: "var(--soft)", strokeWidth: 1, aria: false },
      encoding: { x: quantity("at", x), y: y("from"), y2: { field: "to" } },
    },
    {
      data: { values: headings.map(({ text, y: at }) => ({ text: shortened(text, INNER, FONT_SIZE), at })) },
      mark: { ...left, fontWeight: 500 },
      encoding: { x: { value: 0 }, y: y("at"), text: { field: "text" } },
    },
    ...[...new Set(placed.map(({ method }) => method))].flatMap((method) =>
      methodLayers(
        placed.filter((row) => row.method === method),
        { x, y, domain, left },
      ),
    ),
  ];
}

interface Place {
  readonly x: Axis;
  readonly y: (field: string) => object;
  readonly domain: readonly [number, number];
  /** The mark of a text that begins at the left. */
  readonly left: object;
}

function methodLayers(rows: readonly Placed[], { x, y, domain, left }: Place): object[] {
  const { method, look } = rows[0]!;
  const color = colorOf(look);
  const values = rows.map((row) => drawn(row, domain));
  const arrows = values.flatMap(({ ends, bandY }) => ends.map((end) => ({ ...end, bandY })));
  const layer = (part: string, mark: object, encoding: object, data: readonly object[] = values): object => ({
    name: `series_${method}_${part}`,
    data: { values: data },
    mark,
    encoding,
  });
  const numbers = { ...left, align: "right", fill: "var(--soft)" };
  const point = { type: "point", filled: true, opacity: 1, color };
  const shape = { field: "shape", type: "nominal", scale: null, legend: null };
  return [
    layer("label", left, { x: { value: 0 }, y: y("labelY"), text: { field: "label" } }),
    layer("numbers", numbers, { x: { value: "width" }, y: y("numbersY"), text: { field: "numbers" } }),
    layer(
      "interval",
      { type: "rule", color, strokeWidth: 2, aria: false },
      { x: quantity("low", x), x2: { field: "high" }, y: y("bandY") },
    ),
    ...(arrows.length === 0
      ? []
      : [
          layer(
            "arrow",
            { ...point, size: 34, aria: false },
            { x: quantity("end", x), y: y("bandY"), shape },
            arrows,
          ),
        ]),
    layer(
      "point",
      { ...point, size: 36, shape: look.shape },
      { x: quantity("mean", x), y: y("bandY"), description: { field: "text" } },
    ),
  ];
}

/** A row as its marks need it: in points, with arrows where the interval goes on beyond the axis. */
function drawn(
  { difference, label, numbers, text, labelY, numbersY, bandY }: Placed,
  [least, most]: readonly [number, number],
): Readonly<Record<string, unknown>> & { readonly ends: readonly object[]; readonly bandY: number } {
  const mean = 100 * difference.mean;
  const [low, high] = difference.interval?.map((end) => 100 * end) ?? [mean, mean];
  return {
    label: shortened(label, INNER, FONT_SIZE),
    numbers,
    text,
    labelY,
    numbersY,
    bandY,
    mean,
    low: Math.max(low!, least),
    high: Math.min(high!, most),
    ends: [
      ...(low! < least ? [{ end: least, shape: "triangle-left" }] : []),
      ...(high! > most ? [{ end: most, shape: "triangle-right" }] : []),
    ],
  };
}

/** In points: all means, 0, and all intervals but the parts of the widest that would make the others invisible. */
function domainOf(differences: readonly PairedDifference[]): [number, number] {
  const halves = differences.flatMap(({ interval, mean }) => (interval ? [interval[1] - mean] : []));
  const limit = CLIPPED * median(halves);
  const ends = differences.flatMap(({ interval, mean }) => {
    const half = Math.min(limit, interval ? interval[1] - mean : 0);
    return [mean - half, mean + half];
  });
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)].map((end) => 100 * end) as [
    number,
    number,
  ];
  const margin = 0.04 * (high - low) || 0.5;
  return [low - margin, high + margin];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
