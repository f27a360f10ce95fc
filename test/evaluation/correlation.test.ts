import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { pearson, spearman } from "../../src/evaluation/correlation.ts";

test("Pearson's correlation by hand", () => {
  // Deviations (−1, 0, 1) and (−1, 2, −1): their product sums to 0. With (−1, 0, 1) and (−2, −1, 3): 5 / √(2 · 14).
  expect(pearson([1, 2, 3], [0, 3, 0])).toBe(0);
  expect(pearson([1, 2, 3], [0, 1, 5])).toBeCloseTo(5 / Math.sqrt(28), 15);
});

test("Spearman's correlation by hand, with ties that share their rank", () => {
  expect(spearman([1, 2, 3, 4], [1, 10, 100, 1000])).toBe(1);
  expect(spearman([1, 2, 3], [5, 4, 3])).toBe(-1);
  // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: deviations (−1.5, 0, 0, 1.5) and (−1.5, −0.5, 0.5, 1.5), 4.5 / √(4.5 · 5).
  expect(spearman([0, 7, 7, 9], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 15);
});

const pairs = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
  minLength: 2,
  maxLength: 20,
});

test("correlations are symmetric, within −1 to 1, and know no shift or scale; ranks know no monotone map", () => {
  fc.assert(
    fc.property(pairs, (drawn) => {
      const [x, y] = [drawn.map(([a]) => a), drawn.map(([, b]) => b)];
      for (const correlation of [pearson, spearman]) {
        const found = correlation(x, y);
        if (Number.isNaN(found)) {
          expect(new Set(x).size === 1 || new Set(y).size === 1).toBe(true);
          return;
        }
        expect(Math.abs(found)).toBeLessThanOrEqual(1);
        expect(correlation(y, x)).toBeCloseTo(found, 12);
        expect(
          correlation(
            x.map((v) => 3 * v - 5),
            y,
          ),
        ).toBeCloseTo(found, 12);
      }
      expect(
        spearman(
          x.map((v) => v ** 3),
          y,
        ),
      ).toBeCloseTo(spearman(x, y), 12);
    }),
    { seed: 1 },
  );
});

test("a measure that does not vary has no correlation, and pairs are at least two", () => {
  expect(pearson([1, 1, 1], [1, 2, 3])).toBeNaN();
  expect(spearman([1, 2, 3], [4, 4, 4])).toBeNaN();
  expect(() => pearson([1], [1])).toThrow("expected 2 or more pairs, got 1 and 1 values");
  expect(() => spearman([1, 2], [1, 2, 3])).toThrow("expected 2 or more pairs, got 2 and 3 values");
});
