import { expect } from "@jest/globals";
import type { Engine } from "../../src/engines/index.ts";

/**
 * Largest error to accept, as a share of the largest expected value (at least 1): some hundred rounding errors of the
 * type. Gradients sum up more of them than values do.
 */
export function tolerance(dtype: Engine["dtype"], of: "values" | "gradients" = "values"): number {
  const table = {
    float64: { values: 1e-13, gradients: 1e-12 },
    float32: { values: 1e-5, gradients: 1e-4 },
  };
  return table[dtype][of];
}

/** Fails with a line for each element further away than `bound` times the largest expected value (at least 1). */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, bound: number): void {
  expect(actual.length).toBe(expected.length);
  const wanted = Array.from(expected);
  const scale = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  const wrong = wanted.flatMap((value, i) =>
    Object.is(actual[i], value) || Math.abs(actual[i]! - value) <= bound * scale
      ? []
      : [`${i}: ${actual[i]} instead of ${value}`],
  );
  expect(wrong).toEqual([]);
}
