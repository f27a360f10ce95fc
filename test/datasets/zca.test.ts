import { describe, expect, test } from "@jest/globals";
import { inverse, Matrix } from "ml-matrix";
import { seeded } from "../../src/core/rng.ts";
import { type Dataset, normalized, subset } from "../../src/datasets/dataset.ts";
import { rootsByEigenvalues, rootsByNewtonSchulz } from "../../src/datasets/matrixRoots.ts";
import { procedural } from "../../src/datasets/procedural.ts";
import { unwhiteningOn, whitenedDataset } from "../../src/datasets/whitening.ts";
import { zcaEpsilon, zcaWhitening } from "../../src/datasets/zca.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { finished } from "../../src/training/train.ts";
import { chirp, expectNear, reference } from "../networks/chirp.ts";
import { describeEngines, engines } from "../support/engines.ts";

const single = torchEngine({ threads: 1 });
const double = torchEngine({ dtype: "float64", threads: 1 });

/** Gray images of 8×8. */
const figures = (): Dataset =>
  procedural.read({ classes: 4, trainPerClass: 40, testPerClass: 1, side: 8, channels: 1 }).train;

/** Color images of 4×3: shades of one color each, with noise. */
function shaded(count: number, seed: number): Dataset {
  const rng = seeded(seed);
  const pixels = new Uint8Array(count * 36);
  for (let image = 0; image < count; image++) {
    const color = [0, 1, 2].map(() => rng.uniform());
    for (let i = 0; i < 36; i++) {
      pixels[36 * image + i] =
        20 * (i % 3) + 100 * color[i % 3]! * (1 + Math.floor(i / 9) / 4) + 20 * rng.uniform();
    }
  }
  const [classNames, mean, std] = [["any"], [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]];
  return {
    name: "shaded",
    classNames,
    imageShape: [4, 3, 3],
    pixels,
    labels: new Int32Array(count),
    mean,
    std,
  };
}

/** The images as rows of pixel/255, channels first, in float64. */
function rowsOf({ pixels, imageShape: [height, width, channels], labels }: Dataset): Matrix {
  const scale = pixels instanceof Uint8Array ? 255 : 1;
  const area = height * width;
  const row = (image: number): number[] =>
    Array.from(
      { length: channels * area },
      (_, i) => pixels[(image * area + (i % area)) * channels + Math.floor(i / area)]! / scale,
    );
  return new Matrix(Array.from(labels, (_, image) => row(image)));
}

/** With divisor n − 1. */
function covarianceOf(rows: Matrix): Matrix {
  const centered = rows.clone().subRowVector(rows.mean("column"));
  return centered
    .transpose()
    .mmul(centered)
    .div(rows.rows - 1);
}

const regularized = (covariance: Matrix): Matrix =>
  covariance.clone().add(Matrix.eye(covariance.rows).mul(zcaEpsilon));

