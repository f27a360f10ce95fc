import { afterAll, describe, expect, test } from "@jest/globals";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import {
  isStationary,
  type Kernel,
  kernelOf,
  kernels,
  product,
  type StationaryKernel,
  sum,
} from "../../kernels/index.ts";
import { choice } from "../../src/core/options.ts";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { centralDifferences } from "../losses/cases.ts";

const engine = torchEngine({ dtype: "float64" });
afterAll(() => engine.close());

const scale = 1.5;
const schema = choice(kernels);
const built = (given: object): Kernel => kernelOf(schema.parse(given));
const stationary = (given: object): StationaryKernel => built(given) as StationaryKernel;

/** Options of entries that do not build from their names alone, or in the unit of length. */
const needed: Record<string, object> = {
  sum: { kernels: [{ kernel: { name: "gaussian", scale: 0.7 } }, { weight: 0.5, kernel: "laplacian" }] },
  product: { kernels: ["laplacian", { name: "multiScale", kernel: "matern12" }] },
  tabulated: { values: Array.from({ length: 20 }, (_, j) => Math.exp(-((0.3 * j) ** 2) / 2)), spacing: 0.3 },
};

/** Every entry of the table, second values of options beside the scale, and combinations. */
const all: Kernel[] = [
  ...Object.entries(kernels).map(([name, { options }]) =>
    built({ name, ...("scale" in options.shape && { scale }), ...needed[name] }),
  ),
  built({ name: "matern", scale, smoothness: 1.3 }),
  built({ name: "matern", scale, smoothness: 3.5 }),
  built({ name: "matern12", scale, clip: 4 }),
  built({ name: "matern", scale, smoothness: 1, clip: 1 }),
  built({ name: "laplacian", scale, clip: 3 }),
  built({ name: "tabulated", values: [1, 0.75, 0.5, 0.25, 0], spacing: 0.25, scale }), // a triangle
  built({
    name: "tabulated",
    values: Array.from({ length: 40 }, (_, j) => Math.exp(-0.25 * j) * Math.cos(0.4 * j)),
    spacing: 0.25,
    lift: "sliced",
  }),
  built({ name: "rationalQuadratic", scale, shape: 0.75 }),
  built({ name: "inverseMultiquadric", scale, exponent: 1.7 }),
  built({ name: "polynomial", scale, degree: 3 }),
  sum([
    { weight: 3, kernel: stationary({ name: "gaussian", scale: 0.7 }) },
    { weight: 1, kernel: stationary({ name: "laplacian", scale: 4 }) },
  ]),
  product([stationary({ name: "gaussian", scale: 2 }), stationary({ name: "matern32", scale: 3 })]),
];
const named = <K extends Kernel>(list: readonly K[]): [string, K][] =>
  list.map((kernel) => [kernel.name, kernel]);

const points = (count: number, width: number, name: string): Tensor =>
  engine.tensor(
    [count, width],
    seeded(17)
      .stream(name)
      .fillNormal(new Float64Array(count * width)),
  );

describe.each(named(all))("%s", (_, kernel) => {
  test("is symmetric in its arguments", () => {
    const [x, y] = [points(6, 4, "x"), points(5, 4, "y")];
    const transposed = kernel.gram(y, x).transpose();
    expect(kernel.gram(x, y).sub(transposed).abs().max().item()).toBeLessThan(1e-12);
  });

  test.each([1, 4, 40])("has positive semi-definite Gram matrices, d = %i", (width) => {
    const x = points(20, width, `gram/${width}`);
    const gram = kernel.gram(x, x);
    const matrix = Matrix.from1DArray(20, 20, Array.from(gram.values()));
    const { realEigenvalues } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
    expect(Math.min(...realEigenvalues)).toBeGreaterThan(-1e-12 * Math.max(...realEigenvalues));
  });

  test("has a gradient that central differences confirm", () => {
    const [x, y] = [points(3, 4, "gradient/x"), points(2, 4, "gradient/y")];
    const weights = engine.tensor([3, 2], [1, -2, 0.5, 3, -1, 0.7]);
    const f = (at: Tensor): Tensor => kernel.gram(at, y).mul(weights).sum();
    const { gradients } = engine.gradients(f, [x]);
    const numeric = centralDifferences((v) => f(engine.tensor([3, 4], v)).item(), x.values());
    numeric.forEach((value, i) => expect(gradients[0]!.values()[i]).toBeCloseTo(value, 7));
  });

  test("has a second derivative that central differences of the first confirm", () => {
    const [x, y] = [points(2, 3, "second/x"), points(2, 3, "second/y")];
    const direction = points(2, 3, "second/direction");
    const slope = (at: Tensor): Tensor =>
      engine
        .gradients((inner) => kernel.gram(inner, y).sum(), [at])
        .gradients[0]!.mul(direction)
        .sum();
    const { gradients } = engine.gradients(slope, [x]);
    const numeric = centralDifferences((v) => slope(engine.tensor([2, 3], v)).item(), x.values());
    numeric.forEach((value, i) => expect(gradients[0]!.values()[i]).toBeCloseTo(value, 6));
  });

  test("refuses samples of different width", () => {
    expect(() => kernel.gram(points(2, 3, "a"), points(2, 4, "b"))).toThrow("d is both 3 and 4");
  });
});

