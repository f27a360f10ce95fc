import type { TopLevelSpec } from "vega-lite";
import type { Series } from "../palette.ts";
import { WIDTH } from "./chart.ts";
import { framed } from "./frame.ts";
import { shortened } from "./shortened.ts";
import { textWidth } from "./textWidth.ts";

/** An image on a map. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly color: string;
}

/** A synthetic image on a map. */
export interface Drawn extends Place {
  readonly shape: Series["shape"];
  /** What it is, in words. */
  readonly text: string;
  /** Its layer, where that is not the panel's. */
  readonly series?: string;
}

/** A class's name on a map. */
export interface DrawnClass {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** One drawing of a map: real images, and synthetic ones in front of them. */
export interface MapPanel {
  /** Above it; empty for none. */
  readonly name: string;
  /** Of the layers that its sets are in, as in series_0. */
  readonly series: string;
  readonly real: readonly Place[];
  readonly sets: readonly Drawn[];
  readonly classes?: readonly DrawnClass[];
}

type Span = Record<"x" | "y", readonly [number, number]>;

/** Between panels; letters of their names; above each. */
const [GAP, LABEL, HEAD] = [12, 12, 26];
/** Share of a map's edge that is left free around the points. */
const MARGIN = 0.04;
/** Least and largest height of a panel over its width. */
const [FLAT, TALL] = [0.62, 1.15];
/** Areas of marks in square pixels: real and synthetic, in small panels and in one large one. */
const AREAS = { small: [5, 26], large: [9, 40] } as const;

/** Panels of one map, two in a row, both axes at one scale, without numbers: places on a map have no unit. */
export function mapSpec(panels: readonly MapPanel[], span: Span): TopLevelSpec {
  const columns = Math.min(2, panels.length);
  const width = Math.floor((WIDTH - 6 - (columns - 1) * GAP) / columns);
  const { height, x, y } = fitted(span, width);
  const [dot, mark] = columns === 1 ? AREAS.large : AREAS.small;
  const { config } = framed([]);
  const axis = (domain: readonly number[]): object => ({
    type: "quantitative",
    axis: null,
    scale: { domain, nice: false, zero: false },
  });
  const place = { x: { field: "x", ...axis(x) }, y: { field: "y", ...axis(y) } };
  const plain = { scale: null, type: "nominal", legend: null };
  const concat = panels.map((panel, i) => ({
    width,
    height,
    ...(panel.name !== "" && { title: titleOf(panel, width) }),
    layer: [
      frameOf(`other_frame_${i}`, width, height),
      {
        name: `other_real_${i}`,
        data: { values: panel.real },
        mark: { type: "point", filled: true, size: dot, opacity: 0.38, aria: false },
        encoding: { ...place, color: { field: "color", ...plain } },
      },
      ...grouped(panel).map(([series, values]) => ({
        name: `${series}_sets_${i}`,
        data: { values },
        mark: {
          type: "point",
          filled: true,
          size: mark,
          opacity: 1,
          stroke: "var(--card)",
          strokeWidth: 0.6,
        },
        encoding: {
          ...place,
          fill: { field: "color", ...plain },
          shape: { field: "shape", ...plain },
          description: { field: "text" },
        },
      })),
      ...(panel.classes === undefined
        ? []
        : namesOf(panel.classes, { place, pixel: (y[1]! - y[0]!) / height })),
    ],
  }));
  return {
    padding: 2,
    columns,
    bounds: "flush",
    spacing: { column: GAP, row: HEAD },
    concat,
    config,
  } as unknown as TopLevelSpec;
}

/** A line around a panel. */
function frameOf(name: string, width: number, height: number): object {
  const at = (value: number): object => ({ value });
  return {
    name,
    data: { values: [{}] },
    mark: { type: "rect", fill: null, stroke: "var(--line)", cornerRadius: 4, aria: false },
    encoding: { x: at(0), y: at(0), x2: at(width), y2: at(height) },
  };
}

function titleOf({ name }: MapPanel, width: number): object {
  return {
    text: shortened(name, width, LABEL),
    anchor: "start",
    frame: "group",
    offset: 4,
    fontSize: LABEL,
    color: "var(--ink)",
    fontWeight: 500,
    font: "inherit",
  };
}

/** Height of a panel, and domains that put both axes at one scale around the points. */
function fitted({ x, y }: Span, width: number): { height: number; x: number[]; y: number[] } {
  const [across, up] = [x, y].map(([low, high]) => (high - low) * (1 + 2 * MARGIN) || 1) as [number, number];
  const ratio = Math.min(TALL, Math.max(FLAT, up / across));
  const unit = Math.max(across, up / ratio); // of the map, over the panel's width
  const around = ([low, high]: readonly [number, number], size: number): number[] => [
    (low + high - size) / 2,
    (low + high + size) / 2,
  ];
  return { height: Math.round(ratio * width), x: around(x, unit), y: around(y, ratio * unit) };
}

/** Sets by their layers. */
function grouped({ sets, series }: MapPanel): [series: string, values: Drawn[]][] {
  const groups = new Map<string, Drawn[]>();
  for (const one of sets) {
    const key = one.series ?? series;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups];
}

/** Height of a name in pixels. */
const LINE = 13;

/** Names on a ground of the page's color, moved apart where they would lie on each other. */
function namesOf(
  classes: readonly DrawnClass[],
  { place, pixel }: { readonly place: object; readonly pixel: number },
): object[] {
  const placed: DrawnClass[] = [];
  for (const one of [...classes].sort((a, b) => b.y - a.y)) {
    const width = textWidth(one.name, LABEL) * pixel;
    const near = placed.filter((other) => {
      const reach = (width + textWidth(other.name, LABEL) * pixel) / 2;
      return Math.abs(other.x - one.x) < reach;
    });
    const lowest = Math.min(Infinity, ...near.map(({ y }) => y - LINE * pixel));
    placed.push({ ...one, y: Math.min(one.y, lowest) });
  }
  const text = { type: "text", fontSize: LABEL, fontWeight: 500, aria: false };
  const layer = (name: string, mark: object): object => ({
    name: `other_${name}`,
    data: { values: placed },
    mark: { ...text, ...mark },
    encoding: { ...place, text: { field: "name" } },
  });
  return [
    layer("ground", { color: "var(--ink)", stroke: "var(--card)", strokeWidth: 4, strokeJoin: "round" }),
    layer("names", { color: "var(--ink)" }),
  ];
}
