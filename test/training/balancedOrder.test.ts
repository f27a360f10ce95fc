import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { seeded } from "../../src/core/rng.ts";
import { balancedOrder } from "../../src/training/balancedOrder.ts";

/** Positions of the images of classes so large, one class after another. */
function classesOf(counts: readonly number[]): Int32Array[] {
  let next = 0;
  return counts.map((count) => Int32Array.from({ length: count }, () => next++));
}

const counts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

test("an epoch is as long as if all classes were as large as the largest, and each comes as often, but for a turn", () => {
  fc.assert(
    fc.property(
      counts,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0 }),
      (sizes, consecutive, seed) => {
        const classes = classesOf(sizes);
        const order = balancedOrder(classes, consecutive)(seeded(seed));
        expect(order).toHaveLength(Math.max(...sizes) * sizes.length);
        const taken = classes.map((members) => order.filter((position) => members.includes(position)).length);
        expect(Math.max(...taken) - Math.min(...taken)).toBeLessThanOrEqual(consecutive);
      },
    ),
    { seed: 1, numRuns: 40 },
  );
});

test("classes take turns of consecutive images, each once in every round", () => {
  const classes = classesOf([12, 5, 3]);
  const labels = classes.flatMap(({ length }, label) => Array<number>(length).fill(label));
  const order = balancedOrder(classes, 4)(seeded(2));
  const turns = Array.from({ length: 9 }, (_, turn) => [
    ...new Set(Array.from(order.subarray(4 * turn, 4 * turn + 4), (position) => labels[position])),
  ]);
  expect(turns.every((seen) => seen.length === 1)).toBe(true);
  const rounds = [0, 3, 6].map((begin) => turns.slice(begin, begin + 3).flat());
  for (const round of rounds) expect([...round].sort()).toEqual([0, 1, 2]);
  expect(new Set(rounds.map((round) => round.join())).size).toBeGreaterThan(1);
});

test("a class shows all of its images before one comes again", () => {
  const classes = classesOf([20, 7]);
  const order = balancedOrder(classes, 4)(seeded(3));
  const members = Array.from(order.filter((position) => position >= 20));
  expect(members).toHaveLength(20);
  const rounds = [members.slice(0, 7), members.slice(7, 14)];
  for (const round of rounds) expect([...round].sort((a, b) => a - b)).toEqual(Array.from(classes[1]!));
  expect(rounds[0]).not.toEqual(rounds[1]);
  expect(new Set(order.filter((position) => position < 20)).size).toBe(20);
});

test("the same dice give the same order, others another", () => {
  const orderOf = balancedOrder(classesOf([9, 6, 3]), 4);
  expect(orderOf(seeded(4))).toEqual(orderOf(seeded(4)));
  expect(orderOf(seeded(5))).not.toEqual(orderOf(seeded(4)));
});

test("a class without images is an error", () => {
  expect(() => balancedOrder(classesOf([3, 0]), 4)).toThrow(
    "balancedOrder: class 1: expected at least 1 image, got none",
  );
  expect(() => balancedOrder(classesOf([3]), 0)).toThrow("balancedOrder.consecutive");
});