/** Largest difference between two arrays of the same length. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

describe("the whitening of the reference case", () => {
  const { case8_zca: wanted } = reference<{
    case8_zca: Record<"mean" | "T_row0" | "y_row0" | "Tinv_row0", number[]> & { T_trace: number };
  }>("tm.json");
  const values = chirp(40, 0.7, 0.03, 0.1);
  const rows = new Matrix(Array.from({ length: 8 }, (_, i) => Array.from(values.subarray(5 * i, 5 * i + 5))));
  const matrix = regularized(covarianceOf(rows)).to1DArray();

  test("has its roots, by eigenvalues and by Newton–Schulz, to all digits that are printed", () => {
    const newtonSchulz = finished(rootsByNewtonSchulz(double.tensor([5, 5], matrix)));
    for (const { root, inverseRoot } of [rootsByEigenvalues(matrix, 5), newtonSchulz]) {
      expectNear(inverseRoot.subarray(0, 5), wanted.T_row0, 1e-7);
      expectNear(root.subarray(0, 5), wanted.Tinv_row0, 1e-7);
      const trace = [0, 6, 12, 18, 24].reduce((sum, i) => sum + inverseRoot[i]!, 0);
      expectNear([trace], [wanted.T_trace], 1e-7);
    }
  });

  test("is fitted on such images, and whitens them, to float32", () => {
    const images: Dataset = {
      name: "chirp",
      classNames: ["any"],
      imageShape: [1, 5, 1],
      pixels: Float32Array.from(values),
      labels: new Int32Array(8),
      mean: [0.3],
      std: [7],
    };
    const whitening = finished(zcaWhitening(images, double));
    expectNear(whitening.mean, wanted.mean, 1e-7);
    expectNear(whitening.matrix.subarray(0, 5), wanted.T_row0, 1e-6);
    expectNear(whitening.inverse.subarray(0, 5), wanted.Tinv_row0, 1e-6);
    const whitened = whitenedDataset(images, whitening, double);
    expectNear(normalized(whitened, [0]), wanted.y_row0, 1e-6);
    expect([whitened.mean, whitened.std]).toEqual([[0], [1]]);
  });
});

describe("two roads to the roots of one matrix", () => {
  const matrix = regularized(covarianceOf(rowsOf(figures()))).to1DArray();
  const byEigenvalues = rootsByEigenvalues(matrix, 64);

  test("meet, in float64 to its precision and in float32 within the condition's share of it", () => {
    for (const [engine, tolerance] of [
      [double, 1e-12],
      [single, 1e-5],
    ] as const) {
      const { root, inverseRoot, iterations } = finished(
        rootsByNewtonSchulz(engine.tensor([64, 64], matrix)),
      );
      expect(distance(root, byEigenvalues.root)).toBeLessThan(tolerance);
      expect(distance(inverseRoot, byEigenvalues.inverseRoot)).toBeLessThan(tolerance);
      expect(iterations).toBeLessThan(16);
    }
  });

  test("square to the matrix and to its inverse", () => {
    const { root, inverseRoot } = byEigenvalues;
    const square = (values: ArrayLike<number>): number[] => {
      const one = Matrix.from1DArray(64, 64, Array.from(values));
      return one.mmul(one).to1DArray();
    };
    expect(distance(square(root), matrix)).toBeLessThan(1e-12);
    const inverted = inverse(Matrix.from1DArray(64, 64, matrix)).to1DArray();
    expect(distance(square(inverseRoot), inverted)).toBeLessThan(1e-10);
  });

  test("do not exist of a matrix that is not positive definite, nor by float32 beyond its precision", () => {
    const negative = [1, 0, 0, -1];
    expect(() => rootsByEigenvalues(negative, 2)).toThrow(
      "matrix roots: expected eigenvalues above 0, got -1",
    );
    const live = single.liveTensors();
    for (const values of [negative, [1e9, 1e9 - 8, 1e9 - 8, 1e9], [NaN, 0, 0, 1]]) {
      expect(() => finished(rootsByNewtonSchulz(single.tensor([2, 2], values)))).toThrow(
        /expected a positive definite 2×2 matrix, got one whose roots Newton–Schulz does not find in 40 iterations of float32/,
      );
    }
    expect(single.liveTensors()).toBe(live);
  });
});

const candidates = await engines();

describeEngines(candidates, (engine) => {
  for (const [road, mostByEigenvalues] of [
    ["eigenvalues", 36],
    ["matrix products", 0],
  ] as const) {
    describe(`fitted by ${road}`, () => {
      const train = shaded(60, 1);
      const live = engine.liveTensors();
      const whitening = finished(zcaWhitening(train, engine, { mostByEigenvalues }));
      const whitened = whitenedDataset(train, whitening, engine);

      test("nothing stays on the engine, also of a fit that is given up", () => {
        const run = zcaWhitening(train, engine, { mostByEigenvalues });
        const shares = [run.next().value, run.next().value] as number[];
        run.return(undefined as never);
        expect(shares[0]).toBeGreaterThan(0);
        expect(engine.liveTensors()).toBe(live);
      });

      test("images of the fit have mean 0 and covariance Σ(Σ + εI)⁻¹ there", () => {
        const covariance = covarianceOf(rowsOf(train));
        const expected = covariance.mmul(inverse(regularized(covariance)));
        const rows = rowsOf(whitened);
        expect(distance(covarianceOf(rows).to1DArray(), expected.to1DArray())).toBeLessThan(2e-5);
        expect(distance(rows.mean("column"), new Float64Array(36))).toBeLessThan(1e-5);
      });

      test("all images are (x − μ)(Σ + εI)^(−1/2), those of a test split by what was fitted on the training split", () => {
        const rows = rowsOf(train);
        const { inverseRoot } = rootsByEigenvalues(regularized(covarianceOf(rows)).to1DArray(), 36);
        const matrix = Matrix.from1DArray(36, 36, Array.from(inverseRoot));
        for (const set of [train, shaded(7, 2)]) {
          const expected = rowsOf(set).subRowVector(rows.mean("column")).mmul(matrix).to1DArray();
          const got = rowsOf(whitenedDataset(set, whitening, engine)).to1DArray();
          expect(distance(got, expected)).toBeLessThan(5e-5);
        }
      });

      test("the way back gives the pixels", () => {
        const back = unwhiteningOn(engine, whitening);
        const positions = [5, 0, 37];
        const images = engine.scope(() =>
          back.of(engine.tensor([3, 4, 3, 3], normalized(whitened, positions))).values(),
        );
        back.dispose();
        const { pixels } = subset(train, positions);
        expect(
          distance(
            images,
            Array.from(pixels, (byte) => byte / 255),
          ),
        ).toBeLessThan(2e-6);
        expect(engine.liveTensors()).toBe(live);
      });
    });
  }
});

describe("what cannot be whitened is refused", () => {
  const train = figures();

  test("one image", () => {
    expect(() => finished(zcaWhitening(subset(train, [3]), single))).toThrow(
      "zca: expected at least 2 images in procedural, got 1",
    );
  });

  test("images whose matrices are too large, before anything is computed", () => {
    const large: Dataset = { ...train, imageShape: [128, 128, 3], pixels: new Uint8Array(0) };
    expect(() => finished(zcaWhitening(large, single))).toThrow(
      "zca: expected images of at most 16384 values, got 128×128×3 = 49152, whose two matrices would take 18 GiB; " +
        "leave zca out, or take smaller images",
    );
  });

  test("numbers far from the scale of pixels", () => {
    const pixels = Float32Array.from(train.pixels);
    expect(() => finished(zcaWhitening({ ...train, pixels }, single))).toThrow(
      /^zca: expected pixels of procedural on a scale where black is 0 and white 1, got a standard deviation of \d+\.\d around their means; divide bytes by 255$/,
    );
  });

  test("what is whitened already, and images of another size", () => {
    const whitening = finished(zcaWhitening(train, single));
    const whitened = whitenedDataset(train, whitening, single);
    const twice = "whitening: expected images of procedural as pixels, got whitened ones; whiten them once";
    expect(() => finished(zcaWhitening(whitened, single))).toThrow(twice);
    expect(() => whitenedDataset(whitened, whitening, single)).toThrow(twice);
    expect(() => whitenedDataset(shaded(5, 1), whitening, single)).toThrow(
      "whitening: expected one of images of 36 values, as in shaded, got 64",
    );
  });
});
