import type { ReportData } from "../data.ts";
import { labelAmong, settingOf } from "../labels.ts";
import { type ScoresBeside, scoresBeside } from "../rankings.ts";
import { settings, type Summary } from "../summarize.ts";
import { inName, sharedBy } from "../charts/setting.ts";
import { boldNote } from "./notes.ts";
import { scoresNote } from "./ranking.ts";
import { type Cell, type Column, type Table, unknown } from "./table.ts";

const thirds = ["head", "medium", "tail"] as const;

/** All configs of each setting: accuracy, thirds of the classes where long-tailed, and how often it was measured. */
export function accuracyTables(data: ReportData): Table[] {
  const { summaries } = data;
  return settings(summaries).map((rivals) => {
    const { title, detail } = settingOf(rivals[0]!);
    const shown = rivals[0]!.imbalance > 1 ? thirds : [];
    const scores = scoresBeside(rivals, data);
    const columns: Column[] = [
      { name: "method" },
      { name: "accuracy", unit: "accuracy" },
      ...shown.map((name) => ({ name, unit: "accuracy" as const })),
      ...(scores ? ["LRS", "ARS"].map((name) => ({ name, unit: "accuracy" as const })) : []),
      { name: "networks" },
      { name: "seeds" },
    ];
    const failed = rivals.some(({ failures }) => failures > 0);
    const row = (one: Summary): Cell[] => [
      labelAmong(rivals, one),
      { spread: one.accuracy, best: one.best },
      ...shown.map((part) => ({ spread: one[`${part}Accuracy`] })),
      ...(scores ? scoreCells(one, scores) : []),
      one.accuracy.count,
      one.seedAccuracy.count,
      ...(failed ? [one.failures] : []),
    ];
    return {
      id: `accuracy-${inName(sharedBy(rivals), summaries)}`,
      kind: "accuracy" as const,
      title,
      note: [
        `${detail}, mean ± standard deviation over all networks.`,
        boldNote([rivals]),
        scores && scoresNote(scores),
      ]
        .filter((part) => part !== undefined && part !== "")
        .join(" "),
      columns: failed ? [...columns, { name: "failed" }] : columns,
      rows: rivals.map(row),
    };
  });
}

/** LRS and ARS of a config, which may not have been ranked. */
function scoreCells(one: Summary, scores: ScoresBeside): Cell[] {
  const found = scores.of(one);
  return found ? [{ spread: found.lrs }, { spread: found.ars }] : [unknown, unknown];
}
