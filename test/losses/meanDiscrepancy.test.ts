import { afterAll, describe, expect, test } from "@jest/globals";
import { linear } from "../../kernels/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { kernelDiscrepancy } from "../../src/losses/kernelDiscrepancy.ts";
import { classMeanDiscrepancy, meanDiscrepancy } from "../../src/losses/meanDiscrepancy.ts";
import { classMeans } from "../../src/losses/segments.ts";
import { dmCase, expectSixDigits, sampleX, sampleY, sineTensor } from "./cases.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const cases = dmCase<{
  per_class: number[];
  loss_sum: number;
  grad_wrt_each_syn_feature_class0: number[];
  grad_wrt_each_syn_feature_class1: number[];
}>("D");

const real = sineTensor(engine, [8, 5], [0.37, 0.1, 1, 0]);
const synthetic = sineTensor(engine, [6, 5], [0.53, 0.4, 0.9, 0.05]);
const realMeans = classMeans(real, [4, 4]);

test("by hand: means (2, 1) and (0, 0) are 5 apart, squared", () => {
  const a = engine.tensor([2, 2], [1, 1, 3, 1]);
  const b = engine.tensor([1, 2], [0, 0]);
  expect(meanDiscrepancy(a, b).item()).toBe(5);
});

describe("against reference values", () => {
  test("the discrepancy of each class", () => {
    cases.per_class.forEach((expected, label) => {
      const loss = meanDiscrepancy(
        real.slice([4 * label, 0], [4, 5]),
        synthetic.slice([3 * label, 0], [3, 5]),
      );
      expectSixDigits([loss.item()], expected);
    });
  });

  test("the sum over classes and its gradient, the same for every feature of a class", () => {
    const { value, gradients } = engine.gradients(
      (at) => classMeanDiscrepancy(realMeans, at, [3, 3]),
      [synthetic],
    );
    expectSixDigits([value.item()], cases.loss_sum);
    const rows = [cases.grad_wrt_each_syn_feature_class0, cases.grad_wrt_each_syn_feature_class1];
    expectSixDigits(
      gradients[0]!.values(),
      rows.flatMap((row) => [...row, ...row, ...row]),
    );
  });
});

test("is the discrepancy under the linear kernel", () => {
  const [x, y] = [engine.tensor([4, 5], sampleX), engine.tensor([3, 5], sampleY)];
  expect(meanDiscrepancy(x, y).item()).toBeCloseTo(kernelDiscrepancy(x, y, linear().gram).item(), 12);
});

describe("class means", () => {
  const stacked = engine.tensor([4, 1], [1, 3, 10, 20]);

  test("by hand, of equal and of different counts", () => {
    expect(Array.from(classMeans(stacked, [2, 2]).values())).toEqual([2, 15]);
    expect(Array.from(classMeans(stacked, [1, 3]).values())).toEqual([1, 11]);
  });

  test("of different counts agree with one class at a time, gradient too", () => {
    const uneven = [1, 4, 3];
    const weights = sineTensor(engine, [3, 5], [0.9, 0.3, 1, 0]);
    const together = engine.gradients((at) => classMeans(at, uneven).mul(weights).sum(), [real]);
    const apart = engine.gradients(
      (at) => {
        const means = [at.slice([0, 0], [1, 5]), at.slice([1, 0], [4, 5]), at.slice([5, 0], [3, 5])];
        return engine
          .concat(means.map((rows) => rows.mean(0, true)))
          .mul(weights)
          .sum();
      },
      [real],
    );
    expect(together.value.item()).toBeCloseTo(apart.value.item(), 13);
    expect(together.gradients[0]!.sub(apart.gradients[0]!).abs().max().item()).toBeLessThan(1e-14);
  });

  test("need counts that sum to the rows", () => {
    expect(() => classMeans(stacked, [1, 2])).toThrow(
      "expected 4 rows as the features have, got counts [1, 2] of sum 3",
    );
    expect(() => classMeans(stacked, [4, 0])).toThrow("expected a whole number >= 1, got 0");
    expect(() => classMeans(stacked, [])).toThrow("got counts [] of sum 0");
  });
});

test("both sides have the same classes and the same width", () => {
  expect(() => classMeanDiscrepancy(realMeans, synthetic, [6])).toThrow("classes is both 2 and 1");
  expect(() => meanDiscrepancy(real, engine.fill([3, 4], 0))).toThrow("d is both 5 and 4");
});
