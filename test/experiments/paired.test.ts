import { describe, expect, test } from "@jest/globals";
import { parse } from "csv-parse/sync";
import { WIDTH } from "../../experiments/report/charts/chart.ts";
import { chartsOf, chartSvg } from "../../experiments/report/charts/index.ts";
import type { ReportData } from "../../experiments/report/data.ts";
import {
  checkBaseline,
  pairedComparisons,
  type PairedComparison,
} from "../../experiments/report/pairedComparisons.ts";
import { pairedGroups } from "../../experiments/report/pairedGroups.ts";
import { statementOf } from "../../experiments/report/pairedStatement.ts";
import { pairBySeed } from "../../experiments/report/pairs.ts";
import { compare, summarize } from "../../experiments/report/summarize.ts";
import { csv, latex, markdown, tablesOf } from "../../experiments/report/tables/index.ts";
import { unpartnered } from "../../experiments/report/unpartnered.ts";
import type { Row } from "../../experiments/results.ts";
import { row, rowsOf } from "./rows.ts";

const SDC = "difficultyCorrection";

/** A row for each seed's accuracy, seeds 0, 1, … */
const seeds = (accuracies: readonly number[], change: Partial<Row> = {}): Row[] =>
  accuracies.map((accuracy, distillSeed) => row({ objective: "dc", accuracy, distillSeed, ...change }));

/** With the plugin at a weight. */
const corrected = (accuracies: readonly number[], weight = 0.002, change: Partial<Row> = {}): Row[] =>
  seeds(accuracies, {
    experiment: `sdc-${weight}`,
    plugins: SDC,
    options: `plugins.${SDC}.weight=${weight}`,
    ...change,
  });

const dataOf = (rows: readonly Row[], baseline?: string): ReportData => ({
  summaries: summarize(rows),
  classNames: {},
  runs: [],
  baseline,
});
const comparisonsOf = (rows: readonly Row[], baseline?: string): PairedComparison[] =>
  pairedComparisons(summarize(rows), baseline);
const said = (rows: readonly Row[], baseline?: string): string[] =>
  comparisonsOf(rows, baseline).map(statementOf);
const tableOf = (rows: readonly Row[], baseline?: string) =>
  tablesOf(dataOf(rows, baseline)).filter(({ kind }) => kind === "paired");

describe("pairs", () => {
  test("are distillations of one seed, whatever the order of the rows", () => {
    const [dc, sdc] = summarize([...seeds([0.6, 0.59, 0.61]), ...corrected([0.62, 0.6, 0.64]).reverse()]).map(
      ({ distillations }) => distillations,
    );
    const { difference, unpairedSeeds } = pairBySeed(sdc!, dc!);
    expect(difference!.mean).toBeCloseTo(0.02, 12);
    expect(difference!.interval![0]).toBeCloseTo(-0.0048414, 7); // 0.02 ± 4.30265 · 0.01/√3
    expect(unpairedSeeds).toBe(0);
  });

  test("average the networks that both have first; others are left out and counted", () => {
    const one = rowsOf([0.5, 0.7, 0.9]);
    const other = rowsOf([0.4, 0.5], { objective: "dc" });
    const [a, b] = summarize([...one, ...other]);
    const { difference, unpairedNetworks } = pairBySeed(a!.distillations, b!.distillations);
    expect(difference!.differences).toEqual([expect.closeTo(0.6 - 0.45, 12)]);
    expect(difference!.interval).toBeUndefined();
    expect(unpairedNetworks).toBe(1);
  });

  test("leave out seeds of one side, failed distillations, and those without a common evaluation seed", () => {
    const rows = [
      ...seeds([0.5, 0.5, 0.5, 0.5]),
      ...corrected([0.51, NaN, 0.52]),
      ...corrected([0.9], 0.002, { distillSeed: 3, evaluationSeed: 7 }),
      ...corrected([0.9], 0.002, { distillSeed: 9 }),
    ];
    const [{ pairing }] = comparisonsOf(rows) as [PairedComparison];
    expect(pairing.difference!.differences).toHaveLength(2); // seeds 0 and 2
    expect(pairing.unpairedSeeds).toBe(2 + 2); // 1 and 3 of one side, 3 and 9 of the other
  });

  test("count a network that is there twice once, with its mean", () => {
    const [summary] = summarize([...rowsOf([0.5, 0.7]), row({ accuracy: 0.6, evaluationSeed: 0 })]);
    expect([...summary!.distillations[0]!.networks]).toEqual([
      [0, expect.closeTo(0.55, 12)],
      [1, 0.7],
    ]);
  });

  test("are what a difference is tested by where there are two, and then the test sees what means hide", () => {
    // Differences 0.010, 0.012, 0.011 beside seeds 0.1 apart: t = 0.011/(0.001/√3) = 19.05 at 2 degrees.
    const [a, b] = summarize([
      ...seeds([0.51, 0.612, 0.711]),
      ...seeds([0.5, 0.6, 0.7], { objective: "dsa" }),
    ]);
    const paired = compare(a!, b!);
    expect(paired).toMatchObject({ unit: "pair", holds: true, counts: [3, 3] });
    expect(paired.p).toBeCloseTo(1 - 19.0526 / Math.sqrt(19.0526 ** 2 + 2), 5);
    const shifted = (by: number) => b!.distillations.map((one) => ({ ...one, seed: one.seed + by }));
    const unpaired = compare(a!, { ...b!, distillations: shifted(2) });
    expect(unpaired).toMatchObject({ unit: "seed", holds: false, interval: undefined });
  });
});

