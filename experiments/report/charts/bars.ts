import { percentSpread } from "../numbers.ts";
import type { Series } from "../palette.ts";
import type { Spread } from "../statistics.ts";
import { colorOf, type LegendEntry } from "./chart.ts";
import { type Axis, quantity } from "./frame.ts";
import { whisker } from "./series.ts";

/** Bars of one color, one in each group. */
export interface BarSeries {
  readonly label: string;
  /** Position in the chart's methods. */
  readonly method: number;
  readonly look: Series;
  /** In the order of the groups. */
  readonly values: readonly Spread[];
}

export interface BarGroups {
  readonly names: readonly string[];
  readonly title: string;
  /** Bars stand up, or lie where there are many groups or long names. */
  readonly lying: boolean;
}

/** A layer of bars and one of whiskers for each series, side by side in every group. */
export function barLayers(
  series: readonly BarSeries[],
  { names, title, lying }: BarGroups,
  axis: Axis,
): object[] {
  const [along, across] = lying ? (["y", "x"] as const) : (["x", "y"] as const);
  const labels = series.map(({ label }) => label);
  const upright = { labelAngle: 0, title, labelLimit: 110, grid: false };
  return series.flatMap(({ label, method, look, values }, i) => {
    const data = values
      .map(({ mean, std }, group) => ({
        group: names[group]!,
        label,
        mean,
        low: mean - std,
        high: mean + std,
        text: `${label}, ${names[group]!}: ${percentSpread({ mean, std, count: 0 })}%`,
      }))
      .filter(({ mean }) => Number.isFinite(mean));
    const place = {
      [along]: {
        field: "group",
        type: "nominal",
        sort: null,
        scale: { domain: [...names], paddingInner: 0.25 },
        axis: upright,
      },
      [`${along}Offset`]: {
        field: "label",
        type: "nominal",
        sort: null,
        scale: { domain: labels, paddingInner: 0.1 },
      },
    };
    return [
      {
        name: `series_${method}_bar${i}`,
        data: { values: data },
        mark: { type: "bar", color: colorOf(look), opacity: look.dash.length > 0 ? 0.6 : 1 },
        encoding: { ...place, [across]: quantity("mean", axis), description: { field: "text" } },
      },
      {
        name: `series_${method}_whisker${i}`,
        data: { values: data.filter(({ low }) => Number.isFinite(low)) },
        mark: { type: "rule", color: "var(--ink)", strokeWidth: 1, aria: false },
        encoding: { ...place, ...whisker(across, axis) },
      },
    ];
  });
}

/** Entries for series of bars, in their order. */
export function barLegend(series: readonly BarSeries[]): LegendEntry[] {
  return series.map(({ label, method, look }) => ({
    label,
    method,
    look,
    color: colorOf(look),
    mark: "bar",
  }));
}
