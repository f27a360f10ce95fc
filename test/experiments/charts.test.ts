import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parse } from "vega";
import { compile } from "vega-lite";
import { type Chart, chartPng, chartsOf, chartSvg } from "../../experiments/report/charts/index.ts";
import { optionCurves } from "../../experiments/report/charts/optionCurves.ts";
import {
  logTicks,
  spansDecades,
  spreadGeometrically,
  valuesAxis,
} from "../../experiments/report/charts/scales.ts";
import { shortNames } from "../../experiments/report/charts/shortNames.ts";
import { stretched } from "../../experiments/report/charts/stretches.ts";
import { highFrequencyRatios } from "../../experiments/spectra.ts";
import { percentSpread } from "../../experiments/report/numbers.ts";
import { methodOf } from "../../experiments/report/labels.ts";
import { methodSlug } from "../../experiments/report/palette.ts";
import { type Summary, summarize } from "../../experiments/report/summarize.ts";
import { optionsOf } from "../../experiments/report/variants.ts";
import { richData } from "./richRows.ts";
import { row, rowsOf } from "./rows.ts";

const data = richData();
const charts = chartsOf(data);
/** One chart of each kind. */
const kinds = charts.filter(({ title }, i) => charts.findIndex((one) => one.title === title) === i);

function chart(id: string): Chart {
  const found = charts.find((one) => one.id === id);
  if (!found) throw new Error(`no chart ${id} among ${charts.map((one) => one.id).join(", ")}`);
  return found;
}

/** All data of the layers whose name has this in it. */
function valuesOf({ spec }: Chart, part: string): Record<string, unknown>[] {
  const layers = (
    spec as unknown as { layer: { name: string; data: { values: Record<string, unknown>[] } }[] }
  ).layer;
  return layers.filter(({ name }) => name.includes(part)).flatMap((layer) => layer.data.values);
}

/** Elements left open at the end, of which well-formed XML has none; throws where one is closed out of turn. */
function leftOpen(svg: string): string[] {
  const open: string[] = [];
  const text = svg.replace(
    /<(\/?)([a-zA-Z]+)(?: [\w:-]+="[^"<]*")*(\/?)>/g,
    (_, end: string, name: string, empty: string) => {
      if (end === "/") expect(open.pop()).toBe(name);
      else if (empty === "") open.push(name);
      return "";
    },
  );
  expect(text).not.toMatch(/[<>]/);
  return open;
}

describe("which charts there are", () => {
  test("every section has some, and every id is one of a kind and a file's name", () => {
    expect([...new Set(charts.map(({ section }) => section))].sort()).toEqual(
      [
        "accuracy",
        "architectures",
        "classes",
        "cost",
        "features",
        "maps",
        "options",
        "paired",
        "spectra",
        "training",
      ].sort(),
    );
    expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
    for (const { id } of charts) expect(id).toMatch(/^[a-z0-9-]+$/);
  });

  test("without anything to show there are none", () => {
    expect(chartsOf({ summaries: [], classNames: {}, runs: [] })).toEqual([]);
    const failed = summarize([row({ accuracy: NaN, classAccuracies: [], status: "failed" })]);
    expect(chartsOf({ summaries: failed, classNames: {}, runs: [] })).toEqual([]);
  });

  test("one method measured once has bars of its classes, and nothing to be compared", () => {
    const lone = chartsOf({ summaries: summarize([row()]), classNames: {}, runs: [] });
    expect(lone.map(({ section }) => section)).toEqual(["classes"]);
  });

  test("specs are what vega-lite and vega take, without a word of warning", () => {
    const said: unknown[] = [];
    const say = (...words: unknown[]): unknown => said.push(...words);
    const logger = { level: say, error: say, warn: say, info: say, debug: say } as never;
    for (const { spec } of kinds) parse(compile(spec, { logger }).spec);
    expect(said).toEqual([]);
  });
});

