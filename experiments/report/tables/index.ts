import type { ReportData } from "../data.ts";
import { ablationTables } from "./ablations.ts";
import { accuracyTables } from "./accuracy.ts";
import { classTables } from "./classes.ts";
import { comparisonTables } from "./comparison.ts";
import { continualTables } from "./continual.ts";
import { costTables } from "./cost.ts";
import { csv } from "./csv.ts";
import { fidelityTables } from "./fidelity.ts";
import { frequencyTables } from "./frequencies.ts";
import { latex } from "./latex.ts";
import { markdown } from "./markdown.ts";
import { networkTables } from "./networks.ts";
import { pairedTables } from "./paired.ts";
import { rankingTables } from "./ranking.ts";
import type { Table, TableKind } from "./table.ts";

export { csv } from "./csv.ts";
export { latex } from "./latex.ts";
export { markdown } from "./markdown.ts";
export type { Table } from "./table.ts";

/** Kinds of tables, in the order of the report. Each finds in the data what it can show. */
const kinds: Readonly<Record<TableKind, (data: ReportData) => Table[]>> = {
  comparison: comparisonTables,
  accuracy: accuracyTables,
  ranking: rankingTables,
  paired: pairedTables,
  ablations: ablationTables,
  classes: classTables,
  networks: networkTables,
  continual: continualTables,
  fidelity: fidelityTables,
  frequencies: frequencyTables,
  cost: costTables,
};

/** All tables that the data have something for. */
export function tablesOf(data: ReportData): Table[] {
  return Object.values(kinds).flatMap((kind) => kind(data));
}

/** Tables as files: all of a kind as KIND.md, and each as ID.csv and ID.tex. */
export function tableFiles(tables: readonly Table[]): { readonly name: string; readonly content: string }[] {
  const present = [...new Set(tables.map(({ kind }) => kind))];
  return [
    ...present.map((kind) => ({
      name: `${kind}.md`,
      content: markdown(tables.filter((table) => table.kind === kind)),
    })),
    ...tables.flatMap((table) => [
      { name: `${table.id}.csv`, content: csv(table) },
      { name: `${table.id}.tex`, content: latex(table) },
    ]),
  ];
}
