import { afterAll, describe, expect, test } from "@jest/globals";
import { laplacian, matern, matern12, type StationaryKernel } from "../../kernels/index.ts";
import { coordinateProduct } from "../../kernels/distances.ts";
import { clippedMixture } from "../../kernels/maternMixture.ts";
import { gaussLegendre } from "../../kernels/quadrature.ts";
import { seeded } from "../../src/core/rng.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { sampleX, sampleY } from "../losses/cases.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const x = engine.tensor([4, 5], sampleX);
const y = engine.tensor([3, 5], sampleY);
const difference = (a: StationaryKernel, b: StationaryKernel): number =>
  a.gram(x, y).sub(b.gram(x, y)).abs().max().item();

describe("clipped kernels", () => {
  test("tend to the kernel without as the clip grows", () => {
    for (const kernel of [
      (clip?: number) => matern12({ scale: 1.5, clip }),
      (clip?: number) => matern({ scale: 1.5, smoothness: 1.3, clip }),
      (clip?: number) => laplacian({ scale: 1.5, clip }),
    ]) {
      expect(difference(kernel(300), kernel())).toBeLessThan(0.01);
      expect(difference(kernel(300), kernel())).toBeLessThan(difference(kernel(30), kernel()) / 3);
    }
  });

  test("have no frequency stretched beyond the clip", () => {
    const width = 4000;
    const omega = matern12({ scale: 2, clip: 3 }).frequencies(200, width, seeded(1));
    const lengths = Array.from({ length: 200 }, (_, i) => {
      const row = omega.subarray(i * width, (i + 1) * width);
      return Math.hypot(...row) / Math.sqrt(width);
    });
    // ‖z‖/√d is 1 to within a few √(1/2d).
    expect(Math.max(...lengths)).toBeLessThan((3 / 2) * 1.06);
    expect(Math.max(...lengths)).toBeGreaterThan((3 / 2) * 0.7);
    const coordinates = laplacian({ scale: 2, clip: 3 }).frequencies(50, 50, seeded(1));
    expect(Math.max(...coordinates.map(Math.abs))).toBeLessThan(3 / 2);
    expect(Math.max(...coordinates.map(Math.abs))).toBeGreaterThan((3 / 2) * 0.95);
  });

  test("have a finite mean squared frequency, by hand", () => {
    // 1/d E‖ω‖² of Cauchy coordinates cut off at 1: ∫₀¹ ω²/(1 + ω²) dω/(π/4) = (1 − π/4)/(π/4)
    expect(laplacian({ scale: 2, clip: 1 }).meanSquaredFrequency(3)).toBeCloseTo(
      (3 / 4) * (4 / Math.PI - 1),
      12,
    );
    // Smoothness 1: g ~ Exp(1) given g ≥ 1 is 1 + Exp(1), E 1/g = e·E₁(1), with E₁(1) = 0.219383934395520…
    expect(matern({ scale: 2, smoothness: 1, clip: 1 }).meanSquaredFrequency(3)).toBeCloseTo(
      (3 / 4) * Math.E * 0.21938393439552029,
      10,
    );
  });

  test("refuse a clip that would leave next to nothing", () => {
    expect(() => matern12({ scale: 1, clip: 0.5 })).toThrow("matern.clip: expected a number >= 1, got 0.5");
    expect(() => laplacian({ scale: 1, clip: NaN })).toThrow(
      "laplacian.clip: expected a number >= 1, got NaN",
    );
  });

  test.each([0.25, 1, 30])("of smoothness %d agree with a fine sum over the law", (nu) => {
    const clip = 2;
    const { weights, precisions } = clippedMixture(nu, clip);
    const [a, end, steps] = [nu / clip ** 2, nu + 60 + 12 * Math.sqrt(nu), 150_000];
    for (const s of [0.1, 1, 4]) {
      let [sum, mass] = [0, 0];
      for (let i = 0; i < steps; i++) {
        const g = a + ((end - a) * (i + 0.5)) / steps;
        const density = Math.exp((nu - 1) * Math.log(g / nu) - (g - nu));
        sum += density * Math.exp((-s * s) / (4 * g));
        mass += density;
      }
      const mixture = weights.reduce((all, w, j) => all + w * Math.exp(-precisions[j]! * s * s), 0);
      expect(Math.abs(mixture - sum / mass)).toBeLessThan(1e-6); // the sum's own error
    }
  });
});

test("Gauss's rule is exact for polynomials of degree 2n − 1", () => {
  for (const n of [1, 2, 5, 16, 100]) {
    const { nodes, weights } = gaussLegendre(n, -1, 3);
    const integral = (power: number): number =>
      nodes.reduce((sum, t, i) => sum + weights[i]! * t ** power, 0);
    for (const power of [0, 1, Math.min(2 * n - 1, 9)]) {
      const exact = (3 ** (power + 1) - (-1) ** (power + 1)) / (power + 1);
      expect(integral(power) / exact).toBeCloseTo(1, 12);
    }
  }
  const { nodes, weights } = gaussLegendre(2, -1, 1);
  nodes.forEach((node, i) => expect(node).toBeCloseTo((i === 0 ? -1 : 1) / Math.sqrt(3), 14));
  expect(Array.from(weights, (w) => Math.round(w * 1e12) / 1e12)).toEqual([1, 1]);
});

test.each([1, 2, 5, 7, 8])("products over %i coordinates, of either sign and with zeros", (d) => {
  const sample = (name: string, n: number) =>
    seeded(3)
      .stream(name)
      .fillNormal(new Float64Array(n * d));
  const [a, b] = [sample("a", 3), sample("b", 2)];
  b.set(a.subarray(0, d)); // a difference of 0, f(0) = 0
  const got = coordinateProduct(engine.tensor([3, d], a), engine.tensor([2, d], b), (t) => t.mul(2)).values();
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 2; j++) {
      let expected = 1;
      for (let k = 0; k < d; k++) expected *= 2 * (a[i * d + k]! - b[j * d + k]!);
      expect(got[i * 2 + j]).toBeCloseTo(expected, 10);
    }
  }
});
