import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { numpyPermutation } from "../../src/core/numpyRandom.ts";

const { numpy } = JSON.parse(
  readFileSync(new URL("../reference/longTail.json", import.meta.url), "utf8"),
) as {
  readonly numpy: {
    readonly orders: readonly {
      seed: number;
      count: number;
      first: number[];
      last: number[];
      moment: number;
    }[];
  };
};

test.each(numpy.orders)("gives NumPy's order of $count at seed $seed", ({ seed, count, ...expected }) => {
  const order = numpyPermutation(seed, count);
  expect([...order.subarray(0, 10)]).toEqual(expected.first);
  expect([...order.subarray(-5)]).toEqual(expected.last);
  expect(order.reduce((sum, value, i) => sum + i * value, 0)).toBe(expected.moment);
  expect(new Set(order).size).toBe(count);
});

test("refuses what NumPy has no generator for", () => {
  expect(() => numpyPermutation(2 ** 32, 3)).toThrow("seed: expected at most 4294967295, which NumPy takes");
  expect(() => numpyPermutation(-1, 3)).toThrow(
    "numpyPermutation: seed: expected a whole number >= 0, got -1",
  );
  expect(() => numpyPermutation(42, 1.5)).toThrow("numpyPermutation: count: expected a whole number >= 0");
});
