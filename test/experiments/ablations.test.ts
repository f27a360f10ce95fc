import { describe, expect, test } from "@jest/globals";
import { compile } from "vega-lite";
import { parse } from "vega";
import { type Ablation, ablationsOf } from "../../experiments/report/ablations.ts";
import { chartsOf, chartSvg } from "../../experiments/report/charts/index.ts";
import { type Chart } from "../../experiments/report/charts/chart.ts";
import { percentSpread } from "../../experiments/report/numbers.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import { csv, markdown, type Table, tablesOf } from "../../experiments/report/tables/index.ts";
import type { Row } from "../../experiments/results.ts";
import {
  alphaImbalanceRows,
  kernelImbalanceRows,
  kernelScaleRows,
  rowsOfCells,
  threeFactorRows,
  weightRows,
} from "./ablationRows.ts";
import { richRows } from "./richRows.ts";

const dataOf = (rows: readonly Row[]) => ({ summaries: summarize(rows), classNames: {}, runs: [] });
const chartOf = (rows: readonly Row[]): Chart =>
  chartsOf(dataOf(rows)).find(({ id }) => id.startsWith("ablation"))!;
const tableOf = (rows: readonly Row[]): Table =>
  tablesOf(dataOf(rows)).find(({ kind }) => kind === "ablations")!;
const only = (rows: readonly Row[]): Ablation => {
  const found = ablationsOf(summarize(rows));
  expect(found).toHaveLength(1);
  return found[0]!;
};

describe("a grid over several factors", () => {
  test("is found by itself: scale along the axis, a line for each kernel, a panel for each method", () => {
    const { x, line, facet, panels } = only(kernelScaleRows());
    expect([x.name, x.values]).toEqual(["scale", ["0.1", "0.25", "0.5", "1", "2", "4", "10"]]);
    expect([line.name, line.values]).toEqual([
      "kernel",
      ["gaussian", "laplacian", "matern32", "rationalQuadratic", "linear"],
    ]);
    expect(facet).toBeUndefined();
    expect(panels.map(({ method, cells }) => [method, cells.length])).toEqual([
      ["csdm", 28],
      ["mmd", 29],
    ]);
  });

  test("has the imbalance along the axis where only words vary beside it, and else from line to line", () => {
    const byKernel = only(kernelImbalanceRows());
    expect([byKernel.x.name, byKernel.line.name]).toEqual(["imbalance", "kernel"]);
    const byAlpha = only(alphaImbalanceRows());
    expect([byAlpha.x.name, byAlpha.line.name]).toEqual(["alphaHead", "imbalance"]);
    expect(byAlpha.line.values).toEqual(["10", "100", "200"]);
  });

  test("names options by as much of their path as tells them apart", () => {
    const { x, line } = only(weightRows());
    expect([x.name, line.name].sort()).toEqual(["classCentralization.weight", "covarianceMatching.weight"]);
  });

  test("over three factors is one, not a grid for every two of them", () => {
    const { x, line, facet, panels } = only(threeFactorRows());
    expect([x.name, line.name, facet!.name]).toEqual(["alphaHead", "kernel", "scale"]);
    expect(panels.map((panel) => [panel.facet, panel.cells.length])).toEqual([
      ["0.5", 9],
      ["1", 9],
    ]);
  });

  test("may lack a failed cell, but options varied one at a time are none", () => {
    const rows = kernelImbalanceRows();
    const failed = rows.map((row) =>
      row.imbalance === 50 && row.options.includes("laplacian") ? { ...row, accuracy: NaN } : row,
    );
    expect(only(failed).panels[0]!.cells).toHaveLength(15);
    expect(ablationsOf(summarize(richRows()))).toEqual([]);
  });

  test("is told from another one of other options", () => {
    const plain = weightRows().map((row) => ({ ...row, options: `${row.options};precision=full` }));
    const other = weightRows().map((row) => ({
      ...row,
      experiment: `b-${row.experiment}`,
      options: `${row.options};precision=bf16`,
    }));
    const [both, ...more] = ablationsOf(summarize([...plain, ...other]));
    expect(more).toEqual([]);
    expect(both!.facet!.values).toEqual(["full", "bf16"]);
  });
});

