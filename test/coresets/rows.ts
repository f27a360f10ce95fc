import { readFileSync } from "node:fs";
import { expect } from "@jest/globals";
import type { Rng } from "../../src/core/rng.ts";
import type { Rows } from "../../src/coresets/rows.ts";

const url = new URL("../reference/sampling-coresets.json", import.meta.url);

/** Expected numbers, of test/reference/sampling-coresets.json, which says where they are from. */
export const reference = JSON.parse(readFileSync(url, "utf8")) as {
  readonly coreset: Readonly<Record<string, number[]>> & { readonly kcenter_first: number };
  readonly forgetting: {
    readonly acc_per_epoch: number[][];
    readonly forgetting_events: (number | "Infinity")[];
  };
};

/** The features of the reference numbers: sin(0.7(5i + j) + 0.3 i²), 16 rows of 5. */
export const referenceRows: Rows = {
  values: Float64Array.from({ length: 80 }, (_, at) => Math.sin(0.7 * at + 0.3 * Math.floor(at / 5) ** 2)),
  width: 5,
};

/** Standard normal rows. */
export function randomRows(count: number, width: number, rng: Rng): Rows {
  return { values: rng.fillNormal(new Float64Array(count * width)), width };
}

/** Each number within 10^−digits of the expected one. */
export function expectClose(found: ArrayLike<number>, expected: readonly number[], digits: number): void {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, digits);
  });
}
