import { type Axis, quantity } from "./frame.ts";
import type { LegendEntry } from "./chart.ts";

/** A line with a band around it. */
export interface Curve extends Omit<LegendEntry, "mark"> {
  readonly points: readonly CurvePoint[];
}

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  /** The band; equal to y where there is none. */
  readonly low: number;
  readonly high: number;
}

/** Of the second, third, … line of one color. */
export const dashes = [
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [10, 4],
  [1, 4],
] as const;

/** All bands, then all lines, so that no band covers a line. `suffix` tells their names from those of another panel. */
export function curveLayers(curves: readonly Curve[], x: Axis, y: Axis, suffix = ""): object[] {
  const layer = (part: string, i: number, mark: object, rest: object): object => ({
    name: `${curves[i]!.method === undefined ? "other" : `series_${curves[i]!.method}`}_${part}${i}${suffix}`,
    data: { values: curves[i]!.points },
    mark: { ...mark, aria: false, clip: true },
    encoding: { x: quantity("x", x), ...rest },
  });
  return [
    ...curves.map(({ color }, i) =>
      layer(
        "band",
        i,
        { type: "area", color, opacity: 0.18 },
        { y: quantity("low", y), y2: { field: "high" } },
      ),
    ),
    ...curves.map(({ color, look }, i) =>
      layer(
        "line",
        i,
        { type: "line", color, strokeWidth: 1.6, strokeDash: [...look.dash] },
        { y: quantity("y", y) },
      ),
    ),
  ];
}

/** Entries for curves, in their order. */
export function curveLegend(curves: readonly Curve[]): LegendEntry[] {
  return curves.map(({ points: _, ...entry }) => ({ ...entry, mark: "line" }));
}