describe("what charts show", () => {
  const summaryOf = (test: (one: Summary) => boolean): Summary => data.summaries.find(test)!;

  test("accuracy against images per class has the means and deviations of the summaries", () => {
    const one = chart("accuracy-by-images-per-class-cifar10-lt100-convnet");
    for (const imagesPerClass of [1, 10, 50]) {
      const { accuracy } = summaryOf(({ experiment }) => experiment === `dm-lt100-ipc${imagesPerClass}`);
      expect(valuesOf(one, `series_${one.methods.indexOf("dm")}_point`)).toContainEqual(
        expect.objectContaining({
          x: imagesPerClass,
          mean: accuracy.mean,
          low: accuracy.mean - accuracy.std,
          high: accuracy.mean + accuracy.std,
        }),
      );
      expect(one.alt).toContain(`${percentSpread(accuracy)}% at ${imagesPerClass}`);
    }
    expect(one.methods).toEqual(["random", "dm", "csdm", "csdm + difficultyCorrection"]);
    expect(valuesOf(one, "point")).toHaveLength(12);
  });

  test("a single network has no whisker", () => {
    const one = chart("accuracy-by-images-per-class-mnist-convnet");
    expect(valuesOf(one, "point")).toHaveLength(4);
    expect(valuesOf(one, "whisker")).toEqual([]);
  });

  test("of many configs the bars show the one that the others were varied from", () => {
    const one = chart("accuracy-by-third-cifar10-lt100-ipc10-convnet");
    const main = summaryOf(({ experiment }) => experiment === "csdm-lt100-ipc10");
    const best = data.summaries.filter(
      ({ objective, plugins, evaluationNetwork }) =>
        objective === "csdm" && plugins === "" && evaluationNetwork === main.evaluationNetwork,
    );
    expect(Math.max(...best.map(({ headAccuracy }) => headAccuracy.mean))).toBeGreaterThan(
      main.headAccuracy.mean,
    );
    expect(valuesOf(one, `series_${one.methods.indexOf("csdm")}_bar`).map(({ mean }) => mean)).toEqual([
      main.headAccuracy.mean,
      main.mediumAccuracy.mean,
      main.tailAccuracy.mean,
    ]);
    expect(one.caption).toContain("of 12 configs of csdm");
  });

  test("bars of classes carry their names and begin at 0; a balanced set has no thirds", () => {
    const one = chart("accuracy-by-class-cifar10-ipc10-convnet");
    expect(new Set(valuesOf(one, "bar").map(({ group }) => group)).size).toBe(10);
    expect(valuesOf(one, "bar")[0]).toMatchObject({ group: "airplane" });
    expect(JSON.stringify(one.spec)).toContain('"zero":true');
    expect(charts.filter(({ id }) => id.startsWith("accuracy-by-third-cifar10-ipc10"))).toEqual([]);
  });

  test("a hundred classes become a line for each method", () => {
    const classAccuracies = Array.from({ length: 100 }, (_, label) => label / 100);
    const [many] = chartsOf({ summaries: summarize([row({ classAccuracies })]), classNames: {}, runs: [] });
    expect(valuesOf(many!, "line").map(({ x, y }) => [x, y])).toEqual(classAccuracies.map((y, x) => [x, y]));
    expect(many!.alt).toContain("from 0.0% (class 0) to 99.0% (class 99)");
  });

  test("the matrix of networks has every pair, and frames what was distilled with the network", () => {
    const one = chart("accuracy-by-network-cifar10-lt100-ipc10");
    const cells = valuesOf(one, "cell");
    expect(cells).toHaveLength(3 * 2 * 3);
    expect(cells.filter(({ framed }) => framed)).toHaveLength(6);
    const { accuracy } = summaryOf(
      ({ experiment, evaluationNetwork }) =>
        experiment === "dm-lt100-ipc10-resNet18" && evaluationNetwork.startsWith("alexNet"),
    );
    expect(cells).toContainEqual(
      expect.objectContaining({ row: "dm, resNet18", column: "alexNet", mean: accuracy.mean }),
    );
    expect(one.alt).toContain(`dm, resNet18 on alexNet ${percentSpread(accuracy)}%`);
  });

  test("every metric that was logged has its chart, whatever its name", () => {
    const ids = charts.filter(({ section }) => section === "training").map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining([
        "loss-cifar10-lt100-ipc10",
        "gradient-norm-mnist-ipc1",
        "difficulty-cifar10-lt100-ipc10",
      ]),
    );
    expect(chart("difficulty-cifar10-lt100-ipc10").methods).toEqual(["csdm + difficultyCorrection"]);
  });

  test("the spike of a loss is drawn and said", () => {
    const spike = Math.max(
      ...data.runs
        .filter(({ experiment }) => experiment === "dm-mnist-ipc1")
        .flatMap(({ metrics }) => metrics.slice(1000).map(({ loss }) => loss!)),
    );
    const tops = valuesOf(chart("loss-mnist-ipc1"), "band").map(({ high }) => high);
    expect(tops).toContain(spike);
    expect(tops.length).toBeLessThan(200);
  });

  test("spectra leave out the mean gray and frequencies beyond the grating of two pixels", () => {
    const one = chart("power-spectra-cifar10-lt100-ipc10");
    const xs = valuesOf(one, "other_line").map(({ x }) => x);
    expect(xs).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
    const { spectra } = data.runs.find(({ dataset }) => dataset === "cifar10")!;
    expect(valuesOf(one, "other_line").map(({ y }) => y)).toEqual(spectra!.real.overall.slice(1, 17));
  });

  test("spectra of every class stand in panels of their own, on the same axes", () => {
    const one = chart("power-spectra-by-class-cifar10-lt100-ipc10");
    const panels = (one.spec as unknown as { concat: { title: { text: string }; layer: object[] }[] }).concat;
    expect(panels.map(({ title }) => title.text)).toEqual(data.classNames.cifar10);
    const axes = panels.map((panel) => JSON.stringify(panel).match(/"domain":\[[^\]]*\]/g)!);
    expect(new Set(axes.map((own) => [...new Set(own)].join())).size).toBe(1);
    const { spectra } = data.runs.find(({ dataset }) => dataset === "cifar10")!;
    const last = valuesOf({ ...one, spec: panels.at(-1) } as unknown as Chart, "other_line");
    expect(last.map(({ y }) => y)).toEqual(spectra!.real.classes.at(-1)!.slice(1, 17));
  });

  test("of a hundred classes twelve have a panel, from the first to the last", () => {
    const spectrum = [1, 1, 1, 1];
    const all = { overall: spectrum, classes: Array.from({ length: 100 }, () => spectrum) };
    const record = { ...data.runs[0]!, metrics: [], spectra: { real: all, synthetic: all } };
    const made = chartsOf({ summaries: [], classNames: {}, runs: [record] });
    const one = made.find(({ title }) => title === "Power spectra by class")!;
    const { concat } = one.spec as unknown as { concat: { title: { text: string } }[] };
    expect(concat).toHaveLength(12);
    expect([concat[0]!.title.text, concat[11]!.title.text]).toEqual(["class 0", "class 99"]);
    expect(one.caption).toContain("12 of 100 classes");
  });

  test("high-frequency energy is that of each method's images over that of real ones, over its seeds", () => {
    const one = chart("high-frequency-energy-cifar10-lt100-ipc10");
    const own = data.runs.filter(({ experiment }) => experiment === "dm-lt100-ipc10");
    const ratios = own.map(({ spectra }) => highFrequencyRatios(spectra!).overall);
    const [dot] = valuesOf(one, `series_${one.methods.indexOf("dm")}_point`);
    expect(dot).toMatchObject({ name: "all classes", mean: (ratios[0]! + ratios[1]!) / 2 });
    expect(valuesOf(one, "point")).toHaveLength(4 * 11);
  });

  test("distances in feature space are those of the runs, with a tick for random real images at every class", () => {
    const one = chart("feature-discrepancy-cifar10-lt100-ipc10");
    const own = data.runs.filter(({ experiment }) => experiment === "dm-lt100-ipc10");
    const [a, b] = own.map(({ discrepancy }) => discrepancy!.synthetic.overall[1]!) as [number, number];
    const [dot] = valuesOf(one, `series_${one.methods.indexOf("dm")}_point`);
    expect(dot).toMatchObject({ name: "all classes", mean: (a + b) / 2 });
    const ticks = valuesOf(one, "other_real");
    expect(ticks).toHaveLength(11);
    expect(ticks[1]!.x).toBe(own[0]!.discrepancy!.real.classes[0]![1]);
  });

  test("what costs nothing is a line across the plot of time, not a point", () => {
    const one = chart("accuracy-by-time-cifar10-lt100-ipc50-convnet");
    expect(valuesOf(one, "free").map(({ text }) => text)).toEqual([expect.stringContaining("random")]);
    const { distillSeconds, accuracy } = summaryOf(({ experiment }) => experiment === "dm-lt100-ipc50");
    expect(valuesOf(one, "point")).toContainEqual(
      expect.objectContaining({ cost: distillSeconds.mean, mean: accuracy.mean }),
    );
  });
});

