import { afterAll, describe, expect, test } from "@jest/globals";
import {
  cauchy,
  cauchyProduct,
  gaussian,
  inverseMultiquadric,
  type Kernel,
  laplacian,
  linear,
  matern,
  matern12,
  matern32,
  matern52,
  polynomial,
  product,
  rationalQuadratic,
  sum,
} from "../../kernels/index.ts";
import { absoluteDistances, distances, squaredDistances } from "../../kernels/distances.ts";
import { seeded } from "../../src/core/rng.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { kernelDiscrepancy, unbiasedKernelDiscrepancy } from "../../src/losses/kernelDiscrepancy.ts";
import { dmCase, expectSixDigits, sampleX, sampleY } from "../losses/cases.ts";
import { maternByBessel } from "./bessel.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const x = engine.tensor([4, 5], sampleX);
const y = engine.tensor([3, 5], sampleY);
const scale = 1.5;

interface Similarities {
  mean_kxx: number;
  mean_kyy: number;
  mean_kxy: number;
  mmd2_v: number;
  mmd2_u: number;
}
const cases = dmCase<Record<string, Similarities>>("A");

const byCase: Record<string, Kernel> = {
  gaussian: gaussian({ scale }),
  laplacian_l1: laplacian({ scale }),
  "exponential_l2(matern12)": matern12({ scale }),
  matern32: matern32({ scale }),
  matern52: matern52({ scale }),
  "rational_quadratic(a=0.75)": rationalQuadratic({ scale, shape: 0.75 }),
  cauchy: cauchy({ scale }),
  cauchy_product: cauchyProduct({ scale }),
  "imq(c=1.5)": inverseMultiquadric({ scale, exponent: 0.5 }),
  linear: linear(),
  "polynomial(gamma=0.2,c=1,q=3)": polynomial({ scale: Math.sqrt(5), offset: 1, degree: 3 }),
  "sum(0.5*gaussian+0.5*laplacian_l1)": sum([
    { weight: 1, kernel: gaussian({ scale }) },
    { weight: 1, kernel: laplacian({ scale }) },
  ]),
  "product(gaussian*matern32)": product([gaussian({ scale }), matern32({ scale })]),
};

describe.each(Object.entries(byCase))("%s", (name, kernel) => {
  const expected = cases[name]!;

  test("mean similarities agree with reference values", () => {
    expectSixDigits([kernel.gram(x, x).mean().item()], expected.mean_kxx);
    expectSixDigits([kernel.gram(y, y).mean().item()], expected.mean_kyy);
    expectSixDigits([kernel.gram(x, y).mean().item()], expected.mean_kxy);
  });

  test("discrepancies agree with reference values, biased and unbiased", () => {
    expectSixDigits([kernelDiscrepancy(x, y, kernel.gram).item()], expected.mmd2_v);
    expectSixDigits([unbiasedKernelDiscrepancy(x, y, kernel.gram).item()], expected.mmd2_u);
  });
});

describe("Matérn kernels of any smoothness", () => {
  test.each([0.25, 0.8, 1, 2, 3.5, 4.5, 10.5, 12.5, 30])(
    "agree with the Bessel form, ν = %d",
    (smoothness) => {
      const kernel = matern({ scale, smoothness });
      const radii = [0.01, 0.4, 1, 2.5, 6];
      const gram = kernel.gram(engine.tensor([5, 1], radii), engine.fill([1, 1], 0)).values();
      radii.forEach((r, i) => {
        const s = (Math.sqrt(2 * smoothness) * r) / scale;
        expect(Math.abs(gram[i]! - maternByBessel(smoothness, s))).toBeLessThan(1e-6);
      });
    },
  );

  test("change continuously between the closed form and the mixture", () => {
    for (const smoothness of [0.5, 1.5, 2.5, 5.5]) {
      const beside = matern({ scale, smoothness: smoothness + 1e-9 }).gram(x, y);
      expect(matern({ scale, smoothness }).gram(x, y).sub(beside).abs().max().item()).toBeLessThan(1e-6);
    }
  });

  test("tend to the Gaussian kernel as the smoothness grows", () => {
    const difference = matern({ scale, smoothness: 100 }).gram(x, y).sub(gaussian({ scale }).gram(x, y));
    expect(difference.abs().max().item()).toBeLessThan(0.01);
  });

  test("of smoothness out of range are refused", () => {
    expect(() => matern({ scale, smoothness: 0.1 })).toThrow(
      "matern.smoothness: expected 0.25 to 100, got 0.1",
    );
    expect(() => matern({ scale: NaN, smoothness: 1 })).toThrow(
      "matern.scale: expected a number > 0, got NaN",
    );
  });
});

