import { expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { studentChunks } from "../../src/objectives/segments.ts";
import { drawnStartEpoch, snapshotsOf, startEpochBound } from "../../src/objectives/startEpochs.ts";
import { reference } from "../networks/chirp.ts";

const { case7_schedules: schedules } = reference<{
  case7_schedules: {
    bounds: { from: number; max: number; steps: number; values: [step: number, bound: number][] }[];
    chunks: { permutation: number[]; size: number; steps: number[][] };
  };
}>("tm.json");

test.each(schedules.bounds)(
  "starts grow from before $from to before $max",
  ({ from, max, steps, values }) => {
    for (const [step, bound] of values) {
      expect(startEpochBound({ min: 0, max, growth: { from, steps } }, step)).toBe(bound);
    }
  },
);

test("without growth all starts are there from the first step", () => {
  expect(startEpochBound({ min: 3, max: 7 }, 0)).toBe(7);
});

test("there is a start where growth begins below the first", () => {
  expect(startEpochBound({ min: 10, max: 50, growth: { from: 5, steps: 100 } }, 0)).toBe(11);
});

test("starts are uniform from the first on", () => {
  const rng = seeded(4);
  const counts = new Map<number, number>();
  for (let i = 0; i < 3000; i++) {
    const epoch = drawnStartEpoch({ min: 2, max: 5 }, 0, rng);
    counts.set(epoch, (counts.get(epoch) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([2, 3, 4]);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test("a run reads from its first start to M epochs after its last", () => {
  expect(snapshotsOf("x", { min: 2, max: 5 }, 3)).toEqual({ first: 2, last: 7 });
});

test.each([
  [{ min: 4, max: 4 }, "x.max: expected more than min, 4, got 4"],
  [{ min: 0, max: 4, growth: { from: 5, steps: 10 } }, "x.growth.from: expected at most max, 4, got 5"],
])("refuses %j", (epochs, message) => {
  expect(() => snapshotsOf("x", epochs, 2)).toThrow(message);
});

test("chunks are used from the last one on, and a new order follows", () => {
  const { permutation, size, steps } = schedules.chunks;
  let orders = 0;
  const found = studentChunks({ count: permutation.length, size, steps: steps.length }, () => {
    orders++;
    return Int32Array.from(permutation);
  });
  expect(found.map((chunk) => Array.from(chunk))).toEqual(steps);
  expect(orders).toBe(2);
});

test("all images are in each step where a chunk holds them all", () => {
  const found = studentChunks({ count: 4, size: 10, steps: 3 }, () => Int32Array.of(2, 0, 3, 1));
  expect(found.map((chunk) => Array.from(chunk))).toEqual(Array(3).fill([2, 0, 3, 1]));
});
