import { homeSettings, inName, sharedBy } from "../charts/setting.ts";
import type { ReportData } from "../data.ts";
import { labelAmong, settingOf } from "../labels.ts";
import type { Table } from "./table.ts";

/** Time and memory of every config of a setting beside its accuracy, where something was distilled. */
export function costTables({ summaries }: ReportData): Table[] {
  return homeSettings(summaries).flatMap((rivals) => {
    const measured = rivals.filter(({ accuracy }) => accuracy.count > 0);
    if (!measured.some(({ distillSeconds }) => distillSeconds.mean > 0)) return [];
    const { title, detail } = settingOf(measured[0]!);
    return [
      {
        id: `cost-${inName(sharedBy(measured), summaries)}`,
        kind: "cost" as const,
        title: `${title}: cost`,
        note: `${detail}. Time and peak memory of a distillation over its seeds, time to train and test a network over all networks.`,
        columns: [
          { name: "method" },
          { name: "accuracy", unit: "accuracy" as const },
          { name: "distillation", unit: "s" as const },
          { name: "peak memory", unit: "MB" as const },
          { name: "evaluation", unit: "s" as const },
          { name: "networks" },
          { name: "seeds" },
        ],
        rows: measured.map((one) => [
          labelAmong(rivals, one),
          { spread: one.accuracy },
          { spread: one.distillSeconds },
          { spread: one.peakMegabytes },
          { spread: one.evaluationSeconds },
          one.accuracy.count,
          one.seedAccuracy.count,
        ]),
      },
    ];
  });
}
