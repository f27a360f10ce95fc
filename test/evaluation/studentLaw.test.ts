import { describe, expect, test } from "@jest/globals";
import { regularizedBeta, studentQuantile, studentTail } from "../../src/evaluation/studentLaw.ts";

describe("the incomplete beta function", () => {
  test("has its closed forms", () => {
    for (const x of [0, 0.01, 0.3, 0.5, 0.77, 0.999, 1]) {
      expect(regularizedBeta(x, 1, 1)).toBeCloseTo(x, 12);
      expect(regularizedBeta(x, 3, 1)).toBeCloseTo(x ** 3, 12);
      expect(regularizedBeta(x, 2, 2)).toBeCloseTo(x * x * (3 - 2 * x), 12);
      expect(regularizedBeta(x, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(x)), 12);
    }
  });

  test("is the integral of its density", () => {
    // Midpoint rule after u = v², which takes the root at 0 out of the density of a = 1/2.
    const [x, a, b, points] = [0.37, 4.5, 0.5, 20_000];
    const integral = (to: number): number => {
      const h = Math.sqrt(to) / points;
      const density = (v: number): number => 2 * v ** (2 * a - 1) * (1 - v * v) ** (b - 1);
      return Array.from({ length: points }, (_, i) => density((i + 0.5) * h) * h).reduce((s, d) => s + d);
    };
    const complete = (105 / 384) * Math.PI; // B(9/2, 1/2) = Γ(9/2)Γ(1/2)/Γ(5) = (105√π/16)√π/24
    expect(regularizedBeta(x, a, b)).toBeCloseTo(integral(x) / complete, 8);
  });
});

describe("Student's quantile", () => {
  test.each([
    [1, 12.7062],
    [2, 4.30265],
    [4, 2.77645],
    [10, 2.22814],
    [30, 2.04227],
    [1e9, 1.95996],
  ])("at 95 %% and %d degrees of freedom is that of the tables", (freedom, t) => {
    // The law is taken as that of 10⁴ above, whose quantile is 1.96020.
    expect(studentQuantile(0.95, freedom)).toBeCloseTo(t, freedom > 1e4 ? 3 : 4);
  });
});

test("the tail is what a quantile leaves, whatever the sign, and Cauchy's at one degree of freedom", () => {
  for (const freedom of [1, 1.7, 5, 40]) {
    const t = studentQuantile(0.9, freedom);
    expect(studentTail(t, freedom)).toBeCloseTo(0.1, 12);
    expect(studentTail(-t, freedom)).toBeCloseTo(0.1, 12);
  }
  // P(|T| > t) = 1 − (2/π) atan t.
  for (const t of [0, 0.3, 1, 20])
    expect(studentTail(t, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(t), 12);
});
