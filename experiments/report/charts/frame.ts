import type { TopLevelSpec } from "vega-lite";
import { WIDTH } from "./chart.ts";

/** A layer of a plot, as vega-lite takes it. */
export type Layer = Extract<TopLevelSpec, { layer: unknown }>["layer"][number];

/** One axis of numbers. */
export interface Axis {
  readonly title: string;
  readonly scale?: "log" | NearZero;
  /** Where labels stand; by default where vega-lite puts them. */
  readonly values?: readonly number[];
  /** d3-format of labels. */
  readonly format?: string;
  /** From and to; by default what the data span. */
  readonly domain?: readonly [number, number];
  /** Lines across the plot at every label. */
  readonly grid?: boolean;
  /** Whether the axis begins at 0, as bars need it. */
  readonly zero?: boolean;
  /** Pixels between the plot's edge and what is nearest. */
  readonly padding?: number;
  /** Whether numbers stand along it; by default they do. */
  readonly labels?: boolean;
}

/** Logarithmic beyond the smallest positive value, linear from there to 0, which then has its place too. */
export interface NearZero {
  readonly smallest: number;
}

/** An axis of accuracies, which are fractions: labels in percent, with as many digits as they need. */
export const accuracyAxis: Axis = { title: "Test accuracy", format: ".1~%", grid: true };

/** As short as they are, with commas: 20,000 or 0.25. */
const NUMBERS = ",.6~g";

/** A field of numbers along an axis, as vega-lite's encoding. */
export function quantity(
  field: string,
  axis: Axis,
): { readonly field: string; readonly type: "quantitative" } {
  const {
    title,
    scale,
    values,
    format = NUMBERS,
    domain,
    grid = false,
    zero = false,
    padding,
    labels,
  } = axis;
  const options = {
    field,
    type: "quantitative" as const,
    title,
    scale: {
      ...scaleType(scale, zero),
      ...(domain
        ? { domain: [...domain], nice: false }
        : { nice: scale === undefined && padding === undefined }),
      ...(padding !== undefined && { padding }),
    },
    axis: {
      grid,
      format,
      ...(values ? { values: [...values] } : { tickCount: 5 }),
      labelOverlap: "greedy",
      ...(labels === false && { labels }),
    },
  };
  return options;
}

function scaleType(scale: Axis["scale"], zero: boolean): object {
  if (scale === undefined) return { zero };
  return scale === "log" ? { type: "log" } : { type: "symlog", constant: scale.smallest };
}

/** Layers in the report's frame: its letters, colors and width. */
export function framed(layer: readonly object[], height = 220): TopLevelSpec {
  return {
    width: WIDTH,
    height,
    autosize: { type: "fit", contains: "padding" },
    padding: 2,
    layer: layer as Layer[],
    config: {
      background: "transparent",
      font: "inherit",
      view: { stroke: null },
      axis: {
        aria: false,
        labelColor: "var(--soft)",
        titleColor: "var(--ink)",
        labelFontSize: 11,
        titleFontSize: 12,
        titleFontWeight: 500,
        titlePadding: 8,
        gridColor: "var(--line)",
        domainColor: "var(--line)",
        ticks: false,
        labelPadding: 6,
        labelFlush: false,
      },
    },
  };
}
