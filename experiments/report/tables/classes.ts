import { mainConfigs } from "../charts/mainConfigs.ts";
import { homeSettings, inName, sharedBy } from "../charts/setting.ts";
import type { ReportData } from "../data.ts";
import { methodOf, settingOf } from "../labels.ts";
import { countsDiffer, measurementNote } from "./notes.ts";
import { type Table, unknown } from "./table.ts";

/** Accuracy of each class, a column for the main config of each method, for each setting. */
export function classTables({ summaries, classNames }: ReportData): Table[] {
  return homeSettings(summaries).flatMap((rivals) => {
    const { mains, note } = mainConfigs(rivals);
    const shown = mains.filter(({ classAccuracies }) => classAccuracies.length > 0);
    if (shown.length === 0) return [];
    const { dataset, classAccuracies } = shown[0]!;
    const { title, detail } = settingOf(shown[0]!);
    const counted = countsDiffer(shown);
    return [
      {
        id: `classes-${inName(sharedBy(shown), summaries)}`,
        kind: "classes" as const,
        title: `${title}: accuracy by class`,
        note: [`${detail}, in percent.`, measurementNote(shown.map((one) => [one])), note].join(" ").trim(),
        columns: [
          { name: "class" },
          ...shown.map((one) => ({ name: methodOf(one), unit: "accuracy" as const })),
        ],
        rows: classAccuracies.map((_, label) => [
          classNames[dataset]?.[label] ?? `class ${label}`,
          ...shown.map((one) => {
            const spread = one.classAccuracies[label];
            return spread ? { spread, counted } : unknown;
          }),
        ]),
      },
    ];
  });
}
