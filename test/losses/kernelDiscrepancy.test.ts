import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { gaussian, laplacian, matern12, matern32, type StationaryKernel } from "../../kernels/index.ts";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { characteristicFunction, squaredDifference } from "../../src/losses/characteristic.ts";
import { kernelDiscrepancy, unbiasedKernelDiscrepancy } from "../../src/losses/kernelDiscrepancy.ts";
import { meanDiscrepancy } from "../../src/losses/meanDiscrepancy.ts";
import { dmCase, expectSixDigits, sampleX, sampleY } from "./cases.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const x = engine.tensor([4, 5], sampleX);
const y = engine.tensor([3, 5], sampleY);
const { gram } = gaussian({ scale: 1.5 });

test("the gradient under the Gaussian kernel agrees with reference values", () => {
  const expected = dmCase<{ gaussian_grad_mmd2_v_wrt_Y: number[][] }>("A").gaussian_grad_mmd2_v_wrt_Y.flat();
  const { gradients } = engine.gradients((at) => kernelDiscrepancy(x, at, gram), [y]);
  expectSixDigits(gradients[0]!.values(), expected);
});

test.each([
  ["biased", kernelDiscrepancy],
  ["unbiased", unbiasedKernelDiscrepancy],
] as const)(
  "leaving out the real block lowers the %s value by a constant and keeps the gradient",
  (_, loss) => {
    const whole = (at: Tensor): number => loss(x, at, gram).item();
    const part = (at: Tensor): number => loss(x, at, gram, { realBlock: false }).item();
    const elsewhere = y.mul(2).add(0.3);
    expect(whole(y) - part(y)).toBeCloseTo(whole(elsewhere) - part(elsewhere), 13);
    expect(whole(y) - part(y)).toBeGreaterThan(0.1);
    const gradients = [true, false].map(
      (realBlock) => engine.gradients((at) => loss(x, at, gram, { realBlock }), [y]).gradients[0]!,
    );
    expect(gradients[0]!.sub(gradients[1]!).abs().max().item()).toBeLessThan(1e-15);
  },
);

describe.each([
  ["gaussian", gaussian({ scale: 1.5 })],
  ["laplacian", laplacian({ scale: 3 })],
  ["matern12", matern12({ scale: 2 })],
  ["matern32", matern32({ scale: 1.5 })],
] as [string, StationaryKernel][])("under %s", (_, kernel) => {
  test("equals the mean squared difference of characteristic functions at its frequencies", () => {
    const count = 20_000;
    const omega = engine.tensor([count, 5], kernel.frequencies(count, 5, seeded(12)));
    const terms = squaredDifference(characteristicFunction(x, omega), characteristicFunction(y, omega));
    const mean = terms.mean().item();
    const standardError = Math.sqrt(terms.sub(mean).square().mean().item() / count);
    expect(Math.abs(mean - kernelDiscrepancy(x, y, kernel.gram).item())).toBeLessThan(5 * standardError);
  });

  test("is symmetric, zero on itself, and does not see the order of samples", () => {
    const value = kernelDiscrepancy(x, y, kernel.gram).item();
    expect(kernelDiscrepancy(y, x, kernel.gram).item()).toBeCloseTo(value, 13);
    expect(kernelDiscrepancy(x, x, kernel.gram).item()).toBeCloseTo(0, 13);
    const shuffled = x.gather(engine.indices([2, 0, 3, 1]));
    expect(kernelDiscrepancy(shuffled, y, kernel.gram).item()).toBeCloseTo(value, 13);
  });
});

test("is never negative with the real block", () => {
  const coordinates = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(coordinates, coordinates, (a, b) => {
      const loss = kernelDiscrepancy(engine.tensor([3, 2], a), engine.tensor([3, 2], b), gram);
      expect(loss.item()).toBeGreaterThan(-1e-13);
    }),
    { seed: 4, numRuns: 50 },
  );
});

test("times ℓ² tends to the squared distance of means as ℓ grows", () => {
  const scale = 1000;
  const loss = kernelDiscrepancy(x, y, gaussian({ scale }).gram).mul(scale ** 2);
  expect(loss.item() / meanDiscrepancy(x, y).item()).toBeCloseTo(1, 4);
});

test("the unbiased value averages to zero over samples of one law", () => {
  const rng = seeded(6);
  const values = Array.from({ length: 400 }, () => {
    const sample = (): Tensor => engine.tensor([6, 2], rng.fillNormal(new Float64Array(12)));
    return unbiasedKernelDiscrepancy(sample(), sample(), gram).item();
  });
  const mean = values.reduce((sum, v) => sum + v) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(variance / values.length));
});

test("the unbiased value needs two samples on each side", () => {
  expect(() => unbiasedKernelDiscrepancy(x, engine.fill([1, 5], 0), gram)).toThrow(
    "expected samples of at least 2, got 1",
  );
});
