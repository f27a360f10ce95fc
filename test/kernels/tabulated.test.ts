import { afterAll, describe, expect, test } from "@jest/globals";
import { kernelOf, kernels, tabulated } from "../../kernels/index.ts";
import { drawnFrequency, spectralDensity, spectralLaw } from "../../kernels/spectralLaw.ts";
import { choice } from "../../src/core/options.ts";
import { parsed } from "../../src/core/parse.ts";
import { seeded } from "../../src/core/rng.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { csdm, csdmOptions } from "../../src/objectives/csdm.ts";
import { mmd, mmdOptions } from "../../src/objectives/mmd.ts";
import { dmCase, expectSixDigits } from "../losses/cases.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const bell = (count: number, spacing: number): number[] =>
  Array.from({ length: count }, (_, j) => Math.exp(-((j * spacing) ** 2) / 2));
const boxcar = [1, 1, 1, 1, 1];

describe("against reference values", () => {
  const expected = dmCase<Record<string, number[] & number>>("K");
  const density = spectralDensity(bell(33, 0.5), 0.5, 64);

  test("the density of a Gaussian table", () => {
    expectSixDigits(density.slice(0, 6), expected["p_0..5 (=dt/(2pi)*Re FFT)"]!);
    expectSixDigits(density.slice(0, 6), expected["exact_p_0..5"]!);
  });

  test("its mass over both half axes is κ(0)", () => {
    const step = (2 * Math.PI) / (64 * 0.5);
    expectSixDigits([step, 5 * step], [expected["omega_0..5"]![1]!, expected["omega_0..5"]![5]!]);
    const both = density.reduce((sum, p, k) => sum + p * (k === 0 || k === 32 ? 1 : 2), 0);
    expectSixDigits([both * step], expected["total_mass(should equal kappa(0)=1)"]!);
  });

  test("the distribution function on the half axis counts the first frequency once", () => {
    const name = "half_axis_cdf_0..5 (cumulative of |omega| mass, bin 0 counted once)";
    expectSixDigits(spectralLaw(bell(33, 0.5), 64).cumulative.slice(0, 6), expected[name]!);
  });

  test("a boxcar has a density below zero", () => {
    const negative = spectralDensity(boxcar, 0.5, 64);
    expectSixDigits(negative.slice(4, 14), expected["boxcar(|t|<=2)_p_4..13 (negative => not PD)"]!);
    expectSixDigits([Math.min(...negative)], expected.boxcar_min_p!);
  });
});

test("a boxcar is refused with the most negative density, before the first step", () => {
  const kernel = { name: "tabulated", values: boxcar, spacing: 0.5 } as const;
  const message =
    /^tabulated.values: expected a positive-definite function, got one with spectral density -0\.3\d+ at ω = 0\.\d+ per step/;
  expect(() => tabulated({ ...kernel, scale: 1, lift: "product" })).toThrow(message);
  expect(() => csdm(csdmOptions.parse({ kernel }))).toThrow(message);
  expect(() => mmd(mmdOptions.parse({ kernel }))).toThrow(message);
});

test("a table that ends above zero is refused, one that rises, and one of a single number", () => {
  const given = (values: number[]) => () => tabulated({ values, spacing: 1, scale: 1, lift: "product" });
  expect(given([1, 0.9, 0.8])).toThrow("a table has to reach to where the function is zero");
  expect(given([1, 1.2, 0])).toThrow("with none further from 0 than κ(0) > 0");
  expect(() => parsed("kernel", choice(kernels), { name: "tabulated", values: [1], spacing: 1 })).toThrow(
    "kernel: values: Too small: expected array to have >=2 items, got [1]",
  );
  expect(() => parsed("kernel", choice(kernels), { name: "tabulated", values: [1, 0] })).toThrow(
    "kernel: spacing: expected number, got nothing",
  );
});

test("draws of a law are distributed as it says", () => {
  const law = spectralLaw([3, 2, 1, 0], 32);
  const rng = seeded(4);
  const draws = Array.from({ length: 20_000 }, () => drawnFrequency(law, rng) / law.step);
  const shares = law.masses.map((_, k) => draws.filter((x) => Math.round(x) === k).length / draws.length);
  shares.forEach((share, k) => {
    const mass = law.masses[k]!;
    expect(Math.abs(share - mass)).toBeLessThan(5 * Math.sqrt(mass / draws.length) + 1e-12);
  });
  // Linear within a bin: half of its draws are below its middle.
  const below = draws.filter((x) => Math.round(x) === 2 && x < 2).length / draws.length;
  expect(Math.abs(below - law.masses[2]! / 2)).toBeLessThan(5 * Math.sqrt(law.masses[2]! / draws.length));
});

