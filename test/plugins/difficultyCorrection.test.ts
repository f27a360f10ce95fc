import { afterAll, expect, test } from "@jest/globals";
import type { z } from "zod";
import { torchEngine } from "../../src/engines/torch/index.ts";
import type { Objective } from "../../src/objectives/objective.ts";
import {
  correctionWeight,
  difficultyCorrection,
  difficultyCorrectionOptions,
} from "../../src/plugins/difficultyCorrection.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

/** Its loss is the penalty on the gradient (3, 4), ((12)); on that of clean images, ten times it. */
const bare: Objective = {
  name: "bare",
  draw: (_, __, { step }) => ({ step }),
  loss: ({ images }, { step }, { augmented, clean } = {}) => {
    const gradient = [images.mul(engine.tensor([2], [3, 4])), images.slice([0], [1]).mul(12).reshape([1, 1])];
    const zero = engine.fill([], 0);
    return (augmented?.(gradient, step) ?? zero).add(clean?.(gradient, step).mul(10) ?? zero);
  },
};
const learned = { images: engine.tensor([2], [1, 1]) };

function corrected(given: z.input<typeof difficultyCorrectionOptions>, inner = bare): Objective {
  return difficultyCorrection(difficultyCorrectionOptions.parse(given))(inner);
}

test.each([
  ["l2", 0.5 * 13], // √(9 + 16 + 144)
  ["squared", 0.5 * 169],
  ["sumOfNorms", 0.5 * (5 + 12)],
  ["meanOfNorms", 0.25 * (5 + 12)],
] as const)("the penalty of norm %s is λ times it", (norm, expected) => {
  const objective = corrected({ weight: 0.5, norm });
  expect(objective.loss(learned, { step: 0 }).item()).toBeCloseTo(expected, 12);
  expect(objective.name).toBe("bare+sdc");
});

test("of weights alone, vectors count nothing", () => {
  const objective = corrected({ weight: 0.5, tensors: "weights" });
  expect(objective.loss(learned, { step: 0 }).item()).toBeCloseTo(6, 12);
});

test("the gradient on images as they are is another one", () => {
  const objective = corrected({ weight: 0.5, images: "clean" });
  expect(objective.loss(learned, { step: 0 }).item()).toBeCloseTo(65, 12);
});

test("corrections add up", () => {
  const twice = corrected(
    { weight: 1 },
    corrected({ weight: 2, norm: "squared" }, corrected({ weight: 3, images: "clean" })),
  );
  expect(twice.loss(learned, { step: 0 }).item()).toBeCloseTo(13 + 2 * 169 + 3 * 130, 10);
});

test("a gradient that vanishes has a penalty with a finite derivative", () => {
  const zero = engine.tensor([2], [0, 0]);
  const { value, gradients } = engine.gradients(
    (images) => corrected({ weight: 1 }).loss({ images: images! }, { step: 0 }),
    [zero],
  );
  expect(value.item()).toBeLessThan(1e-11);
  expect(Array.from(gradients[0]!.values())).toEqual([0, 0]);
});

// Case 9 of the reference.
const dsa = { weight: 0.0002, rise: { to: 0.002, steps: 1000, law: "log" } } as const;
const dsac = { weight: 0.002, rise: { to: 0.008, steps: 10_000, law: "log" } } as const;
const geometric = <T extends typeof dsa | typeof dsac>({ weight, rise }: T) =>
  ({ weight, rise: { ...rise, law: "geometric" } }) as const;
test.each([
  [dsa, { 0: 0.0002, 1: 0.000380591867, 10: 0.000824745215, 100: 0.00140241884, 250: 0.00163959593 }],
  [dsa, { 500: 0.00181966828, 1000: 0.002, 5000: 0.002 }],
  [geometric(dsa), { 0: 0.0002, 1: 0.000200461048, 10: 0.000204658598, 100: 0.000251785082 }],
  [geometric(dsa), { 500: 0.000632455532, 1000: 0.002 }],
  [dsac, { 1: 0.00245154009, 100: 0.00500644942, 2500: 0.0070971152, 10_000: 0.008 }],
  [geometric(dsac), { 100: 0.00202791896, 1000: 0.00229739671, 5000: 0.004, 99_999: 0.008 }],
])("λ rises as %j says", (options, expected) => {
  for (const [step, value] of Object.entries(expected)) {
    expect(Math.abs(correctionWeight(options, Number(step)) / value - 1)).toBeLessThan(1e-8);
  }
});

test("a rising weight is that of the step", () => {
  const objective = corrected({ weight: 0, rise: { to: 2, steps: 3 } });
  expect(objective.name).toBe("bare+asdc");
  expect(objective.loss(learned, { step: 0 }).item()).toBe(0);
  expect(objective.loss(learned, { step: 1 }).item()).toBeCloseTo(13, 12); // 2 ln 2 / ln 4
  expect(objective.loss(learned, { step: 9 }).item()).toBeCloseTo(26, 12);
});

test("a geometric rise cannot begin at 0", () => {
  expect(() => corrected({ weight: 0, rise: { to: 1, steps: 3, law: "geometric" } })).toThrow(
    /weight: expected more than 0 for a geometric rise, got 0/,
  );
});
