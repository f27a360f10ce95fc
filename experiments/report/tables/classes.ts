import { byClass } from "../charts/byClass.ts";
import { inName, sharedBy } from "../charts/setting.ts";
import type { ReportData } from "../data.ts";
import { methodOf, settingOf } from "../labels.ts";
import { countsDiffer, measurementNote } from "./notes.ts";
import { type Table, unknown } from "./table.ts";

/** Accuracy of each class, a column for the main config of each method, for each setting. */
export function classTables(data: ReportData): Table[] {
  return byClass(data).map(({ shown, names, note }) => {
    const { title, detail } = settingOf(shown[0]!);
    const counted = countsDiffer(shown);
    return {
      id: `classes-${inName(sharedBy(shown), data.summaries)}`,
      kind: "classes" as const,
      title: `${title}: accuracy by class`,
      note: [`${detail}, in percent.`, measurementNote(shown.map((one) => [one])), note].join(" ").trim(),
      columns: [
        { name: "class" },
        ...shown.map((one) => ({ name: methodOf(one), unit: "accuracy" as const })),
      ],
      rows: names.map((name, label) => [
        name,
        ...shown.map((one) => {
          const spread = one.classAccuracies[label];
          return spread ? { spread, counted } : unknown;
        }),
      ]),
    };
  });
}
