import { repetitions } from "../charts/setting.ts";
import { compare, type Summary } from "../summarize.ts";

/**
 * What numbers in a table of these summaries are of, and what bold says.
 *
 * @param rivals summaries that are compared with each other, group by group.
 */
export function measurementNote(rivals: readonly (readonly Summary[])[]): string {
  const all = rivals.flat();
  const counted = countsDiffer(all) ? "In parentheses, the number of networks." : "";
  return [repetitions(all), counted, boldNote(rivals)].filter((part) => part !== "").join(" ");
}

/** Whether the number of networks must stand in every cell, since no sentence can say it for all. */
export function countsDiffer(summaries: readonly Summary[]): boolean {
  const measured = summaries.filter(({ accuracy }) => accuracy.count > 0);
  return new Set(measured.map(({ accuracy }) => accuracy.count)).size > 1;
}

/** What bold says; nothing where no comparison could be made. */
export function boldNote(rivals: readonly (readonly Summary[])[]): string {
  const units = new Set(
    rivals.flatMap((group) =>
      group.flatMap((one, i) =>
        group
          .slice(i + 1)
          .map((other) => compare(one, other))
          .filter(({ testable }) => testable)
          .map(({ unit }) => `${unit}s`),
      ),
    ),
  );
  if (units.size === 0) return "";
  const between = [...units].sort().reverse().join(" or ");
  return `Bold: above all others by Welch’s t-test (two-sided, 5%) between ${between}.`;
}
