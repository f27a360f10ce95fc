import { afterAll, describe, expect, test } from "@jest/globals";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { type Centralization, classCentralization } from "../../src/losses/classCentralization.ts";
import { classCentered } from "../../src/losses/segments.ts";
import { centralDifferences, dmCase, expectSixDigits, sineTensor } from "./cases.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const expected = dmCase<{
  sq_dist: number[];
  "code_DM(0.05*sum)": number;
  hinge_exp_sum: number;
  grad_of_sum_sq_dist_wrt_feat: number[][];
}>("E");

const features = sineTensor(engine, [3, 5], [0.9, 0.25, 1.2, 0]);
const quadratic: Centralization = { form: "quadratic", a: 0.02, beta: 1.05, center: "moving" };
const hingeExp: Centralization = { ...quadratic, form: "hingeExp" };

test("by hand: features 0 and 4 lie 2 from their center, and one alone lies in it", () => {
  const stacked = engine.tensor([3, 1], [0, 4, 7]);
  expect(classCentralization(stacked, [2, 1], quadratic).item()).toBe(8);
  expect(classCentralization(stacked, [2, 1], { ...hingeExp, a: 0.25, beta: 1 }).item()).toBeCloseTo(
    2 * (Math.E - 1),
    14,
  );
});

describe("against reference values", () => {
  test("the quadratic form and its gradient, whether the center moves or not", () => {
    for (const center of ["moving", "fixed"] as const) {
      const { value, gradients } = engine.gradients(
        (at) => classCentralization(at!, [3], { ...quadratic, center }),
        [features],
      );
      expectSixDigits([value.item() * 0.05], expected["code_DM(0.05*sum)"]);
      expectSixDigits(
        [value.item()],
        expected.sq_dist.reduce((sum, d) => sum + d),
      );
      expectSixDigits(gradients[0]!.values(), expected.grad_of_sum_sq_dist_wrt_feat.flat());
    }
  });

  test("the hinge of the exponential", () => {
    expectSixDigits([classCentralization(features, [3], hingeExp).item()], expected.hinge_exp_sum);
  });
});

describe("the gradient of the hinge", () => {
  const options: Centralization = { ...hingeExp, a: 0.3, beta: 2.5 };
  const gradientOf = (center: Centralization["center"]): number[] =>
    Array.from(
      engine
        .gradients((at) => classCentralization(at!, [3], { ...options, center }), [features])
        .gradients[0]!.values(),
    );

  test("is that of central differences where the center moves", () => {
    const numeric = centralDifferences(
      (at) => classCentralization(engine.tensor([3, 5], at), [3], options).item(),
      features.values(),
    );
    // One of the three is nearer than the margin.
    expect(expected.sq_dist.map((d) => Math.exp(0.3 * d) > 2.5)).toEqual([true, false, false]);
    gradientOf("moving").forEach((value, i) => expect(value).toBeCloseTo(numeric[i]!, 8));
  });

  test("is 2 sᵢ (gᵢ − ḡ) where it is fixed", () => {
    const centered = Array.from(classCentered(features, [3]).values());
    const slopes = expected.sq_dist.map((d) => (Math.exp(0.3 * d) > 2.5 ? 0.3 * Math.exp(0.3 * d) : 0));
    gradientOf("fixed").forEach((value, i) =>
      expect(value).toBeCloseTo(2 * slopes[Math.floor(i / 5)]! * centered[i]!, 4),
    );
  });

  test("stays finite for features so far apart that the exponential does not", () => {
    const far = engine.tensor([2, 1], [-1e4, 1e4]);
    const found = engine.gradients((at) => classCentralization(at!, [2], hingeExp), [far]);
    expect(found.value.item()).toBeCloseTo(2 * (Math.exp(30) - 1.05), 0);
    expect(Array.from(found.gradients[0]!.values()).every(Number.isFinite)).toBe(true);
  });
});

test("classes of different counts are those of one class after another", () => {
  const stacked = sineTensor(engine, [6, 5], [0.9, 0.25, 1.2, 0]);
  for (const options of [quadratic, hingeExp]) {
    const apart = [
      [0, 1],
      [1, 3],
      [4, 2],
    ].map(([begin, count]) =>
      classCentralization(stacked.slice([begin!, 0], [count!, 5]), [count!], options).item(),
    );
    expect(classCentralization(stacked, [1, 3, 2], options).item()).toBeCloseTo(
      apart.reduce((sum, one) => sum + one),
      12,
    );
  }
  expect(() => classCentralization(stacked, [3, 2], quadratic)).toThrow("got counts [3, 2] of sum 5");
});
