import type { Row } from "../../results.ts";
import { listed, pluralOf } from "../labels.ts";
import { groups, setting } from "../summarize.ts";

/** What a reader must know before comparing rows of different origin; empty where nothing is mixed. */
export function mixtures(rows: readonly Row[]): string[] {
  return [
    ...mixedProtocols(rows),
    ...mixedWithin(rows, "commit", "versions of the code"),
    ...mixedWithin(rows, "engine", "engines"),
  ];
}

/** Every protocol has tables of its own, but readers compare across tables. */
function mixedProtocols(rows: readonly Row[]): string[] {
  const sets = groups(rows, ["dataset", "imbalance", "imagesPerClass"]);
  const mixed = [...sets.values()].map((set) => distinct(set, "protocol")).filter((ids) => ids.length > 1);
  return [...new Set(mixed.map((ids) => listed(ids)))].map(
    (ids) => `The same images were judged by the protocols ${ids}; their accuracies cannot be compared.`,
  );
}

/** Within one table all rows should come from the same code on the same engine. */
function mixedWithin(rows: readonly Row[], column: "commit" | "engine", what: string): string[] {
  const tables = [...groups(rows, setting).values()];
  const mixed = tables.filter((table) => distinct(table, column).length > 1);
  if (mixed.length === 0) return [];
  const concerned = mixed.flat();
  const counts = distinct(concerned, column).map(
    (value) => `${value} (${pluralOf(concerned.filter((row) => row[column] === value).length, "row")})`,
  );
  const where = mixed.length === 1 ? "One setting mixes" : `${mixed.length} settings mix`;
  return [`${where} rows of different ${what}, ${listed(counts)}; a difference may come from there.`];
}

function distinct(rows: readonly Row[], column: "protocol" | "commit" | "engine"): string[] {
  return [...new Set(rows.map((row) => row[column]))];
}
