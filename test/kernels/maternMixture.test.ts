import { describe, expect, test } from "@jest/globals";
import { gaussianMixture, logGamma } from "../../kernels/maternMixture.ts";
import { bessel, maternByBessel } from "./bessel.ts";

describe("the road to compare with: K_ν by its integral", () => {
  test("agrees with tabulated values of whole orders", () => {
    // Abramowitz and Stegun, table 9.8
    expect(bessel(0, 1)).toBeCloseTo(0.4210244382, 10);
    expect(bessel(1, 1)).toBeCloseTo(0.601907230197, 11);
    expect(bessel(0, 2)).toBeCloseTo(0.1138938727, 10);
    expect(bessel(1, 2)).toBeCloseTo(0.139865881817, 11);
  });

  test("satisfies the recurrence in the order, K_{ν+1} = K_{ν−1} + 2ν/s K_ν", () => {
    for (const [nu, s] of [
      [1.3, 0.4],
      [3.7, 2.5],
      [8, 6],
    ] as const) {
      const right = bessel(nu - 1, s) + ((2 * nu) / s) * bessel(nu, s);
      expect(bessel(nu + 1, s) / right).toBeCloseTo(1, 11);
    }
  });
});

describe.each([0.25, 0.5, 0.75, 1, 1.3, 2, 3.7, 8, 20, 50, 100])("mixture of smoothness %d", (nu) => {
  const { weights, precisions } = gaussianMixture(nu);
  const mixture = (s: number): number =>
    weights.reduce((sum, weight, j) => sum + weight * Math.exp(-precisions[j]! * s * s), 0);

  test("is within 1e-6 of the Bessel form", () => {
    for (const s of [1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 0.5, 1, 1.7, 3, 5, 8, 12, 20, 30]) {
      expect(Math.abs(mixture(s) - maternByBessel(nu, s))).toBeLessThan(1e-6);
    }
  });

  test("has positive weights of sum 1, and so is a kernel itself", () => {
    expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
    expect(mixture(0)).toBeCloseTo(1, 14);
  });

  test("has few enough terms to evaluate", () => {
    expect(weights.length).toBeLessThan(200);
  });
});

test("ln Γ agrees with factorials and with Γ(½) = √π", () => {
  let factorial = 1;
  for (let n = 1; n < 30; n++) {
    expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 11);
    factorial *= n;
  }
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
});