describe("charts of ablations", () => {
  test.each([
    ["kernel × scale", kernelScaleRows],
    ["kernel × imbalance", kernelImbalanceRows],
    ["weight × imbalance", alphaImbalanceRows],
    ["weight × weight", weightRows],
    ["three factors", threeFactorRows],
  ])("of %s are drawn once, without a warning, with every mean in words", async (_, rows) => {
    const said: unknown[] = [];
    const say = (...words: unknown[]): unknown => said.push(...words);
    const logger = { level: say, error: say, warn: say, info: say, debug: say } as never;
    const charts = chartsOf(dataOf(rows())).filter(({ section }) => section === "options");
    expect(charts).toHaveLength(1);
    parse(compile(charts[0]!.spec, { logger }).spec);
    expect(said).toEqual([]);
    expect(await chartSvg(charts[0]!, "page")).not.toMatch(/NaN|undefined|Infinity/);
    for (const { accuracy } of summarize(rows())) expect(charts[0]!.alt).toContain(percentSpread(accuracy));
  });

  test("have a logarithmic axis over scales, and a level for a kernel without scale", () => {
    const spec = JSON.stringify(chartOf(kernelScaleRows()).spec);
    expect(spec).toContain('"type":"log"');
    expect(chartOf(kernelScaleRows()).legend.map(({ label }) => label)).toEqual([
      "gaussian",
      "laplacian",
      "matern32",
      "rationalQuadratic",
      "linear, without scale",
    ]);
  });

  test("frame the highest cell of a matrix, and say of how many others it differs", () => {
    const chart = chartOf(weightRows());
    const { layer } = chart.spec as unknown as {
      layer: { data: { values: { framed: boolean; mean: number }[] } }[];
    };
    const cells = layer[0]!.data.values;
    expect(cells).toHaveLength(16);
    const [framed, ...others] = cells.filter((cell) => cell.framed);
    expect(others).toEqual([]);
    expect(framed!.mean).toBe(Math.max(...cells.map(({ mean }) => mean)));
    expect(chart.caption).toMatch(/Highest: .*, above \d+ of 15 others by more than chance\./);
    expect(chart.caption).toContain("not corrected for choosing the highest");
  });

  test("over the imbalance leave one line for the method in the chart of all methods", () => {
    const along = chartsOf(dataOf(kernelImbalanceRows())).find(({ id }) =>
      id.startsWith("accuracy-by-imbalance"),
    )!;
    expect(along.legend.map(({ label }) => label)).toEqual(["csdm"]);
  });

  test("of single networks do not speak of chance", () => {
    const rows = rowsOfCells(
      [1, 2, 3, 4].map((i) => ({
        objective: "dm",
        options: { a: i % 2, b: i >> 1 },
        accuracy: 0.3 + i / 100,
      })),
      { seeds: 1, networks: 1 },
    );
    expect(chartOf(rows.map((row, i) => ({ ...row, options: `a=${i % 2};b=${i >> 1}` }))).caption).toContain(
      "Single networks cannot say what is chance.",
    );
  });
});

describe("tables of ablations", () => {
  test("have a row for each line of each panel and a column for each value", () => {
    const table = tableOf(kernelScaleRows());
    expect(table.rows).toHaveLength(4 + 5);
    expect(table.columns.map(({ name }) => name)).toEqual([
      "method",
      "kernel",
      ...["0.1", "0.25", "0.5", "1", "2", "4", "10"],
      "without scale",
    ]);
    expect(table.id).toBe(chartOf(kernelScaleRows()).id);
    expect(markdown([table])).toMatch(/\| csdm \| gaussian \| .*\| – \|/);
    expect(csv(table).split("\n")[0]).toContain("scale: 0.1 mean,scale: 0.1 std,scale: 0.1 n");
  });

  test("mark a cell as best only where it differs from every other of its panel and imbalance", () => {
    const accuracies = [0.3, 0.31, 0.32, 0.6];
    const clear = rowsOfCells(
      accuracies.map((accuracy, i) => ({ objective: "dm", options: { a: i % 2, b: i >> 1 }, accuracy })),
    );
    const best = tableOf(clear)
      .rows.flat()
      .filter((cell) => typeof cell === "object" && "best" in cell && cell.best);
    expect(best).toHaveLength(1);
    const close = rowsOfCells(
      [0.3, 0.3, 0.3, 0.3].map((accuracy, i) => ({
        objective: "dm",
        options: { a: i % 2, b: i >> 1 },
        accuracy,
      })),
    );
    expect(
      tableOf(close)
        .rows.flat()
        .some((cell) => typeof cell === "object" && "best" in cell && cell.best),
    ).toBe(false);
  });
});
