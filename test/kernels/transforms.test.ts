import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { inverseMultiquadricStretch } from "../../kernels/inverseMultiquadric.ts";
import { cauchyQuantile, laplaceQuantile } from "../../kernels/laws.ts";
import { maternStretch } from "../../kernels/matern.ts";
import { productFrequencies, radialFrequencies } from "../../kernels/frequencies.ts";
import { dmCase, expectSixDigits, sines } from "../losses/cases.ts";

const expected = dmCase<Record<string, number[]>>("I");
const z = sines([5], [0.8, 0.4, 1.3]);
const u = sines([5], [0.9, 0.2, 0.4, 0.5]);
const scale = 1.5;

describe("frequencies from given draws agree with reference values", () => {
  test.each([
    ["gaussian", 1 / scale],
    ["exponential_l2(g=0.6)", maternStretch(0.6 ** 2, 0.5, scale)],
    ["matern32(chi2_3=2.4)", maternStretch(2.4, 1.5, scale)],
    ["matern52(chi2_5=4.1)", maternStretch(4.1, 2.5, scale)],
    // τ = g/(aℓ²) = ½, at length ℓ√(2a); a cancels
    [
      "rational_quadratic(tau=0.5 ~ Gamma(a, rate a*l^2))",
      inverseMultiquadricStretch(0.5 * 0.75 * scale ** 2, scale * Math.sqrt(1.5)),
    ],
    ["cauchy(E=0.7 std exponential; tau=2E/l^2)", inverseMultiquadricStretch(0.7, scale)],
    // g of Gamma(½, 1) is half a squared normal
    ["imq(g=0.6; |g|z/c)", inverseMultiquadricStretch(0.6 ** 2 / 2, scale)],
  ])("%s", (name, stretch) => {
    expectSixDigits(
      z.map((v) => v * stretch),
      expected[name]!,
    );
  });

  test("laplacian and cauchyProduct, coordinate by coordinate", () => {
    expectSixDigits(
      u.map((v) => cauchyQuantile(v) / scale),
      expected["laplacian_l1(inverse-CDF Cauchy)"]!,
    );
    expectSixDigits(
      u.map((v) => laplaceQuantile(v) / scale),
      expected["cauchy_product(Laplace inverse-CDF)"]!,
    );
  });
});

test("a radial frequency has one stretch for the whole vector", () => {
  let draws = 0;
  const omega = radialFrequencies({ count: 3, width: 4, rng: seeded(1) }, () => 10 ** draws++);
  const plain = radialFrequencies({ count: 3, width: 4, rng: seeded(1) }, () => 1);
  expect(draws).toBe(3);
  expect(Array.from(omega)).toEqual(Array.from(plain.map((v, i) => v * 10 ** Math.floor(i / 4))));
});

test("a product frequency has one draw for each coordinate", () => {
  let draws = 0;
  expect(Array.from(productFrequencies({ count: 2, width: 3, rng: seeded(1) }, () => draws++))).toEqual([
    0, 1, 2, 3, 4, 5,
  ]);
});

test("counts and widths are whole numbers above zero", () => {
  expect(() => radialFrequencies({ count: 0, width: 3, rng: seeded(0) }, () => 1)).toThrow(
    "frequencies.count: expected a whole number >= 1",
  );
  expect(() => productFrequencies({ count: 3, width: 1.5, rng: seeded(0) }, () => 1)).toThrow(
    "frequencies.width: expected a whole number >= 1",
  );
});