describe("distances", () => {
  const points = engine.tensor([3, 2], [0, 0, 3, 4, 3, 0]);

  test("by hand", () => {
    expect(Array.from(distances(points, points).values())).toEqual([0, 5, 3, 5, 0, 4, 3, 4, 0]);
    expect(Array.from(absoluteDistances(points, points).values())).toEqual([0, 7, 3, 7, 0, 4, 3, 4, 0]);
  });

  test("squared, agree with sums over coordinates in 2048 dimensions", () => {
    const wide = (name: string) =>
      engine.tensor(
        [6, 2048],
        seeded(1)
          .stream(name)
          .fillNormal(new Float64Array(6 * 2048)),
      );
    const [a, b] = [wide("a"), wide("b")];
    const direct = a
      .reshape([6, 1, 2048])
      .sub(b.reshape([1, 6, 2048]))
      .square()
      .sum(2);
    expect(squaredDistances(a, b).div(direct).sub(1).abs().max().item()).toBeLessThan(1e-13);
  });

  test("survive in float32 an offset that all points share", () => {
    const single = torchEngine({ dtype: "float32" });
    const moved = single.tensor([3, 2], [1000, 1000, 1003, 1004, 1003, 1000]);
    const got = distances(moved, moved).values();
    [0, 5, 3, 5, 0, 4, 3, 4, 0].forEach((r, i) => expect(Math.abs(got[i]! - r)).toBeLessThan(1e-3));
    single.close();
  });

  test("have exact zeros between equal points in float32, and a gradient there that is zero", () => {
    const single = torchEngine({ dtype: "float32" });
    const features = single.tensor([8, 300], seeded(2).fillNormal(new Float32Array(2400)));
    const gram = distances(features, features).values();
    for (let i = 0; i < 8; i++) expect(gram[i * 9]).toBe(0);
    const { gradients } = single.gradients(
      (at) =>
        distances(at, single.tensor([1, 300], features.values().slice(0, 300)))
          .slice([0, 0], [1, 1])
          .sum(),
      [features],
    );
    expect(gradients[0]!.abs().max().item()).toBe(0);
    single.close();
  });
});

test("a sum draws from each of its kernels its share, to within one", () => {
  const constant = (value: number) => ({
    ...gaussian({ scale }),
    frequencies: (count: number, width: number) => new Float32Array(count * width).fill(value),
  });
  const mixed = sum([
    { weight: 1, kernel: constant(1) },
    { weight: 2, kernel: constant(2) },
    { weight: 4, kernel: constant(3) },
  ]);
  const shares = [0, 0, 0];
  for (let seed = 0; seed < 200; seed++) {
    const omega = mixed.frequencies(10, 2, seeded(seed));
    [1, 2, 3].forEach((value, i) => {
      const rows = omega.filter((v) => v === value).length / 2;
      expect(Math.abs(rows - (10 * 2 ** i) / 7)).toBeLessThan(1);
      shares[i]! += rows / 2000;
    });
  }
  // In expectation exactly the share; of 200 fractions with variance at most ¼ each.
  shares.forEach((share, i) =>
    expect(Math.abs(share - 2 ** i / 7)).toBeLessThan((5 * 0.5) / Math.sqrt(200) / 10),
  );
});

test("sums need weights above zero, and combinations kernels", () => {
  expect(() => sum([])).toThrow("sum: expected at least one kernel, got none");
  expect(() => product([])).toThrow("product: expected at least one kernel, got none");
  expect(() => sum([{ weight: -1, kernel: linear() }])).toThrow("sum.weight: expected a number > 0, got -1");
});
