import { stringify } from "csv-stringify/sync";
import type { Cell, Column, Table } from "./table.ts";

/**
 * A table as CSV, for programs: each measurement becomes its mean, its sample standard deviation and how many values
 * they are of. Accuracies are fractions; a cell is empty where nothing is known.
 */
export function csv({ columns, rows }: Table): string {
  const measured = columns.map((_, i) => rows.some((row) => typeof row[i] === "object"));
  const head = columns.flatMap((column, i) => {
    const name = nameOf(column);
    return measured[i] ? [`${name} mean`, `${name} std`, `${name} n`] : [name];
  });
  return stringify([head, ...rows.map((row) => row.flatMap(cellsOf))]);
}

/** The unit is said where it is not a fraction. */
function nameOf({ name, group, unit }: Column): string {
  const own = unit === undefined || unit === "accuracy" ? name : `${name} (${unit})`;
  return group === undefined ? own : `${group}: ${own}`;
}

function cellsOf(cell: Cell): string[] {
  if (typeof cell !== "object") return [String(cell)];
  const { mean, std, count } = cell.spread;
  return [decimals(mean), decimals(std), String(count)];
}

function decimals(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toFixed(6))) : "";
}
