import { stringify } from "csv-stringify/sync";
import { type Cell, type Column, isDifference, type Table } from "./table.ts";

/**
 * A table as CSV, for programs: each measurement becomes its mean, its standard deviation, the sample's unless the table says
 * otherwise, and how many values they are of; each paired difference its mean, the ends of its interval and the p-value of no difference. Accuracies
 * and their differences are fractions; a cell is empty where nothing is known.
 */
export function csv({ columns, rows }: Table): string {
  const parts = columns.map((_, i) => {
    const cell = rows.map((row) => row[i]!).find((one) => typeof one === "object");
    if (cell === undefined) return [""];
    return isDifference(cell) ? [" mean", " low", " high", " p"] : [" mean", " std", " n"];
  });
  const head = columns.flatMap((column, i) => parts[i]!.map((part) => nameOf(column) + part));
  return stringify([head, ...rows.map((row) => row.flatMap(cellsOf))]);
}

/** The unit is said where it is not a fraction. */
function nameOf({ name, group, unit }: Column): string {
  const own = unit === undefined || unit === "accuracy" || unit === "points" ? name : `${name} (${unit})`;
  return group === undefined ? own : `${group}: ${own}`;
}

function cellsOf(cell: Cell): string[] {
  if (typeof cell !== "object") return [String(cell)];
  if (isDifference(cell)) {
    const { mean, interval, p } = cell.difference ?? {};
    return [mean, ...(interval ?? [undefined, undefined]), p].map((value) => decimals(value ?? NaN));
  }
  const { mean, std, count } = cell.spread;
  return [decimals(mean), decimals(std), String(count)];
}

function decimals(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toFixed(6))) : "";
}