describe.each(named(all.filter(isStationary)))("stationary %s", (_, kernel) => {
  // Bochner: k(x, y) = E_ω cos⟨ω, x − y⟩. Above d = 1 too: there, a wrong joint law cannot hide.
  test.each([1, 3, 16])("spectral draws reproduce the kernel across and along an axis, d = %i", (width) => {
    const count = 40_000;
    const origin = engine.fill([1, width], 0);
    const omega = engine.tensor([count, width], kernel.frequencies(count, width, seeded(7)));
    const across = new Float64Array(width).fill(0.9 / Math.sqrt(width));
    const along = new Float64Array(width);
    along[0] = 2;
    for (const shift of [across, along]) {
      const x = engine.tensor([1, width], shift);
      const cosines = omega.matMul(x.transpose()).cos();
      const mean = cosines.mean().item();
      const standardError = Math.sqrt(cosines.sub(mean).square().mean().item() / count);
      expect(Math.abs(mean - kernel.gram(x, origin).item())).toBeLessThan(5 * standardError);
    }
  });

  test("is exactly 1 on equal points, whatever offset they share", () => {
    for (const offset of [0, 100]) {
      const x = points(5, 16, "diagonal").add(offset);
      const gram = kernel.gram(x, x).values();
      for (let i = 0; i < 5; i++) expect(gram[i * 5 + i]).toBeCloseTo(1, 14);
    }
  });

  test("does not change when both samples move together", () => {
    const [x, y] = [points(4, 5, "moved/x"), points(3, 5, "moved/y")];
    const moved = kernel.gram(x.add(7), y.add(7));
    expect(moved.sub(kernel.gram(x, y)).abs().max().item()).toBeLessThan(1e-12);
  });

  test("has zero gradient at equal points, and a finite second one", () => {
    const x = engine.tensor([2, 3], [0.3, -1, 2, 0.3, -1, 2]);
    const y = engine.tensor([1, 3], [0.3, -1, 2]);
    const f = (at: Tensor): Tensor => kernel.gram(at, y).sum();
    expect(engine.gradients(f, [x]).gradients[0]!.square().sum().item()).toBe(0);
    const slope = (at: Tensor): Tensor => engine.gradients(f, [at]).gradients[0]!.square().sum();
    expect(engine.gradients(slope, [x]).gradients[0]!.values().every(Number.isFinite)).toBe(true);
  });

  test("mean squared frequency is the curvature of the kernel at zero", () => {
    // −Δk(0) = 2d(1 − k(h))/h² as h → 0, h along an axis; it grows without bound where there is a kink.
    const curvature = (h: number): number => {
      const x = engine.tensor([1, 3], [h, 0, 0]);
      return (6 * (1 - kernel.gram(x, engine.fill([1, 3], 0)).item())) / h ** 2;
    };
    const expected = kernel.meanSquaredFrequency(3);
    if (expected === Infinity) expect(curvature(1e-3) / curvature(1e-2)).toBeGreaterThan(1.5);
    // Where the third derivative is infinite this converges as slowly as h^0.6.
    else expect(Math.abs(curvature(1e-3) / expected - 1)).toBeLessThan(hasFourthMoment(kernel) ? 1e-5 : 0.03);
  });

  test("draws depend on the stream alone, and two calls on one stream differ", () => {
    const rng = seeded(3);
    const first = kernel.frequencies(4, 3, rng);
    expect(kernel.frequencies(4, 3, seeded(3))).toEqual(first);
    expect(kernel.frequencies(4, 3, rng)).not.toEqual(first);
    expect(first.every(Number.isFinite)).toBe(true);
  });
});

// A moment's standard error needs twice the moment.
test.each(named(all.filter(isStationary).filter(hasFourthMoment)))(
  "mean squared frequency of %s is that of its draws",
  (_, kernel) => {
    const count = 40_000;
    const omega = engine.tensor([count, 3], kernel.frequencies(count, 3, seeded(9)));
    const squares = omega.square().sum(1);
    const mean = squares.mean().item();
    const standardError = Math.sqrt(squares.sub(mean).square().mean().item() / count);
    expect(Math.abs(mean - kernel.meanSquaredFrequency(3))).toBeLessThan(5 * standardError);
  },
);

test("every kernel of the table builds from its defaults, and wrong options are refused", () => {
  for (const name of Object.keys(kernels))
    expect(built({ name, ...needed[name] }).gram).toBeInstanceOf(Function);
  expect(() => built({ name: "gaussian", scale: 0 })).toThrow("expected number to be >0");
  expect(() => built({ name: "gaussian", smoothness: 1 })).toThrow("Unrecognized key");
});

/** Whether E‖ω‖⁴ is finite: not where the kernel, like a Matérn one of smoothness up to 2, has no fourth derivative. */
function hasFourthMoment(kernel: StationaryKernel): boolean {
  return kernel.meanSquaredFrequency(1) < Infinity && !/matern\(1\.[35],/.test(kernel.name);
}
