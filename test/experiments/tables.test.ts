import { describe, expect, test } from "@jest/globals";
import { parse } from "csv-parse/sync";
import type { ReportData } from "../../experiments/report/data.ts";
import {
  csv,
  latex,
  markdown,
  type Table,
  tableFiles,
  tablesOf,
} from "../../experiments/report/tables/index.ts";
import { escaped } from "../../experiments/report/tables/latex.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import type { Row } from "../../experiments/results.ts";
import { convNet, resNet, richData } from "./richRows.ts";
import { row, rowsOf } from "./rows.ts";

const data = richData();
const tables = tablesOf(data);

function table(id: string, among: readonly Table[] = tables): Table {
  const found = among.find((one) => one.id === id);
  if (!found) throw new Error(`no table ${id} among ${among.map((one) => one.id).join(", ")}`);
  return found;
}

/** Tables of rows without classes' names or runs. */
function tablesFor(rows: readonly Row[]): Table[] {
  const made: ReportData = { summaries: summarize(rows), classNames: {}, runs: [] };
  return tablesOf(made);
}

describe("tables", () => {
  test("have ids of their own that are file names, and a cell for every column", () => {
    expect(new Set(tables.map(({ id }) => id)).size).toBe(tables.length);
    for (const { id, columns, rows } of tables) {
      expect(id).toMatch(/^[a-z0-9-]+$/);
      for (const cells of rows) expect(cells).toHaveLength(columns.length);
    }
    expect([...new Set(tables.map(({ kind }) => kind))]).toEqual([
      "comparison",
      "accuracy",
      "paired",
      "classes",
      "networks",
      "fidelity",
      "cost",
    ]);
  });

  test("of nothing are none", () => {
    expect(tablesFor([])).toEqual([]);
  });

  test("become one Markdown file for each kind, a CSV and a LaTeX file for each table", () => {
    const names = tableFiles(tables).map(({ name }) => name);
    expect(names.filter((name) => name.endsWith(".md")).sort()).toEqual(
      [
        "accuracy.md",
        "classes.md",
        "comparison.md",
        "cost.md",
        "networks.md",
        "fidelity.md",
        "paired.md",
      ].sort(),
    );
    for (const { id } of tables) expect(names).toEqual(expect.arrayContaining([`${id}.csv`, `${id}.tex`]));
  });
});

describe("accuracy tables", () => {
  test("have percents, numbers of networks and seeds, and the best in bold", () => {
    const rows = [
      ...rowsOf([0.5, 0.51]),
      ...rowsOf([0.7, 0.71], { objective: "csdm", plugins: "difficultyCorrection" }),
    ];
    expect(markdown([table("accuracy-cifar10-ipc10", tablesFor(rows))])).toBe(
      [
        "**cifar10, 10 images per class.** Test accuracy by protocol dm-1000 on convNet, mean ± standard deviation over " +
          "all networks. Bold: above all others by Welch’s t-test (two-sided, 5%) between networks.",
        "",
        "| method | accuracy, % | networks | seeds |",
        "| --- | ---: | ---: | ---: |",
        "| dm | 50.5 ± 0.7 | 2 | 1 |",
        "| csdm + difficultyCorrection | **70.5 ± 0.7** | 2 | 1 |",
        "",
      ].join("\n"),
    );
  });

  test("of a long-tailed set also have head, medium and tail", () => {
    const [only] = tablesFor([row({ imbalance: 100, imagesPerClass: 1 })]);
    expect(only!.title).toBe("cifar10, long-tailed at 100:1, 1 image per class");
    expect(markdown([only!])).toContain("| dm | 50.0 | 60.0 | 50.0 | 40.0 | 1 | 1 |");
  });

  test("count what failed, which takes the mark from nobody else", () => {
    const rows = [
      ...rowsOf([0.5, 0.51]),
      ...rowsOf([0.7, 0.71], { objective: "csdm" }),
      row({ objective: "mtt", accuracy: NaN, evaluationSeed: -1, classAccuracies: [], status: "diverged" }),
    ];
    const text = markdown([table("accuracy-cifar10-ipc10", tablesFor(rows))]);
    expect(text).toContain("| csdm | **70.5 ± 0.7** | 2 | 1 | 0 |");
    expect(text).toContain("| mtt | – | 0 | 0 | 1 |");
  });

  test("bold is only where the difference holds", () => {
    const rows = [...rowsOf([0.5, 0.7]), ...rowsOf([0.55, 0.75], { objective: "csdm" })];
    expect(markdown(tablesFor(rows))).not.toMatch(/\| \*\*/);
  });
});