describe("curves over options", () => {
  const curves = optionCurves(data.summaries);

  test("are found by themselves", () => {
    expect([...new Set(curves.map(({ path }) => path))].sort()).toEqual([
      "objective.kernel.name",
      "objective.kernel.scale",
      "objective.weighting.alphaHead",
      "plugins.difficultyCorrection.weight",
    ]);
    const scales = curves.find(({ path }) => path === "objective.kernel.scale")!;
    expect(scales.points.map(({ value }) => Number(value)).sort((a, b) => a - b)).toEqual([
      0.25, 0.5, 1, 2, 4,
    ]);
  });

  test("have points that differ in that option and in nothing else, and leave no such pair out", () => {
    const option = fc.constantFrom("1", "2");
    const config = fc.record({
      a: option,
      "b.c": option,
      d: option,
      steps: fc.constantFrom(1, 2),
      imagesPerClass: fc.constantFrom(1, 10),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(config, { maxLength: 12, selector: (one) => JSON.stringify(one) }),
        (configs) => {
          const summaries = summarize(
            configs.map(({ steps, imagesPerClass, ...options }, i) =>
              row({
                experiment: `e${i}`,
                steps,
                imagesPerClass,
                options: Object.entries(options)
                  .map(([path, value]) => `${path}=${value}`)
                  .join(";"),
              }),
            ),
          );
          const found = optionCurves(summaries);
          for (const { path, points } of found) {
            expect(new Set(points.map(({ value }) => value)).size).toBeGreaterThan(1);
            for (const { summary: other } of points)
              expect(differing(points[0]!.summary, other)).toEqual(
                other === points[0]!.summary ? [] : [path],
              );
          }
          for (const a of summaries) {
            for (const b of summaries) {
              const paths = differing(a, b);
              if (paths.length !== 1 || a.imagesPerClass !== b.imagesPerClass) continue;
              const both = found.filter(
                ({ path, points }) =>
                  path === paths[0] && [a, b].every((one) => points.some(({ summary }) => summary === one)),
              );
              expect(both).toHaveLength(1);
            }
          }
        },
      ),
      { seed: 11 },
    );
  });

  test("of a choice are not kept apart by what only some of its values have", () => {
    const kernels = ["name=gaussian", "name=matern;objective.kernel.nu=1.5"];
    const found = optionCurves(
      summarize(
        kernels.map((kernel, i) => row({ experiment: `e${i}`, options: `objective.kernel.${kernel}` })),
      ),
    );
    expect(found.map(({ path, points }) => [path, points.map(({ value }) => value)])).toEqual([
      ["objective.kernel.name", ["gaussian", "matern"]],
    ]);
  });

  test("are lines over numbers, logarithmic where these are, and dots over words", () => {
    const axisOf = (one: Chart): string =>
      JSON.stringify((one.spec as unknown as { layer: unknown[] }).layer[0]);
    expect(axisOf(chart("accuracy-by-kernel-scale-cifar10-lt100-ipc10-convnet"))).toContain('"type":"log"');
    expect(axisOf(chart("accuracy-by-weighting-alphahead-cifar10-lt100-ipc10-convnet"))).not.toContain(
      '"type":"log"',
    );
    const words = chart("accuracy-by-kernel-name-cifar10-lt100-ipc10-convnet");
    expect(valuesOf(words, "point").map(({ name }) => name)).toEqual([
      "gaussian",
      "laplacian",
      "matern",
      "cauchy",
    ]);
    expect(valuesOf(words, "line")).toEqual([]);
    expect(words.alt).toMatch(/csdm .*% with gaussian, .*% with laplacian/);
  });

  function differing(a: Summary, b: Summary): string[] {
    const [one, other] = [optionsOf(a), optionsOf(b)];
    const paths = [...new Set([...one.keys(), ...other.keys()])].filter(
      (path) => one.get(path) !== other.get(path),
    );
    return a.imagesPerClass === b.imagesPerClass ? paths : [...paths, "imagesPerClass"];
  }
});

