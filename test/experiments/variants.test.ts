import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { labelAmong } from "../../experiments/report/labels.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import { differences, mainVariant } from "../../experiments/report/variants.ts";
import { row } from "./rows.ts";

const config = fc.record({
  options: fc.dictionary(fc.constantFrom("a", "b", "c.d"), fc.constantFrom("1", "2", "x")).map((options) =>
    Object.entries(options)
      .map(([path, value]) => `${path}=${value}`)
      .sort()
      .join(";"),
  ),
  steps: fc.constantFrom(10, 20),
});

test("the main variant has the fewest differences to all others, and is the same in any order", () => {
  fc.assert(
    fc.property(fc.array(config, { minLength: 1, maxLength: 9 }), (variants) => {
      const totals = variants.map((one) =>
        variants.reduce((sum, other) => sum + differences(one, other).length, 0),
      );
      const main = mainVariant(variants);
      expect(totals[variants.indexOf(main)]).toBe(Math.min(...totals));
      expect(mainVariant(variants.toReversed())).toEqual(main);
    }),
    { seed: 21 },
  );
});

test("the center of options varied one at a time is their main variant", () => {
  const swept = ["a=1;b=1", "a=1;b=2", "a=1;b=3", "a=2;b=1", "a=3;b=1"].map((options) => ({
    options,
    steps: 1,
  }));
  expect(mainVariant([...swept].reverse())).toBe(swept[0]);
});

test("labels say what differs from the main variant, and the experiment where no option does", () => {
  const rivals = summarize([
    row({ experiment: "one", options: "objective.kernel.scale=1" }),
    row({ experiment: "two", options: "objective.kernel.scale=2" }),
    row({ experiment: "three", options: "objective.kernel.scale=1", steps: 7 }),
    row({ experiment: "four", options: "objective.kernel.scale=2" }),
    row({ experiment: "five", objective: "csdm" }),
  ]);
  expect(rivals.map((one) => labelAmong(rivals, one))).toEqual([
    "dm",
    "dm, kernel.scale=2, two",
    "dm, steps=7",
    "dm, kernel.scale=2, four",
    "csdm",
  ]);
});

test("of configs of a coreset that differ in one option, the one by default is the main one", () => {
  const of = (mode: string): { options: string; steps: number } => ({
    options: `data.subsetSeed=42;initialization.mode=${mode};initialization.name=el2n;scarcity=duplicate`,
    steps: 0,
  });
  expect(mainVariant([of("easy"), of("hard")]).options).toContain("mode=hard");
  const rivals = summarize(
    ["easy", "hard"].map((mode) => row({ experiment: mode, objective: "el2n", ...of(mode) })),
  );
  expect(rivals.map((one) => labelAmong(rivals, one))).toEqual(["el2n, coreset.mode=easy", "el2n"]);
});