describe("the comparison", () => {
  test("has methods by rows and settings by columns, long-tailed after balanced", () => {
    const { columns, rows } = table("comparison-cifar10-convnet");
    expect(columns.slice(1).map(({ group, name }) => `${group!} ${name}`)).toEqual([
      "balanced 10 images",
      "10:1 10 images",
      "50:1 10 images",
      "100:1 1 image",
      "100:1 10 images",
      "100:1 50 images",
    ]);
    expect(rows.map(([method]) => method)).toEqual(["random", "dm", "csdm", "csdm + difficultyCorrection"]);
    const summary = data.summaries.find(({ experiment }) => experiment === "dm-lt100-ipc50")!;
    expect(rows[1]![6]).toMatchObject({ spread: summary.accuracy });
  });

  test("marks the best of main configs alone: a lucky variant is no method", () => {
    const rows = [1, 10].flatMap((imagesPerClass) => [
      ...rowsOf([0.5, 0.51], { imagesPerClass }),
      ...rowsOf([0.6, 0.61], { imagesPerClass, objective: "csdm", experiment: "a", options: "a=1;b=1" }),
      ...rowsOf([0.6, 0.61], { imagesPerClass, objective: "csdm", experiment: "b", options: "a=2;b=1" }),
      ...rowsOf([0.6, 0.61], { imagesPerClass, objective: "csdm", experiment: "c", options: "a=1;b=2" }),
    ]);
    const made = table("comparison-cifar10", tablesFor(rows));
    expect(made.rows[1]!.slice(1)).toEqual([
      expect.objectContaining({ best: true }),
      expect.objectContaining({ best: true }),
    ]);
    expect(made.note).toContain("the one that the others were varied from");
    expect(made.note).toContain("over 2 networks of 1 seed each");
  });

  test("says the number of networks in each cell where they differ, and a dash where nothing is known", () => {
    const rows = [
      ...rowsOf([0.5, 0.52]),
      row({ imagesPerClass: 1 }),
      row({ imagesPerClass: 1, objective: "csdm" }),
    ];
    const made = table("comparison-cifar10", tablesFor(rows));
    expect(markdown([made])).toContain("| dm | 50.0 (1) | 51.0 ± 1.4 (2) |");
    expect(markdown([made])).toContain("| csdm | 50.0 (1) | – |");
    expect(latex(made)).toContain("csdm & $50.0$ (1) & -- \\\\");
  });
});

test("classes are rows, with their names, methods columns", () => {
  const { columns, rows } = table("classes-cifar10-ipc10-convnet");
  expect(columns.map(({ name }) => name)).toEqual([
    "class",
    "random",
    "dm",
    "csdm",
    "csdm + difficultyCorrection",
  ]);
  expect(rows.map(([name]) => name)).toEqual(data.classNames.cifar10);
});

test("networks: each method and network that distilled by rows, evaluation networks by columns", () => {
  const { columns, rows } = table("networks-cifar10-lt100-ipc10");
  expect(columns.slice(2).map(({ name }) => name)).toEqual(["convNet", "resNet18", "alexNet"]);
  expect(rows.map((cells) => cells.slice(0, 2))).toEqual(
    ["convNet", "resNet18"].flatMap((network) => ["random", "dm", "csdm"].map((method) => [method, network])),
  );
  const summary = data.summaries.find(
    ({ objective, network, evaluationNetwork }) =>
      objective === "dm" && network === resNet && evaluationNetwork === convNet,
  )!;
  expect(rows[4]![2]).toMatchObject({ spread: summary.accuracy });
});

test("cost: seconds and megabytes are those of the summaries", () => {
  const { columns, rows } = table("cost-cifar10-ipc10-convnet");
  expect(columns.map(({ name }) => name).slice(1, 5)).toEqual([
    "accuracy",
    "distillation",
    "peak memory",
    "evaluation",
  ]);
  const summary = data.summaries.find(({ experiment }) => experiment === "dm-lt1-ipc10")!;
  expect(rows[1]!.slice(2, 4)).toEqual([
    { spread: summary.distillSeconds },
    { spread: summary.peakMegabytes },
  ]);
});

