import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { parse } from "csv-parse/sync";
import { theory } from "../../experiments/commands/theory.ts";
import { theoryOptions } from "../../experiments/theory/options.ts";
import { stretchOf, theoryText } from "../../experiments/theory/tables.ts";
import { saddlePoint } from "../../src/theory/scalingLaw.ts";

const root = mkdtempSync(join(tmpdir(), "distillery-theory-"));
afterAll(() => rmSync(root, { recursive: true }));

const tiny = [
  "fractions=[0.4]",
  "angles=[0,25]",
  "curves={from: 0.5, to: 10, points: 5}",
  "simulation={examples: [1], dimensions: 15, trials: 3}",
];
const rowsOf = (file: string): Record<string, string>[] =>
  parse(readFileSync(file, "utf8"), { columns: true });

test("curves, points, crossings, options and figures are written, the same bits for the same seed", async () => {
  const [out, again] = [join(root, "a"), join(root, "b")];
  const result = await theory(theoryOptions("small", tiny), out);
  await theory(theoryOptions("small", tiny), again);
  const files = readdirSync(out).sort();
  expect(files).toEqual([
    "crossovers.csv",
    "crossovers.md",
    "curves.csv",
    "figures",
    "options.yaml",
    "points.csv",
  ]);
  const figures = readdirSync(join(out, "figures")).sort();
  expect(figures).toEqual(
    ["error-by-kept", "error-by-total", "strategies-by-kept", "strategies-by-total"].flatMap((name) => [
      `${name}.png`,
      `${name}.svg`,
    ]),
  );
  for (const file of [
    ...files.filter((name) => name !== "figures"),
    ...figures.map((name) => `figures/${name}`),
  ])
    expect(readFileSync(join(again, file)).equals(readFileSync(join(out, file)))).toBe(true);

  const curves = rowsOf(join(out, "curves.csv"));
  expect(curves).toHaveLength(2 * 5 * (1 + 2 * 2)); // views, places, all examples and each probe's easy and hard
  const last = curves.filter(
    (row) => row["view"] === "kept" && row["angle"] === "25" && row["keep"] === "hard",
  )[4]!;
  expect(Number(last["alphaKept"])).toBeCloseTo(10, 12);
  expect(Number(last["alphaTotal"])).toBeCloseTo(25, 12);
  const { error } = saddlePoint({ examples: 25, fraction: 0.4, keep: "hard", angle: 25 });
  expect(Number(last["error"])).toBeCloseTo(error, 12);

  const points = rowsOf(join(out, "points.csv"));
  expect(points).toHaveLength(2 * 5);
  for (const row of points) {
    const found = (Number(row["error"]) - Number(row["theory"])) / Number(row["standardError"]);
    expect(Number(row["deviation"])).toBeCloseTo(found, 10);
  }
  const crossings = rowsOf(join(out, "crossovers.csv")).filter(
    ({ view, angle, second }) => view === "kept" && angle === "0" && second === "easy",
  );
  expect(crossings.map(({ lowerBeyond }) => lowerBeyond)).toEqual(["hard"]);
  expect(Math.abs(Number(crossings[0]!["alpha"]) - 2.3)).toBeLessThan(0.005);
  expect(readFileSync(join(out, "crossovers.md"), "utf8")).toMatch(
    /\| perfect \| 40 % \| above 2\.30 \| above 1\.55 \| everywhere \|/,
  );
  expect(theoryText(result)).toContain("of 9 points");
  expect(readFileSync(join(out, "figures/strategies-by-kept.svg"), "utf8")).toContain(">40 %, 25°</text>");
});

test("without simulated examples there are no points", async () => {
  const out = join(root, "bare");
  const result = await theory(theoryOptions("small", [...tiny, "angles=[0]", "simulation.examples=[]"]), out);
  expect(readdirSync(out)).not.toContain("points.csv");
  expect(theoryText(result)).toMatch(/Nothing was simulated\.$/);
});

test("where one curve is lower is said in words", () => {
  const at = (alpha: number, lowerBeyond: "first" | "second") => ({ at: alpha, lowerBeyond });
  expect(stretchOf({ crossings: [], lowerAtFirst: "first" })).toBe("everywhere");
  expect(stretchOf({ crossings: [], lowerAtFirst: "second" })).toBe("nowhere");
  expect(stretchOf({ crossings: [at(1.234, "first")], lowerAtFirst: "second" })).toBe("above 1.23");
  expect(stretchOf({ crossings: [at(12.34, "second")], lowerAtFirst: "first" })).toBe("below 12.3");
  const between = [at(0.5, "first"), at(3, "second"), at(7, "first")];
  expect(stretchOf({ crossings: between, lowerAtFirst: "second" })).toBe("0.500 to 3.00, above 7.00");
});

test("options that are wrong are named", () => {
  const wrong = (...overrides: string[]) => expect(() => theoryOptions("full", overrides));
  wrong("fraktions=[0.5]").toThrow("theory: fraktions: unknown option; did you mean fractions?");
  wrong("fractions=[1]").toThrow(/fractions\.0.*got 1/);
  wrong("fractions=[0.5,0.5]").toThrow("expected each fraction once");
  wrong("angles=[100]").toThrow(/angles\.0.*got 100/);
  wrong("curves.to=0.01").toThrow("expected from < to");
  wrong("simulation.trials=1").toThrow(/simulation\.trials.*got 1/);
});
