import { leads, type Summary } from "../summarize.ts";
import { type Cell, unknown } from "./table.ts";

/** The cell of a config's accuracy: bold where it leads the rivals it is one of, unknown where there is no such config. */
export function accuracyCell(
  one: Summary | undefined,
  rivals: readonly (readonly Summary[])[],
  counted: boolean,
): Cell {
  if (!one) return unknown;
  const own = rivals.find((group) => group.includes(one))!;
  return { spread: one.accuracy, best: leads(one, own), counted };
}
