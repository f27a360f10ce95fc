import { type AblationPanel, ablationsOf } from "../ablations.ts";
import { ablationId, ablationTitle } from "../charts/ablations.ts";
import { inWords, sharedBy } from "../charts/setting.ts";
import type { ReportData } from "../data.ts";
import { highestSentences } from "../highest.ts";
import { settings } from "../summarize.ts";
import { accuracyCell } from "./accuracyCell.ts";
import { countsDiffer, measurementNote } from "./notes.ts";
import type { Cell, Table } from "./table.ts";

/** What charts of ablations show, in numbers: a row for each line of each panel, a column for each value along the axis. */
export function ablationTables({ summaries }: ReportData): Table[] {
  return ablationsOf(summaries).map((ablation) => {
    const { x, line, facet, panels } = ablation;
    const shown = panels.flatMap(({ cells }) => cells.map(({ summary }) => summary));
    const rivals = panels.flatMap(({ cells }) => settings(cells.map(({ summary }) => summary)));
    const counted = countsDiffer(shown);
    const flat = panels.some(({ cells }) => cells.some(({ values }) => !values.has(x.path)));
    const at = ({ cells }: AblationPanel, level: string, value: string | undefined): Cell =>
      accuracyCell(
        cells.find(({ values }) => values.get(line.path) === level && values.get(x.path) === value)?.summary,
        rivals,
        counted,
      );
    return {
      id: ablationId(ablation, summaries),
      kind: "ablations" as const,
      title: ablationTitle(ablation),
      note: [
        `Test accuracy in percent: ${inWords(sharedBy(shown))}`,
        measurementNote(rivals),
        ...(rivals.length > 1 ? ["Cells are compared within a method, a panel and an imbalance."] : []),
        ...highestSentences(ablation),
      ].join(" "),
      columns: [
        { name: "method" },
        ...(facet ? [{ name: facet.name }] : []),
        { name: line.name },
        ...x.values.map((value) => ({ name: value, group: x.name, unit: "accuracy" as const })),
        ...(flat ? [{ name: `without ${x.name}`, unit: "accuracy" as const }] : []),
      ],
      rows: panels.flatMap((panel) =>
        line.values
          .filter((level) => panel.cells.some(({ values }) => values.get(line.path) === level))
          .map((level) => [
            panel.method,
            ...(facet ? [panel.facet!] : []),
            level,
            ...x.values.map((value) => at(panel, level, value)),
            ...(flat ? [at(panel, level, undefined)] : []),
          ]),
      ),
    };
  });
}