describe("axes", () => {
  test("a curve of positive values over a factor of 20 is drawn on a logarithmic scale", () => {
    expect(spansDecades([1, 20])).toBe(false);
    expect(spansDecades([1, 20.1])).toBe(true);
    expect(spansDecades([0, 100])).toBe(false);
    expect(spansDecades([-1, 100])).toBe(false);
    expect(spansDecades([])).toBe(false);
  });

  test.each([
    [[0.25, 0.5, 1, 2], true],
    [[256, 1024, 4096], true],
    [[1, 10, 50], true],
    [[0.5, 0.6, 0.7], false],
    [[1, 2, 3], false],
    [[0, 1, 10], false],
    [[0.001, 0.004], true],
    [[1, 2], false],
    [[5], false],
  ] as const)("%j are spread geometrically: %p", (values, geometric) => {
    expect(spreadGeometrically(values)).toBe(geometric);
  });

  test("a 0 beside values that are spread geometrically keeps its place", () => {
    expect(valuesAxis("λ", [0, 0.001, 0.01, 0.1])).toEqual({
      title: "λ",
      values: [0, 0.001, 0.01, 0.1],
      scale: { smallest: 0.001 },
    });
    expect(valuesAxis("α", [0, 0.5, 1])).toEqual({ title: "α", values: [0, 0.5, 1] });
    const rows = [0, 0.001, 0.01].map((weight) =>
      row({ experiment: `e${weight}`, options: `weight=${weight}` }),
    );
    const [one] = chartsOf({ summaries: summarize(rows), classNames: {}, runs: [] }).filter(
      ({ section }) => section === "options",
    );
    expect(JSON.stringify(one!.spec)).toContain('"type":"symlog","constant":0.001');
  });

  test("logarithmic axes are labeled at powers of ten, with 2 and 5 between where they are few", () => {
    expect(logTicks([0.002, 3000])).toEqual([0.01, 0.1, 1, 10, 100, 1000]);
    expect(logTicks([0.8, 30])).toEqual([1, 2, 5, 10, 20]);
  });
});

