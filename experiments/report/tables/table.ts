import type { PairedDifference } from "../../../src/evaluation/statistics.ts";
import { points, pointsInterval } from "../numbers.ts";
import type { Spread } from "../statistics.ts";

/** A table before it is written in any format. */
export interface Table {
  /** Stem of its files' names, unique in a report. */
  readonly id: string;
  readonly kind: TableKind;
  readonly title: string;
  /** How it was measured, over how many repetitions, and what bold means. */
  readonly note: string;
  readonly columns: readonly Column[];
  /** Each with a cell for every column. */
  readonly rows: readonly (readonly Cell[])[];
}

export type TableKind =
  | "comparison"
  | "accuracy"
  | "ranking"
  | "paired"
  | "ablations"
  | "classes"
  | "networks"
  | "continual"
  | "fidelity"
  | "frequencies"
  | "cost";

export interface Column {
  readonly name: string;
  /** Over it and its neighbors of the same group. */
  readonly group?: string;
  /** Of numbers; accuracies are fractions, in percent where people read them. */
  readonly unit?: "accuracy" | "points" | "s" | "MB";
  /** Digits behind the point of a number without unit. Default 0. */
  readonly decimals?: number;
}

/** Text, a whole number, repeated measurements, of which nothing may be known, or how two of them differ. */
export type Cell = string | number | Measurement | Difference;

/** A paired difference of accuracies; none where nothing could be paired. */
export interface Difference {
  readonly difference: PairedDifference | undefined;
}

/** Whether a cell is a paired difference. */
export function isDifference(cell: Cell): cell is Difference {
  return typeof cell === "object" && "difference" in cell;
}

/** What stands in the place of an interval, or of a difference, that takes more pairs. */
export const TOO_FEW = "too few pairs";

/** "+0.12 [−0.40, +0.64]" in percent points, "+0.12, too few pairs" of one pair, "too few pairs" of none. */
export function differenceText(difference: PairedDifference | undefined): string {
  if (!difference) return TOO_FEW;
  const { mean, interval } = difference;
  return interval ? `${points(mean)} ${pointsInterval(interval)}` : `${points(mean)}, ${TOO_FEW}`;
}

export interface Measurement {
  readonly spread: Spread;
  /** Above all others of its place by more than chance explains. */
  readonly best?: boolean;
  /** Whether the number of values is written behind it, where it is not the same all over the table. */
  readonly counted?: boolean;
}

/** What is not known. */
export const unknown: Measurement = { spread: { mean: NaN, std: NaN, count: 0 } };

/** A measurement as people read it, in its unit, part by part; parts are empty where there is nothing to say. */
interface Digits {
  readonly mean: string;
  readonly std: string;
  readonly count: string;
}

export function digits(
  { spread, counted = false }: Measurement,
  { unit, decimals: asked = 0 }: Pick<Column, "unit" | "decimals">,
): Digits {
  const scale = unit === "accuracy" ? 100 : 1;
  const mean = scale * spread.mean;
  const decimals = unit === "accuracy" || (unit === "s" && Math.abs(mean) < 10) ? 1 : asked;
  const text = (value: number): string => (Number.isFinite(value) ? value.toFixed(decimals) : "");
  return { mean: text(mean), std: text(scale * spread.std), count: counted ? ` (${spread.count})` : "" };
}

/** A column's name with its unit, "accuracy, %"; below a group's name, percent goes without saying. */
export function headed({ name, unit, group }: Column): string {
  if (unit === undefined || (unit === "accuracy" && group !== undefined)) return name;
  return `${name}, ${unit === "accuracy" ? "%" : unit}`;
}
