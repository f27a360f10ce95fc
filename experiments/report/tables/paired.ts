import type { ReportData } from "../data.ts";
import type { PairedComparison } from "../pairedComparisons.ts";
import { type PairedGroup, pairedGroups, pairingNote } from "../pairedGroups.ts";
import type { Cell, Column, Table } from "./table.ts";

/** Paired differences with their intervals: a table for each kind of comparison on each data set. */
export function pairedTables(data: ReportData): Table[] {
  return pairedGroups(data).map(pairedTable);
}

/** The table of a group, a row for each comparison in its order. */
export function pairedTable({ id, title, setting, chance, comparisons, several }: PairedGroup): Table {
  const incomplete = comparisons.some(({ pairing }) => pairing.unpairedSeeds > 0);
  const columns: Column[] = [
    { name: "compared" },
    { name: "against" },
    ...(several.imbalance ? [{ name: "imbalance" }] : []),
    ...(several.imagesPerClass ? [{ name: "images per class" }] : []),
    { name: "difference", unit: "points" },
    { name: "all", group: "Pairs" },
    { name: "above 0", group: "Pairs" },
    { name: "below 0", group: "Pairs" },
    ...(incomplete ? [{ name: "seeds without a pair" }] : []),
  ];
  const row = ({ compared, against, one, pairing }: PairedComparison): Cell[] => {
    const { difference, unpairedSeeds } = pairing;
    return [
      compared,
      against,
      ...(several.imbalance ? [one.imbalance > 1 ? `${one.imbalance}:1` : "balanced"] : []),
      ...(several.imagesPerClass ? [one.imagesPerClass] : []),
      { difference },
      difference?.differences.length ?? 0,
      difference?.signs.positive ?? 0,
      difference?.signs.negative ?? 0,
      ...(incomplete ? [unpairedSeeds] : []),
    ];
  };
  const note = `Difference in test accuracy in points: ${setting} ${pairingNote} ${chance}`;
  return { id, kind: "paired", title, note, columns, rows: comparisons.map(row) };
}
