import { afterAll, expect, test } from "@jest/globals";
import { torchEngine } from "../../src/engines/torch/index.ts";
import type { Objective } from "../../src/objectives/objective.ts";
import { difficultyCorrection } from "../../src/plugins/difficultyCorrection.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

/** Its loss is the penalty on the gradient (3, 4), (12). */
const bare: Objective = {
  name: "bare",
  draw: (_, __, { step }) => ({ step }),
  loss: ({ images }, { step }, penalty) => {
    const gradient = [images.mul(engine.tensor([2], [3, 4])), images.slice([0], [1]).mul(12)];
    return penalty ? penalty(gradient, step) : engine.fill([], 0);
  },
};
const learned = { images: engine.tensor([2], [1, 1]) };

test.each([
  ["l2", 0.5 * 13], // √(9 + 16 + 144)
  ["squared", 0.5 * 169],
  ["sumOfNorms", 0.5 * (5 + 12)],
] as const)("the penalty of norm %s is λ times it", (norm, expected) => {
  const corrected = difficultyCorrection({ weight: 0.5, norm })(bare);
  expect(corrected.loss(learned, { step: 0 }).item()).toBeCloseTo(expected, 12);
  expect(corrected.name).toBe("bare+sdc");
});

test("corrections add up", () => {
  const twice = difficultyCorrection({ weight: 1, norm: "l2" })(
    difficultyCorrection({ weight: 2, norm: "squared" })(bare),
  );
  expect(twice.loss(learned, { step: 0 }).item()).toBeCloseTo(13 + 2 * 169, 10);
});

test("a gradient that vanishes has a penalty with a finite derivative", () => {
  const corrected = difficultyCorrection({ weight: 1, norm: "l2" })(bare);
  const zero = engine.tensor([2], [0, 0]);
  const { value, gradients } = engine.gradients(
    (images) => corrected.loss({ images: images! }, { step: 0 }),
    [zero],
  );
  expect(value.item()).toBeLessThan(1e-11);
  expect(Array.from(gradients[0]!.values())).toEqual([0, 0]);
});
