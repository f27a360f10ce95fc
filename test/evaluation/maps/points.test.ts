import { expect, test } from "@jest/globals";
import {
  checkPoints,
  nearestPoints,
  neighborsKept,
  type Points,
  pointsAt,
} from "../../../src/evaluation/maps/index.ts";
import { seeded } from "../../../src/core/rng.ts";

const onLine = (...values: number[]): Points => ({ values: Float64Array.from(values), width: 1 });

test("the nearest points come nearest first, and of equal ones the first", () => {
  const nearest = nearestPoints(onLine(0, 1, 3, 7, -1), 2);
  expect(nearest.map((own) => Array.from(own))).toEqual([
    [1, 4], // both at 1
    [0, 2], // 1, then 2 and 2
    [1, 0],
    [2, 1],
    [0, 1],
  ]);
});

test("of neighborhoods, what is the same on both sides counts", () => {
  const line = onLine(0, 1, 2, 3);
  expect(neighborsKept(line, line, 2)).toBe(1);
  expect(neighborsKept(line, onLine(0, -1, -2, -3), 2)).toBe(1); // mirrored
  // Nearest of 0, 1, 10, 11 are 1, 0, 11, 10; of 0, 10, 1, 11 they are 10, …: none is kept.
  expect(neighborsKept(onLine(0, 1, 10, 11), onLine(0, 10, 1, 11), 1)).toBe(0);
  // 3 and 4 stay each other's nearest; 0 and 1 get 2 in the place of each other, and 2 keeps 1.
  expect(neighborsKept(onLine(0, 1, 2.1, 30, 31), onLine(0, 4, 2.1, 30, 31), 1)).toBeCloseTo(3 / 5, 12);
});

test("of unrelated places as many neighbors are kept as by chance", () => {
  const rng = seeded(3);
  const [n, count] = [400, 10];
  const random = (width: number): Points => ({ values: rng.fillNormal(new Float64Array(n * width)), width });
  const share = neighborsKept(random(5), random(2), count);
  const chance = count / (n - 1);
  // Of n × 10 neighbors; those of one point hang together a little.
  expect(Math.abs(share - chance)).toBeLessThan(5 * Math.sqrt((chance * (1 - chance)) / (n * count)));
});

test("points are taken by their positions", () => {
  const points = { values: Float64Array.from([1, 2, 3, 4, 5, 6]), width: 2 };
  expect(Array.from(pointsAt(points, [2, 0]).values)).toEqual([5, 6, 1, 2]);
});

test("what is wrong is said", () => {
  expect(() => checkPoints("here", { values: new Float64Array(5), width: 2 })).toThrow(
    "here: expected rows of a width above 0, got 5 numbers of width 2",
  );
  expect(() => checkPoints("here", onLine(1), 2)).toThrow("here: expected at least 2 points, got 1");
  expect(() => checkPoints("here", { values: Float64Array.of(1, 2, 3, NaN), width: 2 })).toThrow(
    "here: expected finite numbers, got NaN in point 1",
  );
  expect(() => nearestPoints(onLine(1, 2), 2)).toThrow(
    "nearestPoints.count: expected fewer than the 2 points, got 2",
  );
  expect(() => neighborsKept(onLine(1, 2, 3), onLine(1, 2), 1)).toThrow(
    "neighborsKept: expected as many places as the 3 points, got 2",
  );
});