describe("CSV", () => {
  test("has mean, deviation and number of values of every measurement, accuracies as fractions", () => {
    const rows = [...rowsOf([0.5, 0.51]), row({ objective: "csdm", accuracy: 0.123456789 })];
    const records: Record<string, string>[] = parse(csv(table("accuracy-cifar10-ipc10", tablesFor(rows))), {
      columns: true,
    });
    expect(records).toEqual([
      {
        method: "dm",
        "accuracy mean": "0.505",
        "accuracy std": "0.007071",
        "accuracy n": "2",
        networks: "2",
        seeds: "1",
      },
      {
        method: "csdm",
        "accuracy mean": "0.123457",
        "accuracy std": "",
        "accuracy n": "1",
        networks: "1",
        seeds: "1",
      },
    ]);
  });

  test("quotes what holds commas", () => {
    const [records] = [
      parse(csv(table("accuracy-cifar10-lt100-ipc10-convnet")), { columns: true }) as Record<
        string,
        string
      >[],
    ];
    expect(records.map(({ method }) => method)).toContain("csdm, kernel.scale=2");
    const twoChanges = rowsOf([0.5], { options: "a=1" }).concat(
      rowsOf([0.5], { experiment: "f", options: "a=2;b=1" }),
    );
    expect(csv(table("accuracy-cifar10-ipc10", tablesFor(twoChanges)))).toContain(
      '"dm, a=2, b=1",0.5,,1,1,1',
    );
  });
});

describe("LaTeX", () => {
  test("writes numbers as mathematics, the best in bold, groups over their columns", () => {
    const rows = [1, 10].flatMap((imagesPerClass) => [
      ...rowsOf([0.4, 0.42], { imagesPerClass }),
      ...rowsOf([0.6, 0.62], { imagesPerClass, objective: "csdm" }),
    ]);
    const text = latex(table("comparison-cifar10", tablesFor(rows)));
    expect(text).toContain(" & \\multicolumn{2}{c}{Images per class} \\\\\n");
    expect(text).toContain("\\cmidrule(lr){2-3}");
    expect(text).toContain("method & 1 & 10 \\\\");
    expect(text).toContain("dm & $41.0 \\pm 1.4$ & $41.0 \\pm 1.4$ \\\\");
    expect(text).toContain("csdm & \\textbf{61.0 $\\pm$ 1.4} & \\textbf{61.0 $\\pm$ 1.4} \\\\");
    expect(text).toContain("\\label{tab:comparison-cifar10}");
  });

  test("escapes every letter that means something to it", () => {
    expect(escaped("a_b & 5% of $x #1 {y} ~ ^ \\ <z>")).toBe(
      "a\\_b \\& 5\\% of \\$x \\#1 \\{y\\} \\textasciitilde{} \\textasciicircum{} \\textbackslash{} \\textless{}z\\textgreater{}",
    );
  });

  test("closes what it opens, in every table", () => {
    for (const one of tables) {
      const text = latex(one);
      const depth = Array.from(text.replace(/\\[{}]/g, "")).reduce(
        (open, letter) => open + Number(letter === "{") - Number(letter === "}"),
        0,
      );
      expect(depth).toBe(0);
      const begun = [...text.matchAll(/\\begin\{(\w+)\}/g)].map((match) => match[1]);
      const ended = [...text.matchAll(/\\end\{(\w+)\}/g)].map((match) => match[1]);
      expect(ended).toEqual([...begun].reverse());
      expect(text).not.toMatch(/NaN|undefined|[±–’]/);
    }
  });
});

test("Markdown escapes what would break a row", () => {
  const [only] = tablesFor([row({ objective: "a|b_c" })]);
  expect(markdown([only!])).toContain("| a\\|b\\_c |");
});

test("the table of fidelity has every experiment's distances and high-frequency energy, over its seeds", () => {
  const one = table("fidelity-cifar10-lt100-ipc10-convnet-d3-w128-relu-instance-avg");
  expect(one.columns.map(({ name }) => name)).toEqual([
    "method",
    "0.5",
    "1",
    "2",
    "over random",
    "high frequencies",
    "seeds",
  ]);
  const dm = one.rows.find(([name]) => name === "dm")!;
  const own = data.runs.filter(({ experiment }) => experiment === "dm-lt100-ipc10");
  const over = own.map(({ discrepancy: d }) => d!.synthetic.overall[1]! / d!.real.overall[1]!);
  expect(dm[4]).toMatchObject({ spread: { mean: (over[0]! + over[1]!) / 2, count: 2 } });
  expect(dm[6]).toBe(2);
  expect(markdown([one])).toMatch(/\| dm \| 0\.\d{4} ± 0\.\d{4} \|/);
  expect(latex(one)).toContain("$\\pm$");
});