describe("what is compared", () => {
  test("a plugin with the same config without it, each weight by itself", () => {
    const rows = [
      ...seeds([0.5, 0.52]),
      ...corrected([0.51, 0.54], 0.002),
      ...corrected([0.49, 0.5], 0.02),
      ...seeds([0.9, 0.9], { steps: 7, experiment: "longer" }),
      ...seeds([0.9, 0.9], { imagesPerClass: 1 }),
    ];
    const plugins = comparisonsOf(rows).filter(({ kind }) => kind === "plugins");
    expect(plugins.map(({ change, compared, against }) => [change, compared, against])).toEqual([
      [`${SDC}, weight=0.002`, `dc + ${SDC}, weight=0.002`, "dc"],
      [`${SDC}, weight=0.02`, `dc + ${SDC}, weight=0.02`, "dc"],
    ]);
    expect(plugins.map(({ pairing }) => pairing.difference!.mean)).toEqual([
      expect.closeTo(0.015, 12),
      expect.closeTo(-0.015, 12),
    ]);
    expect(plugins.every(({ other }) => other.steps === 100)).toBe(true);
  });

  test("of several plugins each, and all together", () => {
    const rows = [
      ...seeds([0.5, 0.52]),
      ...seeds([0.5, 0.53], { plugins: "a", experiment: "a" }),
      ...seeds([0.5, 0.54], { plugins: "a b", experiment: "ab" }),
    ];
    expect(comparisonsOf(rows).map(({ change, against }) => `${change} on ${against}`)).toEqual([
      "a on dc",
      "b on dc + a",
      "a + b on dc",
    ]);
  });

  test("a config with its method's main one where one option differs, what comes with a choice aside", () => {
    const csdm = (options: string, experiment: string): Row[] =>
      seeds([0.5, 0.51], { objective: "csdm", options, experiment });
    const rows = [
      ...csdm("f=1;kernel.name=gaussian;kernel.scale=1", "main"),
      ...csdm("f=1;kernel.name=gaussian;kernel.scale=4", "scale"),
      ...csdm("f=1;kernel.name=linear", "kernel"),
      ...csdm("f=2;kernel.name=gaussian;kernel.scale=1", "f"),
      ...csdm("f=2;kernel.name=gaussian;kernel.scale=4", "two"),
    ];
    expect(comparisonsOf(rows).map(({ change, against }) => [change, against])).toEqual([
      ["kernel.scale=4", "csdm, kernel.scale=1"],
      ["kernel.name=linear", "csdm, kernel.name=gaussian"],
      ["f=2", "csdm, f=1"],
    ]);
    const againstTwo = comparisonsOf(rows, "two").map(({ change, against }) => [change, against]);
    expect(againstTwo).toEqual([
      ["f=1", "csdm, f=2"],
      ["kernel.scale=1", "csdm, kernel.scale=4"],
    ]);
  });

  test("methods with the baseline: the first of the setting, or the one that is named", () => {
    const rows = [
      ...seeds([0.5, 0.52], { objective: "dm" }),
      ...seeds([0.51, 0.53], { objective: "csdm" }),
      ...seeds([0.3, 0.31], { objective: "random", steps: 0 }),
    ];
    const pairs = (baseline?: string): string[] =>
      comparisonsOf(rows, baseline).map(({ change, against }) => `${change}/${against}`);
    expect(pairs()).toEqual(["dm/random", "csdm/random"]);
    expect(pairs("dm")).toEqual(["csdm/dm", "random/dm"]);
    expect(pairs("nothing of the kind")).toEqual([]);
  });

  test("neither methods of different training images, nor a plugin's config with another method twice", () => {
    const other = seeds([0.5, 0.52], { objective: "dm", options: "data.subsetSeed=1" });
    expect(comparisonsOf([...seeds([0.5, 0.5], { options: "data.subsetSeed=2" }), ...other])).toEqual([]);
    const kinds = comparisonsOf([
      ...seeds([0.5, 0.5]),
      ...corrected([0.5, 0.6]),
      ...seeds([0.4, 0.4], { objective: "dsa" }),
    ]);
    expect(kinds.map(({ kind, change }) => [kind, change])).toEqual([
      ["plugins", SDC],
      ["methods", "dsa"],
    ]);
  });

  test("of experiments with one config, the partner with most seeds in common, and twins by their names", () => {
    const rows = [
      ...seeds([0.5]),
      ...seeds([0.5, 0.6], { experiment: "again" }),
      ...corrected([0.6, 0.7]),
      ...corrected([0.6, 0.7], 0.002, { experiment: "twin" }),
    ];
    expect(
      comparisonsOf(rows)
        .filter(({ kind }) => kind === "plugins")
        .map(({ change, other }) => [change, other.experiment]),
    ).toEqual([
      [`${SDC}, sdc-0.002`, "again"],
      [`${SDC}, twin`, "again"],
    ]);
  });

  test("a baseline that is not there is refused, with those that are", () => {
    const summaries = summarize([...seeds([0.5]), ...corrected([0.6])]);
    expect(() => checkBaseline(summaries, "dcc")).toThrow(
      `--baseline: expected a method, "dc" or "dc + ${SDC}", or the name of an experiment, got "dcc"`,
    );
    for (const known of [undefined, "dc", `dc + ${SDC}`, "sdc-0.002"]) checkBaseline(summaries, known);
  });
});

