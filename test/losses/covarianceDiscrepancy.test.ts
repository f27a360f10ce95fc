import { afterAll, describe, expect, test } from "@jest/globals";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  covarianceDiscrepancy,
  covariancesOf,
  localCovariances,
  localMoments,
} from "../../src/losses/covarianceDiscrepancy.ts";
import { centralDifferences, dmCase, expectSixDigits, sineTensor } from "./cases.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
const single = torchEngine({ dtype: "float32", threads: 1 });
afterAll(() => {
  engine.close();
  single.close();
});

const expected = dmCase<{
  cov_real: number[][];
  cov_syn: number[][];
  raw_frobenius_sq: number;
  grad_raw_wrt_syn_local: number[][][];
  cov_syn_if_batch_is_1: number[][];
}>("F");

const real = sineTensor(engine, [4, 3, 4], [0.31, 0.2, 1, 0]);
const synthetic = sineTensor(engine, [2, 3, 4], [0.47, 0.6, 0.9, 0]);

test("by hand: two images at 1 and −1 around their mean, at two places, have variance 2", () => {
  const locals = engine.tensor([2, 1, 2], [4, 7, 2, 5]);
  expect(Array.from(localCovariances(locals, [2]).values())).toEqual([2]);
  expect(covarianceDiscrepancy(engine.fill([1, 1, 1], 5), locals, [2]).item()).toBe(9);
});

describe("against reference values", () => {
  test("the covariances of both sides", () => {
    expectSixDigits(localCovariances(real, [4]).values(), expected.cov_real.flat());
    expectSixDigits(localCovariances(synthetic, [2]).values(), expected.cov_syn.flat());
  });

  test("the discrepancy and its gradient", () => {
    const { value, gradients } = engine.gradients(
      (at) => covarianceDiscrepancy(localCovariances(real, [4]), at!, [2]),
      [synthetic],
    );
    expectSixDigits([value.item()], expected.raw_frobenius_sq);
    expectSixDigits(gradients[0]!.values(), expected.grad_raw_wrt_syn_local.flat(2));
  });

  test("in single precision, to four digits", () => {
    const locals = sineTensor(single, [2, 3, 4], [0.47, 0.6, 0.9, 0]);
    const covariances = localCovariances(sineTensor(single, [4, 3, 4], [0.31, 0.2, 1, 0]), [4]);
    const value = covarianceDiscrepancy(covariances, locals, [2]).item();
    expect(Math.abs(value / expected.raw_frobenius_sq - 1)).toBeLessThan(1e-4);
  });

  test("of one image the covariance is 0, and the gradient too", () => {
    const one = synthetic.slice([0, 0, 0], [1, 3, 4]);
    expect(Array.from(localCovariances(one, [1]).values())).toEqual(expected.cov_syn_if_batch_is_1.flat());
    const { gradients } = engine.gradients(
      (at) => covarianceDiscrepancy(localCovariances(real, [4]), at!, [1]),
      [one],
    );
    expect(Array.from(gradients[0]!.values()).every((value) => value === 0)).toBe(true);
  });
});

test("the gradient is that of central differences, with classes of different counts", () => {
  const stacked = sineTensor(engine, [5, 3, 2], [0.83, 0.1, 1.1, 0.3]);
  const target = localCovariances(sineTensor(engine, [6, 3, 2], [0.37, 0.9, 1, 0]), [2, 4]);
  const lossAt = (values: Float64Array): number =>
    covarianceDiscrepancy(target, engine.tensor([5, 3, 2], values), [3, 2]).item();
  const numeric = centralDifferences(lossAt, stacked.values());
  const { gradients } = engine.gradients((at) => covarianceDiscrepancy(target, at!, [3, 2]), [stacked]);
  gradients[0]!.values().forEach((value, i) => expect(value).toBeCloseTo(numeric[i]!, 8));
});

test("covariances come from moments and means of parts, too", () => {
  const moments = [
    localMoments(real.slice([0, 0, 0], [1, 3, 4]), [1]),
    localMoments(real.slice([1, 0, 0], [3, 3, 4]), [3]),
  ];
  const together = moments[0]!.mul(1 / 4).add(moments[1]!.mul(3 / 4));
  const found = covariancesOf(together, real.mean(0, true));
  expect(
    found
      .sub(localCovariances(real, [4]))
      .abs()
      .max()
      .item(),
  ).toBeLessThan(1e-13);
});

test("classes in one go are those of one class after another", () => {
  const even = localCovariances(real, [2, 2]);
  const apart = [0, 2].map((begin) => localCovariances(real.slice([begin, 0, 0], [2, 3, 4]), [2]));
  expect(even.sub(engine.concat(apart)).abs().max().item()).toBeLessThan(1e-14);
  const uneven = localCovariances(real, [1, 3]).slice([1, 0, 0], [1, 3, 3]);
  const alone = localCovariances(real.slice([1, 0, 0], [3, 3, 4]), [3]);
  expect(uneven.sub(alone).abs().max().item()).toBeLessThan(1e-14);
});

test("what does not fit together is said", () => {
  const covariances = localCovariances(real, [4]);
  expect(() => covarianceDiscrepancy(covariances, synthetic, [1, 1])).toThrow("classes is both 1 and 2");
  expect(() => covarianceDiscrepancy(covariances, synthetic.reshape([2, 4, 3]), [2])).toThrow(
    "c is both 3 and 4",
  );
  expect(() => localMoments(real, [3])).toThrow(
    "expected 4 rows as the features have, got counts [3] of sum 3",
  );
});
