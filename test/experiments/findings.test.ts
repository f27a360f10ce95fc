import { describe, expect, test } from "@jest/globals";
import { findingsOf, tally } from "../../experiments/report/findings.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import { row, rowsOf } from "./rows.ts";

const sentences = (rows: Parameters<typeof summarize>[0]): string =>
  findingsOf(summarize(rows))
    .map((finding) => finding.sentences.join(" "))
    .join("\n");

const dm = rowsOf([0.5, 0.51, 0.52]);
const random = rowsOf([0.3, 0.31, 0.32], { objective: "random" });

describe("what a setting shows", () => {
  test("a difference that holds makes a best method, with the gap to the next and the evidence", () => {
    // Means 0.61 and 0.51, variances 1e-4 each: t = 0.1/√(2e-4/3) = 12.2 at ν = 4, p = 0.00026.
    expect(sentences([...random, ...dm, ...rowsOf([0.6, 0.61, 0.62], { objective: "csdm" })])).toBe(
      "csdm is best: 61.0 ± 1.0 %, 10.0 points above dm, the next. " +
        "The difference holds (p < 0.001, 3 networks each). " +
        "Gains over random real images, in points: csdm +30.0 and dm +20.0; all hold.",
    );
  });

  test("a difference within chance is said to be none, whatever the means", () => {
    // Means 0.515 and 0.51; t = 0.005/√(1.75e-4/3 + 1e-4/3) = 0.52 at ν = 3.7, p = 0.63.
    expect(sentences([...dm, ...rowsOf([0.5, 0.525, 0.52], { objective: "csdm" })])).toBe(
      "csdm has the highest mean, 51.5 ± 1.3 %. No difference to dm (51.0 %) holds (p = 0.63, 3 networks each).",
    );
  });

  test("whom the highest mean is above, and whom not, is kept apart", () => {
    const near = rowsOf([0.5, 0.525, 0.52], { objective: "csdm" });
    const far = rowsOf([0.2, 0.21, 0.22], { objective: "mtt" });
    expect(sentences([...dm, ...near, ...far])).toBe(
      "csdm has the highest mean, 51.5 ± 1.3 %. The difference to mtt (21.0 %) holds. " +
        "No difference to dm (51.0 %) holds (p = 0.63, 3 networks each).",
    );
  });

  test("where seeds are repeated, they are the evidence", () => {
    const seeds = (accuracies: number[], objective: string): ReturnType<typeof row>[] =>
      accuracies.map((accuracy, distillSeed) => row({ accuracy, distillSeed, objective }));
    // Differences 0.1 and 0.12: 0.11 ± 12.7062 · 0.01.
    expect(sentences([...seeds([0.5, 0.5], "dm"), ...seeds([0.6, 0.62, 0.7], "csdm")])).toContain(
      "No difference to dm (50.0 %) holds (+11.00 points [−1.71, +23.71], 2 pairs).",
    );
    const later = seeds([0.6, 0.61, 0.62], "csdm").map((one) => ({
      ...one,
      distillSeed: one.distillSeed + 2,
    }));
    expect(sentences([...seeds([0.5, 0.51], "dm"), ...later])).toContain("3 and 2 seeds)");
  });

  test("what a plugin changes is said seed by seed, and of many how often the interval is on one side of 0", () => {
    const plugin = (shift: number, weight: number): ReturnType<typeof row>[] =>
      [0.5, 0.6].map((accuracy, distillSeed) =>
        row({
          accuracy: accuracy + shift + distillSeed * 0.0001,
          distillSeed,
          experiment: `sdc-${weight}`,
          plugins: "difficultyCorrection",
          options: `plugins.difficultyCorrection.weight=${weight}`,
        }),
      );
    const bare = [0.5, 0.6].map((accuracy, distillSeed) => row({ accuracy, distillSeed }));
    // 0.01 and 0.0101: 1.005 ± 12.7062 · 0.005 points.
    expect(sentences([...bare, ...plugin(0.01, 1)])).toContain(
      "difficultyCorrection changes dm by +1.01 points [+0.94, +1.07], 2 pairs.",
    );
    const many = [0.01, -0.02, -0.03, 0.02, 0].flatMap((shift, i) => plugin(shift, i));
    expect(sentences([...bare, ...many])).toContain(
      "Of 5 paired comparisons with a plugin, the interval of 2 is above 0 and that of 2 below it; " +
        "where nothing differs, one in twenty excludes 0 by chance.",
    );
    const alone = [...bare, ...many].filter(({ distillSeed }) => distillSeed === 0);
    expect(sentences(alone)).toContain(
      "The 5 paired comparisons with a plugin have no interval: that takes two seeds on both sides.",
    );
  });

  test("one network each is too few to say anything", () => {
    expect(sentences([row({ accuracy: 0.4 }), row({ accuracy: 0.6, objective: "csdm" })])).toBe(
      "csdm has the highest mean, 60.0 %. Whether it differs from dm (40.0 %) cannot be said: " +
        "that takes at least two trained networks of each.",
    );
  });

  test("a loss against random images is a loss, and only what holds is said to hold", () => {
    const text = sentences([
      ...random,
      ...rowsOf([0.2, 0.21, 0.22]),
      ...rowsOf([0.31, 0.3, 0.33], { objective: "csdm" }),
    ]);
    expect(text).toContain("csdm +0.3 and dm −10.0; only that of dm holds.");
  });

  test("many methods are told by the range of their gains", () => {
    const many = ["a", "b", "c", "d"].flatMap((objective, i) =>
      rowsOf([0.4 + i / 10, 0.41 + i / 10], { objective }),
    );
    expect(sentences([...random, ...many])).toContain("from +9.5 to +39.5; all hold.");
  });

  test("of several configs of a method the main one stands for it, and the best is told apart", () => {
    const csdm = (scale: number, accuracies: number[]): ReturnType<typeof row>[] =>
      rowsOf(accuracies, {
        objective: "csdm",
        experiment: `csdm-${scale}`,
        options: `objective.kernel.scale=${scale};objective.kernel.name=gaussian`,
      });
    const text = sentences([...dm, ...csdm(1, [0.6, 0.61, 0.62]), ...csdm(2, [0.61, 0.62, 0.63])]);
    expect(text).toContain("Of the main configs, csdm is best: 61.0 ± 1.0 %, 10.0 points above dm.");
    // Means 0.62 and 0.61, variances 1e-4: t = 0.01/√(2e-4/3) = 1.22 at ν = 4, p = 0.29.
    expect(text).toContain(
      "Of 2 configs of csdm, kernel.scale=2 has the highest mean, 62.0 ± 1.0 %; " +
        "no difference to the main one (61.0 %) holds.",
    );
    expect(sentences([...csdm(1, [0.6, 0.61, 0.62]), ...csdm(2, [0.7, 0.71, 0.72])])).toContain(
      "holds before correcting for the choice (p < 0.001, 3 networks each)",
    );
    expect(sentences([...csdm(1, [0.6, 0.61]), ...csdm(2, [0.5, 0.51])])).toContain(
      "Of 2 configs of csdm, none has a higher mean than the main one.",
    );
  });

  test("a method alone, and one without any accuracy, are no comparison", () => {
    expect(sentences(dm)).toBe("Measured was dm alone: 51.0 ± 1.0 % over 3 networks.");
    expect(findingsOf(summarize([row({ accuracy: NaN, status: "diverged" })]))).toEqual([]);
    expect(sentences([...dm, row({ accuracy: NaN, objective: "csdm" })])).toContain("dm alone");
  });
});

test("several settings are counted by who is best in them", () => {
  const csdm = rowsOf([0.6, 0.61, 0.62], { objective: "csdm" });
  const at = (imagesPerClass: number, rows: readonly ReturnType<typeof row>[]): ReturnType<typeof row>[] =>
    rows.map((one) => ({ ...one, imagesPerClass }));
  const close = rowsOf([0.5, 0.52, 0.53], { objective: "csdm" });
  const told = (rows: ReturnType<typeof row>[]): string | undefined => tally(findingsOf(summarize(rows)));
  expect(told([...at(1, [...dm, ...csdm]), ...at(10, [...dm, ...csdm]), ...at(50, [...dm, ...close])])).toBe(
    "Of 3 settings, csdm is best in 2 and no method is best by more than chance in 1.",
  );
  expect(told([...at(1, [...dm, ...close]), ...at(10, [...dm, ...close])])).toBe(
    "Of 2 settings, no method is best by more than chance in any.",
  );
  expect(told([...dm, ...csdm])).toBeUndefined();
});