describe("a plugin without a partner", () => {
  test("is told with what keeps it from being compared", () => {
    const rows = [
      ...seeds([0.5, 0.6], { experiment: "bare", options: "lr=1;batch=64" }),
      ...seeds([0.5, 0.6], { experiment: "far", options: "lr=1;batch=2", steps: 7 }),
      ...corrected([0.5, 0.6], 0.01, { options: `lr=1;batch=256;plugins.${SDC}.weight=0.01` }),
    ];
    expect(unpartnered(summarize(rows))).toEqual([
      `sdc-0.01 (dc + ${SDC}) is not compared with what it is without its plugin: of the configs of dc alone, the ` +
        "nearest, bare, also differs in batch.",
    ]);
    const many = [1, 2, 3, 4, 5].flatMap((weight) => corrected([0.5], weight, { steps: 9 }));
    expect(unpartnered(summarize([...seeds([0.5]), ...many])).slice(2)).toEqual([
      expect.stringContaining("sdc-3"),
      "Of 2 more configs with a plugin the same is true.",
    ]);
  });

  test("is not told where it has one, or where there is nothing like it", () => {
    const csdm = seeds([0.5], { objective: "csdm", steps: 3 });
    expect(unpartnered(summarize([...seeds([0.5]), ...corrected([0.6]), ...csdm]))).toEqual([]);
    expect(unpartnered(summarize([...corrected([0.6]), ...csdm]))).toEqual([]);
  });
});

