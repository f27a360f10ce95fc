import type { TopLevelSpec } from "vega-lite";
import type { Series } from "../palette.ts";

/** A figure of the report, before it is drawn. */
export interface Chart {
  /** Stem of its file's name, unique in a report. */
  readonly id: string;
  readonly section:
    | "accuracy"
    | "paired"
    | "classes"
    | "options"
    | "sampling"
    | "training"
    | "architectures"
    | "continual"
    | "features"
    | "maps"
    | "spectra"
    | "cost";
  readonly title: string;
  /** Whether it is folded away, however few charts its section has. */
  readonly detail?: boolean;
  /** What is shown, in words: setting, repetitions, what was left out. */
  readonly caption?: string;
  /** The chart in words, with the numbers that matter. */
  readonly alt: string;
  readonly dataset: string;
  /** Methods shown, as `methodOf` names them; layers refer to them by position. */
  readonly methods: readonly string[];
  /** Who is who, drawn above the plot; empty where the axes say it. */
  readonly legend: readonly LegendEntry[];
  /** What is drawn, as lines of a CSV file beside the pictures; none where a table of the report has it. */
  readonly numbers?: readonly Readonly<Record<string, string | number>>[];
  /** Colors are variables of the page's style sheet, as in var(--s1). */
  readonly spec: TopLevelSpec;
}

/** What a series is called, and how it is drawn. */
export interface LegendEntry {
  readonly label: string;
  /** Position in the chart's methods; none for what is no method, such as real images. */
  readonly method?: number;
  readonly color: string;
  readonly mark: "line" | "lineAndPoint" | "point" | "bar";
  readonly look: Pick<Series, "shape" | "dash">;
}

/** Total width of a chart in pixels: that of a phone's screen between its margins, so that letters keep their size. */
export const WIDTH = 340;

/** The page's color of a series. */
export function colorOf({ color }: Pick<Series, "color">): string {
  return `var(--s${color})`;
}

/** Part of a file name: letters, digits and hyphens. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
