import { expect, test } from "@jest/globals";
import { continualSummary, type StepResult } from "../../src/evaluation/continual.ts";

const result = (
  order: number,
  network: number,
  accuracy: number,
  stepAccuracies: readonly number[],
): StepResult => ({ order, network, step: stepAccuracies.length - 1, accuracy, stepAccuracies });

/** Two orders, two networks each, three steps. */
const results = [
  result(0, 0, 1, [1]),
  result(0, 0, 0.75, [0.5, 1]),
  result(0, 0, 0.5, [0.25, 0.75, 0.5]),
  result(0, 1, 0.5, [0.5]),
  result(0, 1, 0.75, [1, 0.5]),
  result(0, 1, 0.5, [0.25, 0.25, 1]),
  result(7, 0, 1, [1]),
  result(7, 0, 0.5, [0.5, 0.5]),
  result(7, 0, 0.25, [0.25, 0.25, 0.25]),
  result(7, 1, 1, [1]),
  result(7, 1, 0.5, [0.5, 0.5]),
  result(7, 1, 0.25, [0.25, 0.25, 0.25]),
];

test("means and population deviations after each step are over orders and networks", () => {
  const { accuracies, final } = continualSummary(results, 3);
  expect(accuracies.map(({ mean, count }) => [mean, count])).toEqual([
    [0.875, 4],
    [0.625, 4],
    [0.375, 4],
  ]);
  // 1, 0.5, 1, 1: squared deviations 1/64 + 9/64 + 1/64 + 1/64 = 12/64, divided by n.
  expect(accuracies[0]!.std).toBe(Math.sqrt(12 / 64 / 4));
  expect(final).toEqual({ mean: 0.375, std: 0.125, count: 4 });
});

test("average incremental accuracy is the mean over the steps of each order and network", () => {
  // (1 + 0.75 + 0.5)/3, (0.5 + 0.75 + 0.5)/3 and twice (1 + 0.5 + 0.25)/3, that is 9, 7, 7 and 7 twelfths.
  const { average } = continualSummary(results, 3);
  expect(average.mean).toBeCloseTo(7.5 / 12, 12);
  expect(average.std).toBeCloseTo(Math.sqrt((2.25 + 3 * 0.25) / 4) / 12, 12);
  expect(average.count).toBe(4);
});

test("the matrix has the accuracy on the classes of each step after each step", () => {
  const { matrix } = continualSummary(results, 3);
  expect(matrix.map((row) => row.map(({ mean }) => mean))).toEqual([
    [0.875],
    [0.625, 0.625],
    [0.25, 0.375, 0.5],
  ]);
});

test("forgetting is the fall from the highest accuracy before the last step, of each order's mean", () => {
  // Order 0: the classes of step 0 are at 0.75, 0.75, 0.25, those of step 1 at 0.75, 0.5: (0.5 + 0.25)/2 = 0.375.
  // Order 7: 1, 0.5, 0.25 and 0.5, 0.25: (0.75 + 0.25)/2 = 0.5.
  const { forgetting } = continualSummary(results, 3);
  expect(forgetting.mean).toBeCloseTo(0.4375, 12);
  expect(forgetting.std).toBeCloseTo(0.0625, 12);
  expect(forgetting.count).toBe(2);
});

test("accuracy that grows is negative forgetting", () => {
  const grown = [result(0, 0, 0.25, [0.25]), result(0, 0, 0.5, [0.75, 0.25])];
  expect(continualSummary(grown, 2).forgetting.mean).toBe(-0.5);
});

test("of a single step nothing can be forgotten", () => {
  const { forgetting, average, final } = continualSummary([result(0, 0, 0.5, [0.5])], 1);
  expect(forgetting).toEqual({ mean: NaN, std: NaN, count: 0 });
  expect(average).toEqual(final);
});

test("networks whose training failed do not count, nor the average of their path", () => {
  const broken = results.map((one, i) =>
    i === 1 ? { ...one, accuracy: NaN, stepAccuracies: [NaN, NaN] } : one,
  );
  const { accuracies, average, matrix, forgetting } = continualSummary(broken, 3);
  expect(accuracies.map(({ count }) => count)).toEqual([4, 3, 4]);
  expect(average.count).toBe(3);
  expect(average.mean).toBeCloseTo(7 / 12, 12);
  expect(matrix[1]!.map(({ count }) => count)).toEqual([3, 3]);
  // Of order 0, step 1 now tells by its other network: 1 and 0.5 where it were 0.75 and 0.75.
  expect(forgetting.mean).toBeCloseTo(((0.75 + 0) / 2 + 0.5) / 2, 12);
});

test("a step that there is not, and accuracies of classes not seen yet, are refused", () => {
  expect(() => continualSummary(results, 2)).toThrow(
    "continualSummary: expected steps 0 to 1 with an accuracy for each step so far, got 3 after step 2",
  );
  expect(() => continualSummary([{ ...results[0]!, stepAccuracies: [1, 1] }], 3)).toThrow(
    /got 2 after step 0/,
  );
});
