import { repetitions } from "../charts/setting.ts";
import { listed } from "../labels.ts";
import { compare, type Comparison, type Summary } from "../summarize.ts";

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
          .map(({ unit }) => unit),
      ),
    ),
  );
  if (units.size === 0) return "";
  return `Bold: above all others by ${listed(tests(units), "or")}.`;
}

/** Tests in words, those first that say most of the methods. */
function tests(units: ReadonlySet<Comparison["unit"]>): string[] {
  const between = (["seed", "network"] as const).filter((unit) => units.has(unit)).map((unit) => `${unit}s`);
  return [
    ...(units.has("pair") ? ["the paired t-test (two-sided, 5%) over seeds"] : []),
    ...(between.length > 0 ? [`Welch’s t-test (two-sided, 5%) between ${between.join(" or ")}`] : []),
  ];
}