describe("drawing", () => {
  test("the same chart is the same bytes, on page and paper", async () => {
    const again = chartsOf(richData());
    for (const at of [0, 5, charts.length - 1]) {
      for (const use of ["page", "print"] as const) {
        expect(await chartSvg(again[at]!, use)).toBe(await chartSvg(charts[at]!, use));
      }
    }
  });

  test("every chart is well-formed XML with its words, in the colors of page or paper", async () => {
    for (const one of kinds) {
      const [page, print] = [await chartSvg(one, "page"), await chartSvg(one, "print")];
      expect(leftOpen(page)).toEqual([]);
      expect(page).toContain('role="img" aria-label="');
      expect(page).toMatch(/="var\(--(s\d|ink)\)"/);
      expect(print).not.toContain("var(");
      expect(page).not.toMatch(/NaN|undefined|Infinity/);
      for (const method of one.methods) expect(page).toContain(`series-${methodSlug(method)}`);
    }
  });

  test("two charts of one page share no id", async () => {
    const curves = charts.filter(({ section }) => section === "training").slice(0, 2);
    const ids = await Promise.all(
      curves.map(async (one) =>
        [...(await chartSvg(one, "page")).matchAll(/ id="([^"]+)"/g)].map((match) => match[1]!),
      ),
    );
    expect(ids[0]!.length).toBeGreaterThan(0);
    expect(ids[0]!.filter((id) => ids[1]!.includes(id))).toEqual([]);
    for (const id of ids[0]!) expect(await chartSvg(curves[0]!, "page")).toContain(`url(#${id})`);
  });

  test("a method's name cannot break the page", async () => {
    const objective = `<b>"&'`;
    const rows = [1, 10].flatMap((imagesPerClass) => rowsOf([0.4, 0.5], { objective, imagesPerClass }));
    const [one] = chartsOf({ summaries: summarize(rows), classNames: {}, runs: [] });
    const svg = await chartSvg(one!, "page");
    expect(leftOpen(svg)).toEqual([]);
    expect(svg).not.toContain("<b>");
    expect(methodOf({ objective, plugins: "" })).toBe(objective);
  });

  test("a picture is a PNG with letters in it, the same each time", async () => {
    const one = chart("accuracy-by-kernel-name-cifar10-lt100-ipc10-convnet");
    const png = await chartPng(one);
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.readUInt32BE(16)).toBe(1020);
    expect(await chartPng(one)).toEqual(png);
    // Where no font is found, text is left out without a word: then labels would make no difference.
    const unlabeled = {
      ...one,
      id: "unlabeled",
      legend: one.legend.map((entry) => ({ ...entry, label: " " })),
    };
    expect(await chartPng(unlabeled)).not.toEqual(png);
  });
});

