import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { classSteps } from "../../src/datasets/classSteps.ts";

const reference = JSON.parse(readFileSync("test/reference/sampling-continual.json", "utf8")) as {
  readonly orders: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
};
const orders = Object.entries(reference.orders).flatMap(([classes, bySeed]) =>
  Object.entries(bySeed).map(([seed, order]) => ({ classes: Number(classes), seed: Number(seed), order })),
);

test("there are reference orders of 10 and of 100 classes, five each", () => {
  expect(orders.map(({ classes }) => classes)).toEqual([10, 10, 10, 10, 10, 100, 100, 100, 100, 100]);
});

test.each(orders)("seed $seed orders $classes classes as NumPy does", ({ classes, seed, order }) => {
  expect(classSteps(classes, { steps: 1, seed })).toEqual([order]);
  const five = classSteps(classes, { steps: 5, seed });
  expect(five.map((step) => step.length)).toEqual(five.map(() => classes / 5));
  expect(five.flat()).toEqual(order);
});

test("steps are cut from the order one after another", () => {
  expect(classSteps(10, { steps: 5, seed: 0 })).toEqual([
    [2, 8],
    [4, 9],
    [1, 6],
    [7, 3],
    [0, 5],
  ]);
});

test.each([
  [10, 3, "1, 2, 5; got 3"],
  [10, 10, "1, 2, 5; got 10"],
  [7, 2, "1; got 2"],
])("%i classes cannot be learned in %i steps", (classes, steps, said) => {
  expect(() => classSteps(classes, { steps, seed: 0 })).toThrow(
    `steps: expected a number that cuts ${classes} classes into steps of one size, two classes or more: ${said}`,
  );
});

test("there is at least one step", () => {
  expect(() => classSteps(10, { steps: 0, seed: 0 })).toThrow(
    /classSteps.steps: expected a whole number >= 1/,
  );
});