describe("the kernel", () => {
  const at = (kernel: ReturnType<typeof tabulated>, points: readonly number[], width = 1): number[] => {
    const x = engine.tensor(
      [points.length, width],
      points.flatMap((point) => Array.from({ length: width }, (_, k) => (k === 0 ? point : 0))),
    );
    return Array.from(kernel.gram(x, engine.fill([1, width], 0)).values());
  };

  test("is the table at its points, in lengths, to less than 1%, and exactly by the taper", () => {
    const values = [2, 1.5, 1, 0.5, 0];
    const kernel = tabulated({ values, spacing: 0.5, scale: 3, lift: "product" });
    const got = at(kernel, [0, 1.5, 3, 4.5, 6]);
    values.forEach((value, j) => {
      expect(Math.abs(got[j]! - value / 2)).toBeLessThan(0.005);
      const tau = (Math.PI * j) / (8 * 16);
      expect(got[j]).toBeCloseTo((value / 2) * (j === 0 ? 1 : Math.sin(tau) / tau), 12);
    });
  });

  test("of a Gaussian table is the Gaussian one, in any width as a product", () => {
    const kernel = tabulated({ values: bell(60, 0.1), spacing: 0.1, scale: 2, lift: "product" });
    for (const [i, r] of [0, 0.35, 1.23, 4].entries()) {
      expect(at(kernel, [0, 0.35, 1.23, 4], 3)[i]).toBeCloseTo(Math.exp(-(r ** 2) / 8), 3);
    }
  });

  test("sliced in three dimensions is the integral over the sphere, of a Gaussian √(π/2)·erf(r/√2)/r", () => {
    const kernel = tabulated({ values: bell(60, 0.1), spacing: 0.1, scale: 1, lift: "sliced" });
    const [low, high] = at(kernel, [1, 2.5], 3);
    // erf(1/√2) = 0.6826894921, erf(2.5/√2) = 0.9875806693
    expect(low).toBeCloseTo(Math.sqrt(Math.PI / 2) * 0.6826894921, 3);
    expect(high).toBeCloseTo((Math.sqrt(Math.PI / 2) * 0.9875806693) / 2.5, 3);
  });

  test("sliced says how far apart points may be", () => {
    const kernel = tabulated({ values: bell(60, 0.1), spacing: 0.1, scale: 1, lift: "sliced" });
    expect(() => at(kernel, [1e5], 3)).toThrow(
      /^tabulated: expected distances of up to \d+ steps of the table, got 1.000e\+6/,
    );
  });

  test("in wide features is as fine: 2048 dimensions, float32", () => {
    const single = torchEngine({ dtype: "float32" });
    const width = 2048;
    const values = seeded(1).fillNormal(new Float32Array(2 * width));
    const x = single.tensor([2, width], values);
    for (const [lift, scale] of [
      ["product", 64],
      ["sliced", 1],
    ] as const) {
      const kernel = tabulated({ values: bell(60, 0.1), spacing: 0.1, scale, lift });
      const gram = kernel.gram(x, x).values();
      let r2 = 0;
      for (let k = 0; k < width; k++) r2 += (values[k]! - values[width + k]!) ** 2;
      // Sliced: ⟨u, δ⟩ is nearly normal with variance r²/d, so K = (1 + r²/d)^(−1/2).
      const expected = lift === "product" ? Math.exp(-r2 / (2 * scale ** 2)) : (1 + r2 / width) ** -0.5;
      expect(gram[1]! / expected).toBeCloseTo(1, 2);
      expect(gram[0]).toBeCloseTo(1, 5);
    }
    single.close();
  });

  test("is chosen by its numbers, and composed like others", () => {
    const kernel = kernelOf(
      parsed("kernel", choice(kernels), {
        name: "multiScale",
        kernel: { name: "tabulated", values: [1, 0.5, 0], spacing: 1 },
        factors: [1, 2],
      }),
      { l2: 3, l1: NaN },
    );
    expect(at(kernel as never, [6])[0]).toBeCloseTo((0 + 0.5) / 2, 2);
  });
});
