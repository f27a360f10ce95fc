import { crossings } from "../charts/architectures.ts";
import { inName, inWords } from "../charts/setting.ts";
import { meanings, shortNames } from "../charts/shortNames.ts";
import type { ReportData } from "../data.ts";
import { methodOf } from "../labels.ts";
import { groups } from "../summarize.ts";
import { accuracyCell } from "./accuracyCell.ts";
import { countsDiffer, measurementNote } from "./notes.ts";
import type { Table } from "./table.ts";

/** What images distilled with one network come to on others, the main config of each method. */
export function networkTables({ summaries }: ReportData): Table[] {
  return crossings(summaries).map((cells) => {
    const { dataset, imbalance, imagesPerClass, protocol } = cells[0]!;
    const setting = { dataset, imbalance, imagesPerClass, protocol };
    const columns = [...new Set(cells.map(({ evaluationNetwork }) => evaluationNetwork))];
    const short = shortNames(cells.flatMap(({ network, evaluationNetwork }) => [network, evaluationNetwork]));
    const rows = [...groups(cells, ["network", "objective", "plugins"]).values()];
    const rivals = [...groups(cells, ["network", "evaluationNetwork"]).values()];
    const counted = countsDiffer(cells);
    return {
      id: `networks-${inName(setting, summaries)}`,
      kind: "networks" as const,
      title: `${dataset}: accuracy on other networks`,
      note: [
        `Test accuracy in percent: ${inWords(setting)} ${measurementNote(rivals)}`,
        "Methods are compared on the same two networks.",
        ...meanings(cells.flatMap(({ network, evaluationNetwork }) => [network, evaluationNetwork])),
      ].join(" "),
      columns: [
        { name: "method" },
        { name: "distilled with" },
        ...columns.map((name) => ({
          name: short(name),
          group: "Evaluation network",
          unit: "accuracy" as const,
        })),
      ],
      rows: rows.map((row) => [
        methodOf(row[0]!),
        short(row[0]!.network),
        ...columns.map((column) => {
          const one = row.find(({ evaluationNetwork }) => evaluationNetwork === column);
          return accuracyCell(one, rivals, counted);
        }),
      ]),
    };
  });
}
