import { percent, percentSpread } from "../numbers.ts";
import type { ReportData } from "../data.ts";
import { methodOf } from "../labels.ts";
import { groups, type Summary } from "../summarize.ts";
import { mainVariant } from "../variants.ts";
import type { Chart } from "./chart.ts";
import { framed } from "./frame.ts";
import { isSlanted, type Matrix, type MatrixCell, matrixHeight, matrixLayers } from "./matrix.ts";
import { inName, inWords, repetitions } from "./setting.ts";
import { meanings, shortNames } from "./shortNames.ts";

/** What images come to on networks that they were not distilled with: for settings with several evaluation networks. */
export function architectureCharts({ summaries }: ReportData): Chart[] {
  return crossings(summaries).map((cells) => matrix(cells, summaries));
}

/**
 * Cells of one matrix for each setting: the main config of each method, network and evaluation network. Rows known on
 * one evaluation network alone are left out.
 */
export function crossings(summaries: readonly Summary[]): Summary[][] {
  const measured = summaries.filter(({ accuracy }) => Number.isFinite(accuracy.mean));
  const settings = [...groups(measured, ["dataset", "imbalance", "imagesPerClass", "protocol"]).values()];
  const rowsOf = (group: readonly Summary[]): Summary[][] =>
    [...groups(group, ["network", "objective", "plugins"]).values()].map((row) =>
      [...groups(row, ["evaluationNetwork"]).values()].map(mainVariant),
    );
  return settings
    .map((group) =>
      rowsOf(group)
        .filter((row) => row.length > 1)
        .flat(),
    )
    .filter((cells) => cells.length > 0);
}

function matrix(cells: readonly Summary[], summaries: readonly Summary[]): Chart {
  const networks = [...new Set(cells.map(({ network }) => network))];
  const columns = [...new Set(cells.map(({ evaluationNetwork }) => evaluationNetwork))];
  const short = shortNames([...networks, ...columns]);
  const rowOf = (one: Summary): string =>
    networks.length > 1 ? `${methodOf(one)}, ${short(one.network)}` : methodOf(one);
  const rows = [...new Set([...groups(cells, ["network"]).values()].flat().map(rowOf))];
  const methods = [...new Set(cells.map(methodOf))];
  const names = columns.map(short);
  const slanted = isSlanted(names);
  const values = (own: readonly Summary[]): MatrixCell[] =>
    own.map((one) => ({
      row: rowOf(one),
      column: short(one.evaluationNetwork),
      mean: one.accuracy.mean,
      number: percent(one.accuracy.mean),
      spread: Number.isFinite(one.accuracy.std) ? `± ${percent(one.accuracy.std)}` : "",
      framed: one.network === one.evaluationNetwork,
      text: `${rowOf(one)} on ${short(one.evaluationNetwork)}: ${percentSpread(one.accuracy)}%`,
    }));
  const means = cells.map(({ accuracy }) => accuracy.mean);
  const plot: Matrix = {
    rows: { names: rows, title: networks.length > 1 ? "Method, distilled with" : null },
    columns: { names, title: "Evaluation network", slanted },
    range: [Math.min(...means), Math.max(...means)],
  };
  const layers = methods.flatMap((method, i) =>
    matrixLayers(`series_${i}`, values(cells.filter((one) => methodOf(one) === method)), plot),
  );
  const { dataset, imbalance, imagesPerClass, protocol } = cells[0]!;
  const setting = { dataset, imbalance, imagesPerClass, protocol };
  const title = "Accuracy on other networks";
  const said = cells.map(
    (one) => `${rowOf(one)} on ${short(one.evaluationNetwork)} ${percentSpread(one.accuracy)}%`,
  );
  return {
    id: `accuracy-by-network-${inName(setting, summaries)}`,
    section: "architectures",
    title,
    caption: [
      `${inWords(setting)} Test accuracy in percent, framed on the network that images were distilled with.`,
      repetitions(cells),
      ...meanings([...networks, ...columns]),
    ].join(" "),
    alt: `${title}: ${inWords(setting)} ${said.join("; ")}.`,
    dataset,
    methods,
    legend: [],
    spec: framed(layers, matrixHeight(plot)),
  };
}
