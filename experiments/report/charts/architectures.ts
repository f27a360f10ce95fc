import { percent, percentSpread } from "../numbers.ts";
import type { ReportData } from "../data.ts";
import { methodOf } from "../labels.ts";
import { groups, type Summary } from "../summarize.ts";
import { mainVariant } from "../variants.ts";
import type { Chart } from "./chart.ts";
import { framed } from "./frame.ts";
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

/** Pixels of a row, and of what stands above all rows. */
const [ROW, HEAD] = [34, 62];
/** Letters of all columns' names that fit side by side; more are written slantwise, which takes more room. */
const [LETTERS, SLANT] = [30, 34];

function matrix(cells: readonly Summary[], summaries: readonly Summary[]): Chart {
  const networks = [...new Set(cells.map(({ network }) => network))];
  const columns = [...new Set(cells.map(({ evaluationNetwork }) => evaluationNetwork))];
  const short = shortNames([...networks, ...columns]);
  const rowOf = (one: Summary): string =>
    networks.length > 1 ? `${methodOf(one)}, ${short(one.network)}` : methodOf(one);
  const rows = [...new Set([...groups(cells, ["network"]).values()].flat().map(rowOf))];
  const methods = [...new Set(cells.map(methodOf))];
  const names = columns.map(short);
  const slanted = names.join("").length > LETTERS;
  const values = (own: readonly Summary[]): object[] =>
    own.map((one) => ({
      row: rowOf(one),
      column: short(one.evaluationNetwork),
      mean: one.accuracy.mean,
      number: percent(one.accuracy.mean),
      spread: Number.isFinite(one.accuracy.std) ? `± ${percent(one.accuracy.std)}` : "",
      own: one.network === one.evaluationNetwork,
      text: `${rowOf(one)} on ${short(one.evaluationNetwork)}: ${percentSpread(one.accuracy)}%`,
    }));
  const means = cells.map(({ accuracy }) => accuracy.mean);
  const plot = {
    rows,
    names,
    slanted,
    several: networks.length > 1,
    range: [Math.min(...means), Math.max(...means)],
  };
  const layers = methods.flatMap((method, i) =>
    cellLayers(`series_${i}`, values(cells.filter((one) => methodOf(one) === method)), plot),
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
    spec: framed(layers, HEAD + ROW * rows.length + (slanted ? SLANT : 0)),
  };
}

interface Plot {
  readonly rows: readonly string[];
  readonly names: readonly string[];
  readonly slanted: boolean;
  /** Whether images were distilled with several networks. */
  readonly several: boolean;
  /** Lowest and highest mean. */
  readonly range: readonly number[];
}

/** Colored cells, the more color the higher, and their numbers. */
function cellLayers(name: string, values: readonly object[], plot: Plot): object[] {
  const nominal = (field: string, domain: readonly string[], axis: object): object => ({
    field,
    type: "nominal",
    sort: null,
    scale: { domain: [...domain], paddingInner: 0.06, paddingOuter: 0.03 },
    axis: { domain: false, grid: false, ...axis },
  });
  const place = {
    x: nominal("column", plot.names, {
      orient: "top",
      title: "Evaluation network",
      labelAngle: plot.slanted ? -30 : 0,
      labelLimit: 120,
    }),
    y: nominal("row", plot.rows, { title: plot.several ? "Method, distilled with" : null, labelLimit: 180 }),
  };
  const layer = (part: string, mark: object, encoding: object): object => ({
    name: `${name}_${part}`,
    data: { values },
    mark: { aria: false, ...mark },
    encoding: { ...place, ...encoding },
  });
  const number = (part: string, size: number, dy: number): object =>
    layer(part, { type: "text", fontSize: size, dy, color: "var(--ink)" }, { text: { field: part } });
  return [
    layer(
      "cell",
      { type: "rect", color: "var(--s1)", stroke: "var(--ink)", cornerRadius: 3, aria: true },
      {
        fillOpacity: {
          field: "mean",
          type: "quantitative",
          scale: { domain: [...plot.range], range: [0.06, 0.5] },
          legend: null,
        },
        strokeWidth: { condition: { test: "datum.own", value: 1.5 }, value: 0 },
        description: { field: "text" },
      },
    ),
    number("number", 12, -6),
    number("spread", 10, 7),
  ];
}
