import { percentSpread } from "../numbers.ts";
import type { Series } from "../palette.ts";
import type { Spread } from "../statistics.ts";
import { colorOf, type LegendEntry } from "./chart.ts";
import { type Axis, quantity } from "./frame.ts";

/** Measurements along an axis, each with its spread. */
export interface Measured {
  readonly label: string;
  /** Position in the chart's methods. */
  readonly method: number;
  readonly look: Series;
  readonly points: readonly { readonly x: number; readonly y: Spread }[];
  /** Whether a line joins the points. */
  readonly joined: boolean;
}

/** Most pixels from the first to the last series at the same place, whose whiskers stand side by side. */
const DODGED = 16;

/** How series are drawn in one of several panels. */
export interface InPanel {
  /** Tells the names of its layers from those of another panel. */
  readonly suffix: string;
}

/** A layer for the line, one for the whiskers and one for the points of each series; in a panel all of it is smaller. */
export function measuredLayers(series: readonly Measured[], x: Axis, y: Axis, panel?: InPanel): object[] {
  const dodge = Math.min(panel ? 1.5 : 4, DODGED / Math.max(1, series.length - 1));
  const [size, width] = panel ? [22, 1.5] : [42, 2];
  const padded = { ...x, padding: DODGED };
  return series.flatMap((one, i) => {
    const values = one.points
      .map(({ x: at, y: { mean, std } }) => ({
        x: at,
        mean,
        low: mean - std,
        high: mean + std,
        text: `${one.label}, ${x.title} ${at}: ${percentSpread({ mean, std, count: 0 })}%`,
      }))
      .filter(({ mean }) => Number.isFinite(mean))
      .sort((a, b) => a.x - b.x);
    const color = colorOf(one.look);
    const encoding = {
      x: quantity("x", padded),
      y: quantity("mean", y),
      xOffset: { value: dodge * (i - (series.length - 1) / 2) },
    };
    const layer = (part: string, mark: object, rest: object): object => ({
      name: `series_${one.method}_${part}${i}${panel?.suffix ?? ""}`,
      data: { values: part === "whisker" ? values.filter(({ low }) => Number.isFinite(low)) : values },
      mark,
      encoding: { ...encoding, ...rest },
    });
    const line = { type: "line", color, strokeWidth: width, strokeDash: [...one.look.dash], aria: false };
    return [
      ...(one.joined ? [layer("line", line, {})] : []),
      layer("whisker", { type: "rule", color, strokeWidth: 1.5, aria: false }, whisker("y", y)),
      layer(
        "point",
        { type: "point", filled: true, opacity: 1, size, color, shape: one.look.shape },
        { description: { field: "text" } },
      ),
    ];
  });
}

/** From one standard deviation below the mean to one above, or between other fields. */
export function whisker(
  channel: "x" | "y",
  axis: Axis,
  [low, high]: readonly [string, string] = ["low", "high"],
): object {
  return { [channel]: quantity(low, axis), [`${channel}2`]: { field: high } };
}

/** Entries for series, in their order. */
export function legendOf(series: readonly Measured[]): LegendEntry[] {
  return series.map(({ label, method, look, joined }) => ({
    label,
    method,
    look,
    color: colorOf(look),
    mark: joined ? "lineAndPoint" : "point",
  }));
}

/** "dm 52.1 ± 0.4% at 1, 60.2 ± 0.3% at 10; csdm …": all points of all series. */
export function pointsInWords(series: readonly Measured[]): string {
  return series
    .map(({ label, points }) => {
      const sorted = [...points].sort((a, b) => a.x - b.x);
      return `${label} ${sorted.map(({ x, y }) => `${percentSpread(y)}% at ${x}`).join(", ")}`;
    })
    .join("; ");
}
