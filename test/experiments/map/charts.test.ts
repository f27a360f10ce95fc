import { expect, test } from "@jest/globals";
import { parse } from "vega";
import { compile } from "vega-lite";
import type { Chart } from "../../../experiments/report/charts/chart.ts";
import { chartSvg } from "../../../experiments/report/charts/index.ts";
import { chartsOfMap } from "../../../experiments/report/charts/maps.ts";
import { seriesOf } from "../../../experiments/report/palette.ts";
import { richMap } from "../richMap.ts";

const look = seriesOf(
  ["random", "dm", "csdm"].map((objective) => ({
    objective,
    plugins: "",
    steps: Number(objective !== "random"),
  })),
);

interface DrawnLayer {
  readonly name: string;
  readonly data: { readonly values: readonly Record<string, unknown>[] };
}
interface DrawnPanel {
  readonly layer: readonly DrawnLayer[];
  readonly width: number;
  readonly height: number;
  readonly title?: { readonly text: string };
}
const panelsOf = ({ spec }: Chart): readonly DrawnPanel[] =>
  (spec as unknown as { concat: readonly DrawnPanel[] }).concat;
const valuesOf = (panel: DrawnPanel, part: string): readonly Record<string, unknown>[] =>
  panel.layer.filter(({ name }) => name.includes(part)).flatMap(({ data }) => data.values);

const map = richMap();
const [sets, methods, numbers] = chartsOfMap(map, look) as [Chart, Chart, Chart];

test("each set has a panel among the same real images, with a color for each class", () => {
  const panels = panelsOf(sets);
  expect(panels.map(({ title }) => title!.text)).toEqual(["random", "dm", "csdm"]);
  const real = valuesOf(panels[0]!, "real");
  expect(real).toHaveLength(400); // all of 40 in each class
  expect(new Set(real.map(({ color }) => color)).size).toBe(10);
  for (const [i, panel] of panels.entries()) {
    expect(valuesOf(panel, "real")).toEqual(real);
    const own = valuesOf(panel, "sets");
    expect(own).toHaveLength(100);
    const at = map.points.subject.indexOf(i);
    expect(own[0]).toMatchObject({ x: map.points.x[at], y: map.points.y[at], color: "var(--c0)" });
    expect(new Set(own.map(({ color, shape }) => `${String(color)} ${String(shape)}`)).size).toBe(10);
  }
  expect(sets.legend.map(({ label }) => label)).toEqual([...map.classNames, "small dots: real images"]);
});

test("a map has one scale, whichever way", () => {
  const [panel] = panelsOf(methods);
  const { x, y } = (
    panel!.layer.at(-1)! as unknown as { encoding: Record<"x" | "y", { scale: { domain: number[] } }> }
  ).encoding;
  const unit = ({ scale: { domain } }: { scale: { domain: number[] } }, pixels: number): number =>
    (domain[1]! - domain[0]!) / pixels;
  expect(unit(x, panel!.width) / unit(y, panel!.height)).toBeCloseTo(1, 1);
  for (const axis of ["x", "y"] as const) {
    const [low, high] = { x, y }[axis].scale.domain as [number, number];
    expect(Math.min(...map.points[axis])).toBeGreaterThan(low);
    expect(Math.max(...map.points[axis])).toBeLessThan(high);
  }
});

test("all sets are on one map in their methods' colors, with the names of classes among them and none on another", () => {
  const [panel] = panelsOf(methods);
  expect(valuesOf(panel!, "series_1_sets")).toHaveLength(100);
  expect(new Set(valuesOf(panel!, "series_0_sets").map(({ color }) => color))).toEqual(
    new Set(["var(--s0)"]),
  );
  const names = valuesOf(panel!, "names") as { name: string; x: number; y: number }[];
  expect(names.map(({ name }) => name).sort()).toEqual([...map.classNames].sort());
  expect(methods.legend.map(({ label, method }) => [label, method])).toEqual([
    ["random", 0],
    ["dm", 1],
    ["csdm", 2],
    ["small dots: real images", undefined],
  ]);
});

test("numbers have the mean, every class, and what as many random real images have", () => {
  const panels = panelsOf(numbers);
  expect(panels.map(({ title }) => title!.text)).toEqual([
    "Center distance",
    "Spread, real = 1",
    "Covariance distance",
    "Nearest to own class",
  ]);
  expect(valuesOf(panels[1]!, "series_2_classes")).toHaveLength(10);
  expect(valuesOf(panels[1]!, "series_2_mean")).toEqual([
    expect.objectContaining({ name: "csdm", value: map.subjects[2]!.geometry.overall.spreadRatio }),
  ]);
  expect(valuesOf(panels[0]!, "random").map(({ value }) => value)).toEqual(
    map.subjects.map(({ random }) => random!.geometry.overall.centerDistance),
  );
  expect(numbers.alt).toMatch(/dm center distance 0\.1\d+.*as many random real images center distance 0\.31/);
  expect(numbers.numbers).toHaveLength(3 * 2 * 11);
});

test("with a hundred classes color is for methods alone, and no names are on the map", () => {
  const classNames = Array.from({ length: 100 }, (_, label) => `class ${label}`);
  const [ofSets, ofMethods] = chartsOfMap(richMap({ classNames, name: "many" }), look) as [Chart, Chart];
  expect(new Set(valuesOf(panelsOf(ofSets)[1]!, "sets").map(({ color }) => color))).toEqual(
    new Set(["var(--s1)"]),
  );
  expect(ofSets.legend).toHaveLength(1);
  expect(valuesOf(panelsOf(ofSets)[1]!, "real")).toHaveLength(400);
  expect(valuesOf(panelsOf(ofMethods)[0]!, "names")).toEqual([]);
});

test("of one image per class there are two numbers", () => {
  const one = chartsOfMap(richMap({ sets: { dm: [0.9, null] }, name: "one" }), look)[2]!;
  expect(panelsOf(one).map(({ title }) => title!.text)).toEqual(["Center distance", "Nearest to own class"]);
  expect(one.alt).toContain("spread, real = 1 unknown");
});

test("two seeds of a method are told apart", () => {
  const both = richMap();
  const twins = {
    ...both,
    subjects: both.subjects.map((one, seed) => ({ ...one, method: "dm", label: `dm seed ${seed}` })),
  };
  const [, chart] = chartsOfMap(twins, look) as [Chart, Chart];
  expect(new Set(chart.legend.map(({ color }) => color)).size).toBe(4);
  expect(chart.methods).toEqual(["dm"]);
});

test("vega-lite takes the specs without a warning, and a method's marks can be found by its class", async () => {
  const said: unknown[] = [];
  const say = (...words: unknown[]): unknown => said.push(...words);
  const logger = { level: say, error: say, warn: say, info: say, debug: say } as never;
  for (const chart of [sets, methods, numbers]) {
    parse(compile(chart.spec, { logger }).spec);
    const svg = await chartSvg(chart, "page");
    for (const method of chart.methods)
      expect(svg).toContain(`class="mark-symbol role-mark series-${method}"`);
    expect(await chartSvg(chart, "print")).not.toContain("var(--");
  }
  expect(said).toEqual([]);
});
