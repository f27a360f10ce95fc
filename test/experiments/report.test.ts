import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { spreadOf, welch } from "../../experiments/report/statistics.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import { row, rowsOf } from "./rows.ts";

describe("statistics", () => {
  test("the spread of 1, 2, 6 is mean 3 and variance (4 + 1 + 9)/2 = 7", () => {
    expect(spreadOf([1, 2, 6])).toEqual({ mean: 3, std: Math.sqrt(7), count: 3 });
  });

  test("one value has no deviation, none has no mean", () => {
    expect(spreadOf([5])).toEqual({ mean: 5, std: NaN, count: 1 });
    expect(spreadOf([])).toEqual({ mean: NaN, std: NaN, count: 0 });
  });

  test("Welch's test gives the p-value of Student's table where variances and counts are equal", () => {
    // t = 2.306 at 8 degrees of freedom is the two-sided 5% point: means apart by t √(2 s²/5).
    const [x, y] = [spreadOf([-2, -1, 0, 1, 2]), spreadOf([-2, -1, 0, 1, 2].map((v) => v + 2.306))];
    expect(welch(x, y)).toBeCloseTo(0.05, 4);
  });

  test("Welch's test is symmetric, does not see a common shift and scale, and lies in [0, 1]", () => {
    const sample = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const p = welch(spreadOf(a), spreadOf(b));
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(welch(spreadOf(b), spreadOf(a))).toBeCloseTo(p, 12);
        const moved = (values: number[]): number[] => values.map((v) => 4 * v + 8);
        expect(welch(spreadOf(moved(a)), spreadOf(moved(b)))).toBeCloseTo(p, 9);
      }),
      { seed: 3 },
    );
  });

  test("nothing can be concluded from one value", () => {
    expect(welch(spreadOf([1]), spreadOf([9, 10]))).toBe(1);
  });
});

describe("summaries", () => {
  test("mean and deviation are over all networks, and over the means of seeds apart", () => {
    const rows = [...rowsOf([0.5, 0.7], { distillSeed: 0 }), ...rowsOf([0.8, 0.8], { distillSeed: 1 })];
    const [summary] = summarize(rows);
    expect(summary!.accuracy.mean).toBeCloseTo(0.7);
    expect(summary!.accuracy.std).toBeCloseTo(Math.sqrt(0.06 / 3)); // 0.04 + 0 + 0.01 + 0.01
    expect(summary!.accuracy.count).toBe(4);
    expect(summary!.seedAccuracy.mean).toBeCloseTo(0.7);
    expect(summary!.seedAccuracy.std).toBeCloseTo(Math.sqrt(0.02)); // seeds 0.6 and 0.8
    expect(summary!.seedAccuracy.count).toBe(2);
  });

  test("time is the mean of runs, not of rows", () => {
    const rows = [
      ...rowsOf([0.5, 0.5, 0.5], { distillSeed: 0, distillSeconds: 10 }),
      ...rowsOf([0.5], { distillSeed: 1, distillSeconds: 20 }),
    ];
    expect(summarize(rows)[0]!.distillSeconds).toEqual({ mean: 15, std: Math.sqrt(50), count: 2 });
  });

  test("class accuracies are averaged class by class", () => {
    const rows = [row({ classAccuracies: [0.2, 1] }), row({ evaluationSeed: 1, classAccuracies: [0.4, 0] })];
    expect(summarize(rows)[0]!.classAccuracies).toEqual([
      { mean: expect.closeTo(0.3), std: expect.closeTo(Math.sqrt(0.02)), count: 2 },
      { mean: expect.closeTo(0.5), std: expect.closeTo(Math.sqrt(0.5)), count: 2 },
    ]);
  });

  test("what differs in method, data, network, protocol or steps is kept apart", () => {
    const changes = [
      {},
      { dataset: "cifar100" },
      { imbalance: 100 },
      { imagesPerClass: 1 },
      { objective: "csdm" },
      { plugins: "difficultyCorrection" },
      { network: "mlp" },
      { evaluationNetwork: "mlp" },
      { protocol: "dc-300" },
      { steps: 5 },
    ];
    expect(summarize(changes.map(row))).toHaveLength(changes.length);
  });

  test("a failed run is counted, and enters no mean", () => {
    const [summary] = summarize([
      ...rowsOf([0.5, 0.7]),
      row({ accuracy: NaN, evaluationSeed: 2, status: "failed" }),
    ]);
    expect(summary!.failures).toBe(1);
    expect(summary!.accuracy.mean).toBeCloseTo(0.6);
  });

  test("the best is marked only where the difference holds", () => {
    const bestOf = (dm: number[], csdm: number[], seeds: (i: number) => number): string[] =>
      summarize([
        ...dm.map((accuracy, i) => row({ accuracy, distillSeed: seeds(i), evaluationSeed: i })),
        ...csdm.map((accuracy, i) =>
          row({ objective: "csdm", accuracy, distillSeed: seeds(i), evaluationSeed: i }),
        ),
      ])
        .filter((summary) => summary.best)
        .map((summary) => summary.objective);
    const oneSeed = (): number => 0;
    expect(bestOf([0.5, 0.51, 0.52], [0.6, 0.61, 0.62], oneSeed)).toEqual(["csdm"]);
    expect(bestOf([0.5, 0.55, 0.6], [0.51, 0.56, 0.61], oneSeed)).toEqual([]);
    // Two seeds far apart outweigh many networks that agree: seed means 0.4, 0.6 against 0.55, 0.65.
    expect(bestOf([0.4, 0.4, 0.6, 0.6], [0.55, 0.55, 0.65, 0.65], (i) => Math.floor(i / 2))).toEqual([]);
  });

  test("a method without a rival is not the best of anything", () => {
    expect(summarize(rowsOf([0.5, 0.51]))[0]!.best).toBe(false);
  });
});
