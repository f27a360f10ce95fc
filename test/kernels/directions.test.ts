import { afterAll, describe, expect, test } from "@jest/globals";
import { circulantRows, structures } from "../../kernels/directions.ts";
import {
  cauchyProduct,
  type Directions,
  gaussian,
  kernelOf,
  kernels,
  laplacian,
  type StationaryKernel,
  stationaryKernels,
} from "../../kernels/index.ts";
import { orthonormalize } from "../../kernels/orthonormalize.ts";
import { fourierTransform } from "../../src/core/fourier.ts";
import { choice } from "../../src/core/options.ts";
import { seeded } from "../../src/core/rng.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { characteristicFunction, squaredDifference } from "../../src/losses/characteristic.ts";
import { kernelDiscrepancy } from "../../src/losses/kernelDiscrepancy.ts";
import { dmCase, expectSixDigits, sines } from "../losses/cases.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const all = Object.entries(structures) as [string, Directions][];

/** Inner products of rows divided by their lengths, [count, count]. */
function cosines(rows: Float32Array, width: number): Float64Array {
  const z = engine.tensor([rows.length / width, width], rows);
  const unit = z.div(z.square().sum(1, true).sqrt());
  return Float64Array.from(unit.matMul(unit.transpose()).values());
}

describe("rows of one block are at right angles", () => {
  test.each([
    ["orthogonal", 16],
    ["orthogonal", 23],
    ["hadamard", 16],
    ["hadamard", 64],
  ] as const)("%s, d = %i", (name, width) => {
    const count = Math.floor(2.5 * width);
    const products = cosines(structures[name](count, width, seeded(1)), width);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < i; j++) {
        const together = Math.floor(i / width) === Math.floor(j / width);
        if (together) expect(Math.abs(products[i * count + j]!)).toBeLessThan(1e-6);
      }
    }
    // Blocks know nothing of each other.
    expect(Math.abs(products[width * count]!)).toBeGreaterThan(1e-3);
  });
});

describe.each(all)("%s", (name, draw) => {
  const width = name === "hadamard" ? 128 : 8;

  test("entries, lengths and rows have the law of independent normal ones", () => {
    // The last row of one draw each, so that the samples are independent; of draws of 1 to 8 rows.
    const rng = seeded(5);
    const samples = 2000;
    const rows = Array.from({ length: samples }, (_, i) => {
      const last = i % 8;
      return draw(last + 1, width, rng.stream(`${i}`)).slice(last * width);
    });
    expectNormal(rows.map((row) => row[3]!));
    const direction = sines([width], [0.7, 0.3]);
    const length = Math.hypot(...direction);
    expectNormal(rows.map((row) => row.reduce((sum, z, k) => sum + z * direction[k]!, 0) / length));
    const squares = rows.map((row) => row.reduce((sum, z) => sum + z * z, 0));
    expectMean(squares, width); // χ²(d), of variance 2d
    expectMean(
      squares.map((square) => (square - width) ** 2),
      2 * width,
    );
  });

  test("depends on the stream alone, row by row of any count", () => {
    const long = draw(20, width, seeded(3));
    expect(draw(20, width, seeded(3))).toEqual(long);
    expect(draw(20, width, seeded(4))).not.toEqual(long);
    expect(draw(1, 1, seeded(4)).length).toBe(1);
    expect(draw(5, 3, seeded(4)).every(Number.isFinite)).toBe(true);
  });

  test("counts and widths are whole numbers above zero", () => {
    expect(() => draw(0, 3, seeded(0))).toThrow("frequencies.count: expected a whole number >= 1");
    expect(() => draw(3, 0, seeded(0))).toThrow("frequencies.width: expected a whole number >= 1");
  });
});

/** Largest distance of the empirical distribution function from the normal one: Kolmogorov and Smirnov's. */
function expectNormal(values: number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const distance = Math.max(
    ...sorted.map((z, i) => Math.max((i + 1) / n - normalCdf(z), normalCdf(z) - i / n)),
  );
  expect(distance).toBeLessThan(2.4 / Math.sqrt(n)); // exceeded with probability 2e-5
}

/** Φ(z) = ½ + φ(z) (z + z³/3 + z⁵/15 + …). */
function normalCdf(z: number): number {
  if (Math.abs(z) > 8) return z < 0 ? 0 : 1;
  let [term, sum] = [z, z];
  for (let k = 3; Math.abs(term) > 1e-17; k += 2) sum += term *= (z * z) / k;
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

function expectMean(values: readonly number[], expected: number, sigmas = 5): void {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean - expected)).toBeLessThan(sigmas * Math.sqrt(variance / values.length));
}

