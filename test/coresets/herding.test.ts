import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { herdingForms, herdingOrder } from "../../src/coresets/herding.ts";
import { meanOfRows, normalizedRows, rowOf, type Rows } from "../../src/coresets/rows.ts";
import { expectClose, randomRows, reference, referenceRows } from "./rows.ts";

const { coreset } = reference;

/** ‖mean − mean of the chosen‖ after each pick. */
function distances(rows: Rows, order: readonly number[]): number[] {
  const mean = meanOfRows(rows);
  const sum = new Float64Array(rows.width);
  return order.map((at, m) => {
    rowOf(rows, at).forEach((value, j) => (sum[j]! += value));
    return Math.hypot(...sum.map((total, j) => mean[j]! - total / (m + 1)));
  });
}

describe("reference numbers", () => {
  test("of the features and their mean", () => {
    expectClose(rowOf(referenceRows, 0), coreset.F_row0!, 14);
    expectClose(rowOf(referenceRows, 15), coreset.F_row15!, 14);
    expectClose(meanOfRows(referenceRows), coreset.mean!, 14);
  });

  test("of iCaRL's form, and how near the chosen ones' mean comes", () => {
    const order = herdingOrder(referenceRows, { count: 8 });
    expect(order).toEqual(coreset.herding_icarl_order!);
    expectClose(distances(referenceRows, order), coreset.herding_icarl_dist!, 12);
  });

  test("of iCaRL's form on the unit sphere", () => {
    const order = herdingOrder(normalizedRows(referenceRows), { count: 8 });
    expect(order).toEqual(coreset.herding_icarl_order_l2norm!);
  });

  test.each([
    [false, coreset.herding_welling_noreplace!],
    [true, coreset.herding_welling_replace!],
  ])("of Welling's form, replacement %s", (replacement, expected) => {
    expect(herdingOrder(referenceRows, { count: 8, form: "welling", replacement })).toEqual(expected);
  });
});

describe.each(herdingForms)("herding in the form %s", (form) => {
  test("takes each point once, and the next only by what came before", () => {
    const rows = randomRows(40, 6, seeded(1));
    const order = herdingOrder(rows, { count: 40, form });
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(herdingOrder(rows, { count: 7, form })).toEqual(order.slice(0, 7));
  });

  test("has no more points than there are", () => {
    expect(herdingOrder(randomRows(3, 2, seeded(2)), { count: 9, form })).toHaveLength(3);
  });
});

test("iCaRL's next point is the best of all by direct search", () => {
  const rows = randomRows(25, 4, seeded(3));
  const order = herdingOrder(rows, { count: 10 });
  const open = new Set(Array.from({ length: 25 }, (_, i) => i));
  order.forEach((at, m) => {
    const before = order.slice(0, m);
    const scored = [...open].map((candidate) => ({
      candidate,
      distance: distances(rows, [...before, candidate]).at(-1)!,
    }));
    const best = scored.reduce((a, b) => (b.distance < a.distance ? b : a));
    expect(at).toBe(best.candidate);
    open.delete(at);
  });
});

test("both forms agree where all features have one length", () => {
  const sphere = normalizedRows(randomRows(60, 5, seeded(4)));
  const [icarl, welling] = herdingForms.map((form) => herdingOrder(sphere, { count: 20, form }));
  expect(welling).toEqual(icarl);
});

test("the mean to follow can be another one than that of the points", () => {
  const rows: Rows = { values: Float64Array.of(0, 1, 2, 3), width: 1 };
  expect(herdingOrder(rows, { count: 1, mean: [2.9] })).toEqual([3]);
  expect(herdingOrder(rows, { count: 2, mean: [0.4] })).toEqual([0, 1]);
});
