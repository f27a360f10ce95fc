import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { kCenter } from "../../src/coresets/kCenter.ts";
import { rowOf, type Rows } from "../../src/coresets/rows.ts";
import { expectClose, randomRows, reference, referenceRows } from "./rows.ts";

const { coreset } = reference;

/** max over all rows of the distance to the nearest of some, by direct search. */
function radius(rows: Rows, chosen: readonly number[]): number {
  const count = rows.values.length / rows.width;
  const distance = (a: number, b: number): number =>
    Math.hypot(...Array.from(rowOf(rows, a), (value, j) => value - rowOf(rows, b)[j]!));
  const nearest = Array.from({ length: count }, (_, i) => Math.min(...chosen.map((at) => distance(i, at))));
  return Math.max(...nearest);
}

describe("reference numbers", () => {
  test("of the order from the row nearest to the mean, and its radii", () => {
    const { order, radii } = kCenter(referenceRows, { count: 8 });
    expect(order[0]).toBe(coreset.kcenter_first);
    expect(order).toEqual(coreset.kcenter_order);
    expectClose(radii, coreset.kcenter_radius_before_pick!, 12);
  });

  test("of the order from the first row", () => {
    expect(kCenter(referenceRows, { count: 8, first: 0 }).order).toEqual(coreset.kcenter_order_first0);
  });
});

test("radii are those of direct search, and never grow", () => {
  const rows = randomRows(30, 3, seeded(1));
  const { order, radii } = kCenter(rows, { count: 30 });
  expectClose(
    radii,
    radii.map((_, i) => radius(rows, order.slice(0, i + 1))),
    12,
  );
  expect([...radii].sort((a, b) => b - a)).toEqual(radii);
  expect(new Set(order).size).toBe(30);
});

test("no three points have a radius below half of the greedy one", () => {
  const rows = randomRows(14, 2, seeded(2));
  const greedy = radius(rows, kCenter(rows, { count: 3 }).order);
  let best = Infinity;
  for (let a = 0; a < 14; a++) {
    for (let b = a + 1; b < 14; b++) {
      for (let c = b + 1; c < 14; c++) best = Math.min(best, radius(rows, [a, b, c]));
    }
  }
  expect(greedy).toBeLessThanOrEqual(2 * best);
  expect(greedy).toBeGreaterThanOrEqual(best);
});

test("points that are all equal are taken one after another", () => {
  expect(kCenter({ values: new Float64Array(8).fill(1), width: 2 }, { count: 3 }).order).toEqual([0, 1, 2]);
});

test("a first position that is none is an error", () => {
  expect(() => kCenter(referenceRows, { count: 2, first: 16 })).toThrow(
    "kCenter.first: expected a position from 0 to 15, got 16",
  );
});
