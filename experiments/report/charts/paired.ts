import type { ReportData } from "../data.ts";
import { methodOf, pluralOf } from "../labels.ts";
import type { Look } from "../palette.ts";
import type { PairedComparison } from "../pairedComparisons.ts";
import { intervalsOf, type PairedGroup, pairedGroups } from "../pairedGroups.ts";
import { statementOf } from "../pairedStatement.ts";
import type { Chart } from "./chart.ts";
import { forestHeight, forestLayers, type ForestRow, isWhole } from "./forest.ts";
import { framed } from "./frame.ts";

/** Most comparisons of one chart. */
const ROWS = 40;

/** Paired differences with their intervals about 0, for each kind of comparison on each data set that has an interval. */
export function pairedCharts(data: ReportData, look: Look): Chart[] {
  return pairedGroups(data)
    .filter(({ comparisons }) => intervalsOf(comparisons).length > 0)
    .flatMap((group) => {
      const paired = group.comparisons.filter(({ pairing }) => pairing.difference);
      const parts = Math.ceil(paired.length / ROWS);
      return Array.from({ length: parts }, (_, part) => {
        const comparisons = paired.slice(part * ROWS, (part + 1) * ROWS);
        const title = parts > 1 ? `${group.title}, ${part + 1} of ${parts}` : group.title;
        return pairedChart({ ...group, title, comparisons }, look);
      });
    });
}

function pairedChart({ id, title, setting, chance, comparisons, several }: PairedGroup, look: Look): Chart {
  const methods = [...new Set(comparisons.map(({ one }) => methodOf(one)))];
  const rows = rowsOf(comparisons, several).map((row, i): ForestRow => {
    const { one } = comparisons[i]!;
    return { ...row, method: methods.indexOf(methodOf(one)), look: look(methodOf(one)) };
  });
  return {
    id,
    section: "paired",
    title,
    caption: `${setting} ${chance}`,
    alt: `${title}. ${comparisons
      .map((comparison) => [...settingOf(comparison, several), statementOf(comparison)].join(", "))
      .join("; ")}.`,
    dataset: comparisons[0]!.one.dataset,
    methods,
    legend: [],
    spec: framed(forestLayers(rows, "Difference in test accuracy, points"), forestHeight(rows)),
  };
}

/** What a row says, under a heading that says what it has in common with its neighbors, where it has any. */
function rowsOf(
  comparisons: readonly PairedComparison[],
  several: PairedGroup["several"],
): Omit<ForestRow, "method" | "look">[] {
  const places = comparisons.map((comparison) => settingOf(comparison, several).join(", "));
  const against = comparisons.map((comparison) => `against ${comparison.against}`);
  const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join(", ");
  const full = comparisons.map((_, i) => joined(places[i]!, against[i]!));
  const labels = comparisons.map(({ change }, i) => joined(change, places[i]!));
  const alone =
    new Set(full).size === full.length && new Set(against).size < full.length && labels.every(isWhole);
  return comparisons.map((comparison, i) => ({
    heading: alone ? against[i]! : full[i]!,
    label: alone ? labels[i]! : comparison.change,
    difference: comparison.pairing.difference!,
    text: joined(places[i]!, statementOf(comparison)),
  }));
}

/** What a setting differs in from others of the chart. */
function settingOf({ one }: PairedComparison, several: PairedGroup["several"]): string[] {
  return [
    ...(several.imbalance ? [one.imbalance > 1 ? `imbalance ${one.imbalance}:1` : "balanced"] : []),
    ...(several.imagesPerClass ? [`${pluralOf(one.imagesPerClass, "image")} per class`] : []),
  ];
}