test("the shifts of a circulant block times x are a circular convolution, as in the reference values", () => {
  const expected = dmCase<Record<string, number[]>>("L");
  const wanted = Object.values(expected).find((value) => Array.isArray(value))!;
  const [g, x] = [sines([8], [0.9, 0.5]), sines([8], [0.4, 0.1])];
  const rows = circulantRows(g, 8);
  const direct = Array.from({ length: 8 }, (_, i) => x.reduce((sum, v, j) => sum + rows[i * 8 + j]! * v, 0));
  expectSixDigits(direct, wanted);

  const transform = fourierTransform(8);
  const [gr, gi, xr, xi] = [g.slice(), new Float64Array(8), x.slice(), new Float64Array(8)];
  transform(gr, gi);
  transform(xr, xi);
  const re = gr.map((v, k) => v * xr[k]! - gi[k]! * xi[k]!);
  const im = gr.map((v, k) => -(v * xi[k]! + gi[k]! * xr[k]!)); // conjugate: the inverse by the same transform
  transform(re, im);
  re.forEach((v, i) => expect(v / 8).toBeCloseTo(direct[i]!, 12));
});

test("orthonormal rows span what they came from, in order", () => {
  const rows = seeded(2).fillNormal(new Float64Array(40 * 50));
  const frame = engine.tensor([40, 50], orthonormalize(rows.slice(), 50));
  const products = frame.matMul(frame.transpose());
  const identity = engine.tensor(
    [40, 40],
    Float64Array.from({ length: 1600 }, (_, i) => Number(i % 41 === 0)),
  );
  expect(products.sub(identity).abs().max().item()).toBeLessThan(1e-12);
  const triangle = engine.tensor([40, 50], rows).matMul(frame.transpose()).values();
  for (let i = 0; i < 40; i++) {
    expect(triangle[i * 40 + i]).toBeGreaterThan(0);
    for (let j = i + 1; j < 40; j++) expect(Math.abs(triangle[i * 40 + j]!)).toBeLessThan(1e-11);
  }
});

/** Every radial kernel, and those that are made of them. */
const radial: [string, StationaryKernel][] = [
  ...Object.keys(stationaryKernels).filter((name) => !["sum", "product", "tabulated"].includes(name)),
  { name: "tabulated", values: [1, 0.75, 0.5, 0.25, 0], spacing: 0.02, lift: "sliced" },
  { name: "matern12", clip: 5 },
  { name: "sum", kernels: [{ kernel: "matern12" }, { weight: 2, kernel: "cauchy" }] },
  { name: "product", kernels: ["gaussian", { name: "matern52", scale: 2 }] },
]
  .map((given) => kernelOf(choice(kernels).parse(given)) as StationaryKernel)
  .filter((kernel) => kernel.radial)
  .map((kernel) => [kernel.name, kernel]);

describe.each(radial)("the spectral distance under %s", (_, kernel) => {
  const width = 64;
  const rng = seeded(8);
  const sample = (count: number, shift: number) =>
    engine.tensor(
      [count, width],
      rng
        .stream(`${shift}`)
        .fillNormal(new Float64Array(count * width))
        .map((v) => 0.12 * v + shift),
    );
  const [x, y] = [sample(6, 0), sample(4, 0.05)];
  const exact = kernelDiscrepancy(x, y, kernel.gram).item();

  test.each(all)("averages to the discrepancy over %s draws", (_, directions) => {
    const means = Array.from({ length: 40 }, (_, round) => {
      const omega = kernel.frequencies(width, width, rng.stream(`draw/${round}`), directions);
      const frequencies = engine.tensor([width, width], omega);
      const [p, q] = [x, y].map((one) => characteristicFunction(one, frequencies));
      return squaredDifference(p!, q!).mean().item();
    });
    expectMean(means, exact, 4);
  });
});

test("orthogonal draws vary less than independent ones, by what is known of a Gaussian kernel", () => {
  // Yu et al. (2016), theorem 2: over a block of d, Var ≈ (1 − e^{−r²})²/2d · (1 − e^{−r²} r⁴/(1 − e^{−r²})²).
  const width = 64;
  const kernel = gaussian({ scale: 1 });
  const r = 1;
  const variance = (directions?: Directions): number => {
    const values = Array.from({ length: 1000 }, (_, round) => {
      const omega = kernel.frequencies(width, width, seeded(round), directions);
      let mean = 0;
      for (let i = 0; i < width; i++) mean += Math.cos(r * omega[i * width]!) / width;
      return mean;
    });
    const mean = values.reduce((sum, v) => sum + v) / values.length;
    return values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  };
  const e = Math.exp(-(r ** 2));
  const expected = 1 - (e * r ** 4) / (1 - e) ** 2;
  const [plain, orthogonal] = [variance(), variance(structures.orthogonal)];
  expect((plain * 2 * width) / (1 - e) ** 2).toBeCloseTo(1, 0.5);
  // A variance over 1000 rounds is known to 4.5%, and the theory is to O(1/d).
  expect(orthogonal / plain).toBeLessThan(expected + 0.05);
  expect(variance(structures.hadamard) / plain).toBeLessThan(0.3);
});

test("products over coordinates take no structure, and say what does", () => {
  for (const kernel of [laplacian({ scale: 1 }), cauchyProduct({ scale: 1 })]) {
    expect(kernel.radial).toBe(false);
    expect(() => kernel.frequencies(4, 4, seeded(1), structures.orthogonal)).toThrow(
      "frequencies: expected independent ones, as coordinates are drawn one by one, got a structure; choose independent, or a radial kernel, such as matern12 for laplacian",
    );
  }
});
