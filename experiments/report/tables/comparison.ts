import { mainConfigs } from "../charts/mainConfigs.ts";
import { inName, inWords, sharedBy } from "../charts/setting.ts";
import type { ReportData } from "../data.ts";
import { methodOf, pluralOf } from "../labels.ts";
import { groups, settings, type Summary } from "../summarize.ts";
import { accuracyCell } from "./accuracyCell.ts";
import { countsDiffer, measurementNote } from "./notes.ts";
import type { Cell, Column, Table } from "./table.ts";

/**
 * Methods against numbers of images and imbalances, as papers print them: one table for each data set, protocol and pair
 * of networks that has several. A method stands for its main config.
 */
export function comparisonTables({ summaries }: ReportData): Table[] {
  const families = groups(summaries, ["dataset", "network", "protocol", "evaluationNetwork"]);
  return [...families.values()].flatMap((family) => {
    const columns = settings(family)
      .map((rivals) => mainConfigs(rivals).mains)
      .filter((mains) => mains.length > 0)
      .sort(([a], [b]) => a!.imbalance - b!.imbalance || a!.imagesPerClass - b!.imagesPerClass);
    const several = settings(family).some((rivals) => mainConfigs(rivals).note !== "");
    return columns.length > 1 ? [comparison(columns, several, summaries)] : [];
  });
}

function comparison(places: readonly Summary[][], several: boolean, summaries: readonly Summary[]): Table {
  const shown = places.flat();
  const methods = [...new Set(summaries.map(methodOf))].filter((method) =>
    shown.some((one) => methodOf(one) === method),
  );
  const shared = sharedBy(shown);
  const counted = countsDiffer(shown);
  const cell = (method: string, rivals: readonly Summary[]): Cell =>
    accuracyCell(
      rivals.find((other) => methodOf(other) === method),
      places,
      counted,
    );
  return {
    id: `comparison-${inName(shared, summaries)}`,
    kind: "comparison",
    title: `Accuracy of ${pluralOf(methods.length, "method")} on ${shown[0]!.dataset}`,
    note: [
      `Test accuracy in percent: ${inWords(shared)}`,
      measurementNote(places),
      ...(several
        ? ["Where a method has several configs, the one that the others were varied from is shown."]
        : []),
    ].join(" "),
    columns: [{ name: "method" }, ...places.map(([one]) => columnOf(one!, shared))],
    rows: methods.map((method) => [method, ...places.map((rivals) => cell(method, rivals))]),
  };
}

/** What differs between the columns names them. */
function columnOf({ imbalance, imagesPerClass }: Summary, shared: ReturnType<typeof sharedBy>): Column {
  const balance = imbalance > 1 ? `${imbalance}:1` : "balanced";
  if (shared.imagesPerClass !== undefined) return { name: balance, group: "Imbalance", unit: "accuracy" };
  if (shared.imbalance !== undefined) {
    return { name: String(imagesPerClass), group: "Images per class", unit: "accuracy" };
  }
  return { name: pluralOf(imagesPerClass, "image"), group: balance, unit: "accuracy" };
}
