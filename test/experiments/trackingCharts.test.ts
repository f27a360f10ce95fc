import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { parse as parseCsv } from "csv-parse/sync";
import { parse } from "vega";
import { compile } from "vega-lite";
import { distillExperiment } from "../../experiments/commands/distill.ts";
import { resolveExperiment } from "../../experiments/config.ts";
import { type Chart, chartCsv, chartsOf, chartSvg } from "../../experiments/report/charts/index.ts";
import type { RunRecord, TrackedBy } from "../../experiments/report/data.ts";
import { palettes } from "../../experiments/report/palette.ts";
import { readResults, reportData } from "../../experiments/report/reportData.ts";
import { readMetrics } from "../../experiments/runFolder.ts";
import { selectEngine } from "../../src/index.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const random: TrackedBy = { models: 5, epochs: 0, network: "convNet" };

/** A run of so many steps, tracked at every tenth of them; its difficulty falls from `from` by 1 in all. */
function run(method: string, change: Partial<RunRecord> = {}, { steps = 100, from = 5 } = {}): RunRecord {
  const measured = (step: number): object => ({
    difficulty: from - (steps > 0 ? step / steps : 0),
    difficultyPerClass: 2 * from,
    misclassified: 0.5,
    syntheticLoss: 2.3,
  });
  const metrics = Array.from({ length: steps + 1 }, (_, step) => ({
    step,
    ...(step > 0 && { loss: 1 / step, gradientNorm: 1 }),
    ...((step * 10) % Math.max(steps, 1) === 0 && measured(step)),
  }));
  return {
    experiment: method,
    method,
    dataset: "cifar10",
    imbalance: 1,
    imagesPerClass: 10,
    seed: 0,
    tracking: random,
    metrics,
    ...change,
  };
}

const chartsFrom = (...runs: RunRecord[]): Chart[] => chartsOf({ summaries: [], classNames: {}, runs });
const trackedIn = (charts: readonly Chart[]): Chart[] =>
  charts.filter(({ title }) => title === "Difficulty along distillation");

type Point = Readonly<Record<"x" | "y" | "low" | "high", number>>;

/** Points of the line of the method at this place in the legend. */
function lineOf({ spec }: Chart, place: number): readonly Point[] {
  const { layer } = spec as unknown as { layer: { name: string; data: { values: Point[] } }[] };
  return layer.find(({ name }) => name.endsWith(`_line${place}`))!.data.values;
}

const xTitle = ({ spec }: Chart): string =>
  JSON.stringify(spec).match(/"field":"x".*?"title":"([^"]*)"/)![1]!;