describe("stretches of a curve", () => {
  test("a short course keeps every step", () => {
    const { points, length } = stretched([
      [
        [1, 5],
        [2, 7],
      ],
    ]);
    expect(length).toBe(1);
    expect(points).toEqual([
      { x: 1, y: 5, low: 5, high: 5 },
      { x: 2, y: 7, low: 7, high: 7 },
    ]);
  });

  test("a long one keeps all extremes, and its mean", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 2000 }),
        (values) => {
          const { points } = stretched([values.map((value, i) => [i, value] as const)]);
          expect(Math.min(...points.map(({ low }) => low))).toBe(Math.min(...values));
          expect(Math.max(...points.map(({ high }) => high))).toBe(Math.max(...values));
          expect(points.length).toBeLessThanOrEqual(150);
          for (const { y, low, high } of points) expect(y >= low - 1e-9 && y <= high + 1e-9).toBe(true);
        },
      ),
      { seed: 12 },
    );
  });

  test("what is not finite is left out and counted", () => {
    expect(
      stretched([
        [
          [1, 5],
          [2, NaN],
          [3, Infinity],
        ],
      ]),
    ).toMatchObject({ missing: 2, points: [{ x: 1 }] });
  });
});

test("networks go by their family, and by what differs where several are of one", () => {
  const short = shortNames(["convNet-d3-w64-relu", "convNet-d3-w128-relu", "resNet18-instance"]);
  expect(["convNet-d3-w64-relu", "convNet-d3-w128-relu", "resNet18-instance"].map(short)).toEqual([
    "convNet-w64",
    "convNet-w128",
    "resNet18",
  ]);
});
