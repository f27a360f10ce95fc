import { percentSpread } from "../numbers.ts";
import type { Spread } from "../statistics.ts";
import { colorOf } from "./chart.ts";
import { type Axis, quantity } from "./frame.ts";
import { type Measured, whisker } from "./series.ts";

/** Words along the vertical axis; the x of a point is the position of its word. */
export interface Words {
  readonly names: readonly string[];
  readonly title: string;
}

/**
 * A dot with a whisker for each measurement at its word, series side by side.
 *
 * @param said a measurement in words; by default an accuracy in percent.
 */
export function dotLayers(
  series: readonly Measured[],
  { names, title }: Words,
  axis: Axis,
  said: (spread: Spread) => string = (spread) => `${percentSpread(spread)}%`,
): object[] {
  return series.flatMap(({ label, method, look, points }, i) => {
    const data = points.map(({ x, y: { mean, std } }) => ({
      name: names[x]!,
      mean,
      low: mean - std,
      high: mean + std,
      text: `${label}, ${names[x]!}: ${said({ mean, std, count: 0 })}`,
    }));
    const place = {
      y: {
        field: "name",
        type: "nominal",
        sort: null,
        scale: { type: "point", domain: [...names], padding: 0.5 },
        axis: { title, grid: false, labelLimit: 130 },
      },
      yOffset: { value: 6 * (i - (series.length - 1) / 2) },
    };
    return [
      {
        name: `series_${method}_whisker${i}`,
        data: { values: data.filter(({ low }) => Number.isFinite(low)) },
        mark: { type: "rule", color: colorOf(look), strokeWidth: 1.5, aria: false },
        encoding: { ...place, ...whisker("x", axis) },
      },
      {
        name: `series_${method}_point${i}`,
        data: { values: data },
        mark: { type: "point", filled: true, opacity: 1, size: 48, color: colorOf(look), shape: look.shape },
        encoding: { ...place, x: quantity("mean", axis), description: { field: "text" } },
      },
    ];
  });
}