describe("difficulty along distillation", () => {
  test("is the mean over the seeds at each measured step, in a band from the smallest to the largest", () => {
    const [chart] = trackedIn(
      chartsFrom(run("dm"), run("dm", { seed: 1 }, { from: 8 }), run("csdm", {}, { from: 6 })),
    );
    expect(chart!.methods).toEqual(["dm", "csdm"]);
    const points = lineOf(chart!, 0);
    expect(points.map(({ x }) => x)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(points[5]).toEqual({ x: 50, y: 6, low: 4.5, high: 7.5 });
    expect(points[10]).toEqual({ x: 100, y: 5.5, low: 4, high: 7 });
    expect(lineOf(chart!, 1)[0]).toEqual({ x: 0, y: 6, low: 6, high: 6 });
    expect(xTitle(chart!)).toBe("Step");
    expect(chart!.alt).toContain("dm from 6.5 to 5.5; csdm from 6 to 5");
    expect(chart!.caption).toContain(
      "under 5 networks (convNet) at their random start, the same for all curves.",
    );
    expect(chart!.caption).toContain(
      "Mean over 1 to 2 seeds, in a band from the smallest to the largest value.",
    );
  });

  test("has a chart for each quantity, and none of the metrics that a method logs", () => {
    const titles = chartsFrom(run("dm")).map(({ title }) => title);
    expect(titles).toEqual([
      "Difficulty along distillation",
      "Difficulty of a class along distillation",
      "Misclassified images along distillation",
      "Loss on the images along distillation",
      "Loss by step",
      "Gradient norm by step",
    ]);
    const untracked: Partial<RunRecord> = { tracking: undefined } as object;
    expect(trackedIn(chartsFrom(run("dm", untracked)))).toEqual([]);
    expect(chartsFrom(run("dm", untracked)).map(({ title }) => title)).toContain("Difficulty by step");
  });

  test("runs of other lengths are laid side by side by their share of the steps", () => {
    const [chart] = trackedIn(chartsFrom(run("dm"), run("dc", {}, { steps: 1000 })));
    expect(xTitle(chart!)).toBe("Share of all steps");
    for (const place of [0, 1]) {
      expect(lineOf(chart!, place).map(({ x }) => x)).toEqual([
        0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
      ]);
    }
  });

  test("a method with its correction has the method's color and another dash", async () => {
    const [chart] = trackedIn(
      chartsFrom(
        run("dc + difficultyCorrection"),
        run("dm"),
        run("dc"),
        run("dm + difficultyCorrection"),
        run("dm + difficultyCorrection", { experiment: "dm-asdc" }),
      ),
    );
    expect(chart!.legend.map(({ label }) => label)).toEqual([
      "dc",
      "dc + difficultyCorrection",
      "dm",
      "dm + difficultyCorrection, dm + difficultyCorrection",
      "dm + difficultyCorrection, dm-asdc",
    ]);
    const [dc, dcCorrected, dm, ...dmCorrected] = chart!.legend;
    expect(dc!.color).toBe(dcCorrected!.color);
    expect(dm!.color).not.toBe(dc!.color);
    expect(dmCorrected.map(({ color }) => color)).toEqual([dm!.color, dm!.color]);
    expect([dc, dm].map((one) => one!.look.dash)).toEqual([[], []]);
    const dashes = [dm!, ...dmCorrected].map(({ look }) => look.dash.join());
    expect(new Set(dashes).size).toBe(3);
    const svg = await chartSvg(chart!, "print");
    const colors = [dc!, dm!].map(({ color }) => palettes.light[Number(/\d/.exec(color)![0])]!);
    for (const color of colors) expect(svg).toContain(color);
    expect(svg).toContain('stroke-dasharray="6,3"');
  });

  test("what is not learned is a level across, and no other step is missing", () => {
    const [chart] = trackedIn(chartsFrom(run("random", {}, { steps: 0 }), run("dm")));
    expect(lineOf(chart!, 0).map(({ x, y }) => [x, y])).toEqual([
      [0, 5],
      [100, 5],
    ]);
    expect(
      chartsFrom(run("dm"))
        .map(({ alt }) => alt)
        .join(),
    ).not.toContain("not finite");
  });

  test("values under other networks are not in one chart", () => {
    const trained = { models: 5, epochs: 20, network: "convNet" };
    const charts = trackedIn(
      chartsFrom(run("dm"), run("csdm", { tracking: trained }), run("dc", { tracking: trained })),
    );
    expect(charts.map(({ methods }) => methods)).toEqual([["dm"], ["csdm", "dc"]]);
    expect(charts.map(({ id }) => id)).toEqual([
      "difficulty-along-distillation-cifar10-ipc10-5-networks-convnet-at-their-random-start",
      "difficulty-along-distillation-cifar10-ipc10-5-networks-convnet-trained-on-the-real-images-for-20-epochs",
    ]);
  });

  test("of many experiments, methods are in one chart, and then each beside its correction", () => {
    const methods = ["dm", "dc", "dsa", "mtt", "iid"];
    const pairs = methods.slice(0, 4).map((one) => [one, `${one} + difficultyCorrection`]);
    const runs = [...pairs.flat(), "iid"].map((method) => run(method));
    const charts = trackedIn(chartsFrom(...runs));
    expect(charts.map((one) => one.methods)).toEqual([methods, ...pairs]);
    expect(new Set(charts.map(({ id }) => id)).size).toBe(5);
  });

  test("thousands of measurements become a few points that keep every extreme", () => {
    const metrics = Array.from({ length: 5001 }, (_, step) => ({ step, difficulty: step === 1234 ? 99 : 5 }));
    const [chart] = trackedIn(chartsFrom(run("dm", { metrics })));
    const points = lineOf(chart!, 0);
    expect(points.length).toBeLessThanOrEqual(200);
    expect(Math.max(...points.map(({ high }) => high))).toBe(99);
    expect(chart!.caption).toContain("26 measurements at a time");
    expect(chart!.numbers).toHaveLength(5001);
  });

  test("vega takes the specs without a word of warning", () => {
    const said: unknown[] = [];
    const say = (...words: unknown[]): unknown => said.push(...words);
    const logger = { level: say, error: say, warn: say, info: say, debug: say } as never;
    for (const { spec } of chartsFrom(run("dm"), run("dc", {}, { steps: 1000 }))) {
      parse(compile(spec, { logger }).spec);
    }
    expect(said).toEqual([]);
  });
});

test("what runs have logged is drawn, with their numbers as CSV", async () => {
  const results = mkdtempSync(join(tmpdir(), "distillery-tracked-"));
  const experiment = resolveExperiment("dm", {
    data: { name: "procedural", classes: 3, trainPerClass: 8, testPerClass: 4, side: 8 },
    objective: "dm",
    network: { depth: 1, width: 4 },
    imagesPerClass: 2,
    steps: 4,
    tracking: { every: 2, networks: { models: 2 } },
    seeds: [0, 1],
  });
  const runs = await distillExperiment(experiment, engine, { results, force: false });
  const charts = chartsOf(await reportData(readResults(results)));
  const chart = charts.find(({ id }) => id === "difficulty-along-distillation-procedural-ipc2")!;
  expect(chart.caption).toContain("2 networks (convNet, depth 1, width 4) at their random start");
  expect(charts.map(chartCsv).filter((csv) => csv !== undefined)).toHaveLength(4);
  const rows: Record<string, string>[] = parseCsv(chartCsv(chart)!, { columns: true });
  expect(rows.map(({ method, step, seeds }) => [method, step, seeds])).toEqual([
    ["dm", "0", "2"],
    ["dm", "2", "2"],
    ["dm", "4", "2"],
  ]);
  for (const { step, difficulty, std } of rows) {
    const values = runs.map(
      (one) => readMetrics(one).find((metric) => metric.step === Number(step))!.difficulty!,
    );
    expect(Number(difficulty)).toBeCloseTo((values[0]! + values[1]!) / 2, 12);
    expect(Number(std)).toBeCloseTo(Math.abs(values[0]! - values[1]!) / Math.SQRT2, 12);
  }
});
