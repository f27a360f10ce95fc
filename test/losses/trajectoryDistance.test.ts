import { afterAll, expect, test } from "@jest/globals";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { trajectoryDistance } from "../../src/losses/trajectoryDistance.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const at = (...values: number[]) => [
  engine.tensor([2], values.slice(0, 2)),
  engine.tensor([1], values.slice(2)),
];
const start = at(0, 0, 0);
const target = at(1, 2, 2); // 9 away, squared

test("by hand", () => {
  expect(trajectoryDistance(start, start, target).item()).toBe(1);
  expect(trajectoryDistance(target, start, target).item()).toBe(0);
  expect(trajectoryDistance(at(1, 0, 1), start, target).item()).toBeCloseTo(5 / 9, 15);
});

test("the slope is twice the way that is left, in units of the expert's", () => {
  const { gradients } = engine.gradients((...end) => trajectoryDistance(end, start, target), at(1, 0, 1));
  expect(gradients.map((part) => Array.from(part.values(), (v) => v * 9))).toEqual([[0, -4], [-2]]);
});

test("start and target must differ", () => {
  expect(() => trajectoryDistance(target, start, start)).toThrow(
    "trajectoryDistance: expected a target away from the start, got a squared distance of 0",
  );
  expect(() => trajectoryDistance(target, start, at(NaN, 0, 0))).toThrow("got a squared distance of NaN");
});
