import { expect, test } from "@jest/globals";
import { compile } from "vega-lite";
import { type Chart, chartsOf, chartSvg } from "../../experiments/report/charts/index.ts";
import type { RunRecord } from "../../experiments/report/data.ts";
import type { SelectionFile } from "../../experiments/selection.ts";
import { guidedSelection } from "./guidedSelection.ts";

function run(experiment: string, seed: number, selection?: SelectionFile): RunRecord {
  return {
    ...{ experiment, seed, method: selection?.classes ? "difficultyGuided" : "random" },
    ...{ dataset: "cifar10", imbalance: 1, imagesPerClass: 10, metrics: [] },
    ...(selection && { selection }),
  };
}

const classNames = { cifar10: Array.from({ length: 10 }, (_, label) => `name ${label}`) };
const chartsFor = (runs: readonly RunRecord[]): Chart[] =>
  chartsOf({ summaries: [], classNames, runs }).filter(({ section }) => section === "sampling");

const seeds = [0, 1];
const study = [
  ...seeds.map((seed) => run("scale", seed, guidedSelection("scale", seed))),
  ...seeds.map((seed) => run("cliff", seed, guidedSelection("cliff", seed))),
  run("uniform", 0, { from: "pool", positions: [3, 1] }),
  run("none", 0),
];

test("one chart shows what all choose from and what each chose; one of each experiment, folded away, its classes", () => {
  const charts = chartsFor(study);
  expect(charts.map(({ id, detail }) => [id, detail ?? false])).toEqual([
    ["sampling-cifar10-ipc10", false],
    ["sampling-by-class-cifar10-ipc10-scale", true],
    ["sampling-by-class-cifar10-ipc10-cliff", true],
  ]);
  expect(charts[0]!.caption).toContain(
    "(outOfFold) with accuracies of 61, 63, 62 % on real images and 81, 80, 83 % on the pool",
  );
});

test("bars are shares over all classes and seeds", () => {
  const { numbers } = chartsFor(study)[0]!;
  const sharesOf = (images: string, scores: string): number[] =>
    numbers!
      .filter((line) => line.images === images && line.scores === scores)
      .map(({ share }) => Number(share));
  const total = (counts: readonly (readonly number[])[]): number[] => {
    const sums = counts[0]!.map((_, bin) => counts.reduce((sum, own) => sum + own[bin]!, 0));
    return sums.map((sum) => sum / sums.reduce((a, b) => a + b));
  };
  const { classes } = guidedSelection("scale", 0);
  expect(sharesOf("Real images", "raw")).toEqual(total(classes!.map(({ real }) => real.raw)));
  expect(sharesOf("Pool", "transformed")).toEqual(total(classes!.map(({ pool }) => pool.transformed)));
  const cliff = seeds.flatMap((seed) => guidedSelection("cliff", seed).classes!);
  expect(sharesOf("difficultyGuided, cliff", "transformed")).toEqual(
    total(cliff.map(({ chosen }) => chosen.transformed)),
  );
});

test("thresholds, what was demanded and what was taken are in the numbers, class by class", () => {
  const lines = chartsFor(study)[1]!.numbers!;
  expect(lines).toHaveLength(20);
  const own = guidedSelection("scale", 1).classes![3]!;
  expect(lines[13]).toMatchObject({
    ...{ seed: 1, class: "name 3", bottom: own.bottom, top: own.top, objective: own.objective },
    ...{ demanded: own.demanded.join(" "), taken: own.taken.join(" "), filled: own.filled },
  });
});

test("runs that choose from other images have a chart of their own; from real images, there is no pool", () => {
  const other = guidedSelection("scale", 0, { classes: 30 });
  const own = { ...other, from: "real" as const };
  const charts = chartsFor([...study, run("real", 0, own)]);
  expect(charts.filter(({ detail }) => !detail).map(({ id }) => id)).toEqual([
    "sampling-cifar10-ipc10-1",
    "sampling-cifar10-ipc10-2",
  ]);
  const shown = new Set(charts[1]!.numbers!.map(({ images }) => images));
  expect([...shown]).toEqual(["Real images", "difficultyGuided"]);
  expect(charts.at(-1)!.caption).toContain("12 of 30 classes, evenly spaced by label");
});

test.each(chartsFor(study).map((chart) => [chart.id, chart] as const))("%s is drawn", async (_, chart) => {
  expect(() => compile(chart.spec)).not.toThrow();
  const svg = await chartSvg(chart, "page");
  expect(svg).not.toContain("NaN");
});
