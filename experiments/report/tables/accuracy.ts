import type { ReportData } from "../data.ts";
import { labelAmong, settingOf } from "../labels.ts";
import { settings, type Summary } from "../summarize.ts";
import { inName, sharedBy } from "../charts/setting.ts";
import { boldNote } from "./notes.ts";
import type { Cell, Column, Table } from "./table.ts";

const thirds = ["head", "medium", "tail"] as const;

/** All configs of each setting: accuracy, thirds of the classes where long-tailed, and how often it was measured. */
export function accuracyTables({ summaries }: ReportData): Table[] {
  return settings(summaries).map((rivals) => {
    const { title, detail } = settingOf(rivals[0]!);
    const shown = rivals[0]!.imbalance > 1 ? thirds : [];
    const columns: Column[] = [
      { name: "method" },
      { name: "accuracy", unit: "accuracy" },
      ...shown.map((name) => ({ name, unit: "accuracy" as const })),
      { name: "networks" },
      { name: "seeds" },
    ];
    const failed = rivals.some(({ failures }) => failures > 0);
    const row = (one: Summary): Cell[] => [
      labelAmong(rivals, one),
      { spread: one.accuracy, best: one.best },
      ...shown.map((part) => ({ spread: one[`${part}Accuracy`] })),
      one.accuracy.count,
      one.seedAccuracy.count,
      ...(failed ? [one.failures] : []),
    ];
    return {
      id: `accuracy-${inName(sharedBy(rivals), summaries)}`,
      kind: "accuracy" as const,
      title,
      note: [`${detail}, mean ± standard deviation over all networks.`, boldNote([rivals])].join(" ").trim(),
      columns: failed ? [...columns, { name: "failed" }] : columns,
      rows: rivals.map(row),
    };
  });
}