describe("in words", () => {
  test("a plugin changes a method by so much, with interval and pairs", () => {
    expect(said([...seeds([0.6, 0.59, 0.61]), ...corrected([0.62, 0.6, 0.64])])).toEqual([
      `${SDC} changes dc by +2.00 points [−0.48, +4.48], 3 pairs`,
    ]);
  });

  test("one pair has no interval, and no seed in common no difference", () => {
    expect(said([...seeds([0.6]), ...corrected([0.59])])).toEqual([
      `${SDC} changes dc by −1.00 points (1 pair, too few for an interval)`,
    ]);
    const apart = corrected([0.59]).map((one) => ({ ...one, distillSeed: 5 }));
    expect(said([...seeds([0.6]), ...apart])).toEqual([
      `${SDC} and dc have no seed in common to be compared by`,
    ]);
  });

  test("a method differs from another, and what rounds to nothing has no sign", () => {
    const rows = [...seeds([0.6, 0.6]), ...seeds([0.60001, 0.60002], { objective: "dsa" })];
    expect(said(rows)[0]).toMatch(/^dsa differs from dc by 0\.00 points \[/);
  });
});

describe("the table", () => {
  const rows = [...seeds([0.6, 0.59, 0.61]), ...corrected([0.62, 0.6, 0.64, 0.7])];

  test("has the difference in points with its interval, pairs by their signs, and seeds left out", () => {
    const [table] = tableOf(rows);
    expect(markdown([table!])).toBe(
      [
        "**With and without plugins, paired by seed: cifar10.** Difference in test accuracy in points: cifar10, balanced, " +
          "10 images per class, by protocol dm-1000 on convNet. Left out for want of a partner of the same seed: 1 " +
          "distillation. Distillations of the same seed are a pair; their evaluation " +
          "networks, of the same seeds too, are averaged first. In brackets the 95 % interval of the mean difference by " +
          "Student’s t over the pairs. 1 interval, of which none excludes 0. Where nothing differs, one in twenty does so by chance; none is corrected for their number.",
        "",
        "| compared | against | difference, points | Pairs: all | Pairs: above 0 | Pairs: below 0 | seeds without a pair |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        `| dc + ${SDC} | dc | +2.00 \\[−0.48, +4.48\\] | 3 | 3 | 0 | 1 |`,
        "",
      ].join("\n"),
    );
  });

  test("has fractions as CSV, with the p-value to correct by", () => {
    const [record] = parse(csv(tableOf(rows)[0]!), { columns: true }) as Record<string, string>[];
    expect(record).toMatchObject({
      "difference mean": "0.02",
      "difference low": "-0.004841",
      "difference high": "0.044841",
      "difference p": "0.07418",
      "Pairs: all": "3",
    });
  });

  test("has mathematics as LaTeX", () => {
    expect(latex(tableOf(rows)[0]!)).toContain("& $+2.00$ [$-0.48$, $+4.48$] & 3 & 3 & 0 & 1 \\\\");
  });

  test("says where pairs are too few, which is the only table of plugins then, and none of methods", () => {
    const few = [...seeds([0.6]), ...corrected([0.62]), ...seeds([0.5], { objective: "dsa" })];
    const tables = tableOf(few);
    expect(tables).toHaveLength(1);
    expect(markdown(tables)).toContain(`| dc + ${SDC} | dc | +2.00, too few pairs | 1 | 1 | 0 |`);
    expect(tables[0]!.note).toContain("An interval takes two pairs: two seeds on both sides.");
    const apart = corrected([0.59]).map((one) => ({ ...one, distillSeed: 5 }));
    expect(markdown(tableOf([...seeds([0.6]), ...apart]))).toContain("| too few pairs | 0 | 0 | 0 | 2 |");
    expect(csv(tableOf([...seeds([0.6]), ...apart])[0]!)).toContain(",,,,,0,0,0,2");
  });

  test("orders settings, then numbers; says what a row's setting is", () => {
    const at = (imagesPerClass: number): Row[] => [
      ...seeds([0.5, 0.52], { imagesPerClass }),
      ...[0.02, 0.0005, 0.002].flatMap((weight) => corrected([0.5, 0.53], weight, { imagesPerClass })),
    ];
    const [table] = tableOf([...at(10), ...at(1)]);
    expect(table!.rows.map((cells) => [cells[0], cells[2]])).toEqual(
      [1, 10].flatMap((ipc) => [0.0005, 0.002, 0.02].map((weight) => [`dc + ${SDC}, weight=${weight}`, ipc])),
    );
  });

  test("counts intervals that exclude 0", () => {
    const clear = [
      ...seeds([0.5, 0.6, 0.7]),
      ...corrected([0.51, 0.612, 0.711]),
      ...corrected([0.4, 0.7, 0.7], 0.1),
    ];
    expect(tableOf(clear)[0]!.note).toContain("2 intervals, of which 1 excludes 0.");
  });
});

describe("the chart", () => {
  const many = (count: number): Row[] => [
    ...seeds([0.5, 0.52, 0.51]),
    ...Array.from({ length: count }, (_, i) => corrected([0.5, 0.53, 0.515], (i + 1) / 1000)).flat(),
  ];
  const chartsFor = (rows: readonly Row[]) =>
    chartsOf(dataOf(rows)).filter(({ section }) => section === "paired");

  test("has every difference, its name and numbers, and a line at 0", async () => {
    const [chart] = chartsFor(many(3));
    const svg = await chartSvg(chart!, "page");
    for (const weight of ["0.001", "0.002", "0.003"]) expect(svg).toContain(`>${SDC}, weight=${weight}<`);
    expect(svg).toContain(">against dc<");
    expect(svg.match(/>\+0\.50 \[−0\.74, \+1\.74\]</g)).toHaveLength(3); // 0.5 ± 4.30265 · 0.5/√3
    expect(chart!.alt).toContain(`${SDC}, weight=0.001 changes dc by +0.50 points [−0.74, +1.74], 3 pairs;`);
    expect(chart!.caption).toContain("3 intervals, of which none excludes 0.");
  });

  test("has its numbers within its width, also where a label of the axis stands out and moves the plot", async () => {
    // The interval begins at −1.41 points, and the axis has −1.5 at its very end.
    const rows = [...seeds([0.8785, 0.8758, 0.873]), ...corrected([0.8748, 0.8696, 0.876])];
    const svg = await chartSvg(chartsFor(rows)[0]!, "page");
    const moved = Number(/miterlimit="4" transform="translate\(([\d.]+),/.exec(svg)![1]);
    expect(moved).toBeGreaterThan(10);
    const ends = [...svg.matchAll(/text-anchor="end" transform="translate\(([\d.]+),/g)];
    expect(ends).toHaveLength(1);
    expect(moved + Number(ends[0]![1])).toBeLessThanOrEqual(WIDTH);
  });

  test("is drawn in parts where there are very many", () => {
    const charts = chartsFor(many(41));
    expect(charts.map(({ title }) => title)).toEqual([
      "With and without plugins, paired by seed: cifar10, 1 of 2",
      "With and without plugins, paired by seed: cifar10, 2 of 2",
    ]);
    expect(new Set(charts.map(({ id }) => id)).size).toBe(2);
  });

  test("is the same whatever the rows' order within a config, and is not there without an interval", async () => {
    const rows = many(2);
    const mixed = [...rows.slice(0, 3).reverse(), ...rows.slice(3)];
    expect(await chartSvg(chartsFor(mixed)[0]!, "print")).toBe(await chartSvg(chartsFor(rows)[0]!, "print"));
    expect(chartsFor([...seeds([0.5]), ...corrected([0.6])])).toEqual([]);
  });

  test("cuts an interval that would hide the others, with an arrow", () => {
    const wide = corrected([0.1, 0.9, 0.5], 1);
    const text = JSON.stringify(chartsFor([...many(3), ...wide])[0]!.spec);
    expect(text).toContain('"shape":"triangle-left"');
    expect(text).toContain('"shape":"triangle-right"');
    expect(JSON.stringify(chartsFor(many(3))[0]!.spec)).not.toContain("triangle-left");
  });
});

test("methods and options are compared on the network that images were distilled with, plugins on every one", () => {
  const on = (evaluationNetwork: string): Row[] => [
    ...seeds([0.5, 0.52], { evaluationNetwork }),
    ...seeds([0.5, 0.53], { evaluationNetwork, objective: "dsa" }),
    ...corrected([0.5, 0.53], 0.002, { evaluationNetwork }),
  ];
  const groups = pairedGroups(dataOf([...on("convNet"), ...on("mlp")]));
  expect(groups.map(({ kind, comparisons }) => [kind, comparisons[0]!.one.evaluationNetwork])).toEqual([
    ["plugins", "convNet"],
    ["plugins", "mlp"],
    ["methods", "convNet"],
  ]);
});
