import type { TopLevelSpec } from "vega-lite";
import { WIDTH } from "./chart.ts";
import { type Axis, framed } from "./frame.ts";
import { textWidth } from "./textWidth.ts";

/** One of several small plots that share their axes. */
export interface Panel {
  /** Above it. */
  readonly name: string;
  /** Its layers on the axes that it is given; their names are its own, since all panels are one drawing. */
  layers(x: Axis, y: Axis): object[];
}

/** How panels stand side by side. Both axes have a domain, so that all panels share it. */
export interface Panels {
  readonly x: Axis & { readonly domain: readonly [number, number] };
  readonly y: Axis & { readonly domain: readonly [number, number] };
  readonly columns: number;
  /** Of one panel's plot, in pixels. */
  readonly height: number;
}

/** Between columns; letters of names and labels; what a title takes. */
const [GAP, LABEL, TITLE] = [12, 11, 20];
/** Of labels that vega-lite chooses, in pixels. */
const LABELS = 30;
/** Above a panel, with its name. */
const HEAD = 26;

/**
 * Small multiples: panels row by row on the same axes, with labels at the left and below the last of each column alone.
 */
export function panelled(panels: readonly Panel[], { x, y, columns, height }: Panels): TopLevelSpec {
  const labels = (y.values ?? []).map((value) => textWidth(value.toLocaleString("en"), LABEL));
  const left = TITLE + Math.max(LABELS, ...labels);
  const width = Math.floor((WIDTH - left - (columns - 1) * GAP - 8) / columns);
  const { config } = framed([]);
  const axis = { ...config?.axis, titleFontSize: LABEL };
  const middle = Math.floor((Math.ceil(panels.length / columns) - 1) / 2) * columns;
  const text = { color: "var(--ink)", fontWeight: 500, font: "inherit" };
  const concat = panels.map((panel, i) => ({
    width,
    height,
    title: { ...text, text: panel.name, anchor: "start", frame: "group", offset: 4, fontSize: LABEL },
    layer: panel.layers(
      { ...x, title: "", labels: i + columns >= panels.length },
      // One title stands for all: beside the middle row.
      { ...y, title: i === middle ? y.title : "", labels: i % columns === 0 },
    ),
  }));
  return {
    padding: 2,
    columns,
    bounds: "flush",
    spacing: { column: GAP, row: HEAD },
    title: { ...text, text: x.title, orient: "bottom", anchor: "middle", offset: 8, fontSize: 12 },
    concat,
    config: { ...config, axis },
  } as unknown as TopLevelSpec;
}
