import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "@jest/globals";
import { type ImageShape, sizeOf } from "../../src/core/shape.ts";
import {
  type CellOrder,
  cellOrders,
  decoded,
  decodedLabels,
  decodedValues,
  type Downscaling,
  downscalings,
  mosaics,
  type Partition,
} from "../../src/datasets/partition.ts";
import { expectSixDigits, sines } from "../losses/cases.ts";
import { expectClose, tolerance } from "../support/close.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";
import { expectGradient, spreadPoint } from "../support/gradients.ts";

interface Sums {
  readonly wsum: number;
  readonly l2: number;
  readonly last: readonly number[];
}

interface InterpolateCase {
  readonly factor: number;
  readonly shape: readonly [number, number, number, number];
  readonly wave: readonly [number, number];
  readonly decoded: Readonly<Record<CellOrder, Sums>>;
  readonly downscaled: Readonly<Record<Downscaling, readonly number[]>>;
}

type Rows = readonly (readonly number[])[];

interface QuadrantCase extends Readonly<Record<CellOrder, readonly string[]>> {
  readonly cells: Readonly<Record<string, Rows>>;
  readonly mean: Rows;
  readonly nearest: Rows;
}

const reference = JSON.parse(
  readFileSync(new URL("../reference/partition.json", import.meta.url), "utf8"),
) as { G: QuadrantCase; interpolate: { cases: readonly InterpolateCase[] } };
const quadrants = reference.G;
const { cases } = reference.interpolate;

const candidates = await engines();
const exact = exactEngine(candidates);
afterAll(() => {
  for (const { engine } of candidates) engine?.close();
});

const imageOf = ([, ...shape]: InterpolateCase["shape"]): ImageShape => shape as unknown as ImageShape;

describe.each(cellOrders)("the cells of an image, by %s", (order) => {
  const image = Float32Array.from(sines([4, 4], [0.6, 0.15]));
  const partition: Partition = { factor: 2, order };
  const wanted = quadrants[order].flatMap((name) => quadrants.cells[name]!.flat());

  test("are its quadrants, enlarged", () => {
    expectClose(decodedValues(image, [4, 4, 1], partition), wanted, 1e-6);
    if (!exact) return;
    const exactImage = exact.tensor([1, 4, 4, 1], sines([4, 4], [0.6, 0.15]));
    expectSixDigits(decoded(exactImage, partition).values(), wanted);
  });

  test.each(cases)(
    "are those of PyTorch's interpolate, $factor by $factor",
    ({ factor, shape, wave, ...c }) => {
      const images = sines(shape, wave);
      const { wsum, l2, last } = c.decoded[order];
      const check = (values: ArrayLike<number>, bound: number): void => {
        const list = Array.from(values);
        const sum = list.reduce((total, value, i) => total + value * Math.sin(i + 1), 0);
        expectClose([sum, Math.hypot(...list), ...list.slice(-last.length)], [wsum, l2, ...last], bound);
      };
      check(decodedValues(Float32Array.from(images), imageOf(shape), { factor, order }), 1e-6);
      if (exact) check(decoded(exact.tensor(shape, images), { factor, order }).values(), 1e-12);
    },
  );
});

describeEngines(candidates, (engine) => {
  const shape = [2, 6, 9, 2] as const;
  const partition: Partition = { factor: 3, order: "columns" };

  test("an engine decodes to the values that files hold", () => {
    const images = Float32Array.from(sines(shape, [0.7, 0.1]));
    expectClose(
      decoded(engine.tensor(shape, images), partition).values(),
      decodedValues(images, imageOf(shape), partition),
      tolerance("float32"),
    );
  });

  test("derivatives of both orders are right", () => {
    expectGradient(engine, (x) => decoded(x!, partition), [spreadPoint(shape, [-1, 1], 3)], exact);
  });

  test("the gradient is the adjoint: ⟨D x, y⟩ = ⟨x, Dᵀ y⟩", () => {
    const x = engine.tensor(shape, sines(shape, [0.7, 0.1]));
    const y = engine.tensor([18, 6, 9, 2], sines([18, 6, 9, 2], [0.3, 0.4]));
    const elsewhere = engine.tensor(shape, sines(shape, [1.9, 0.5]));
    const { gradients } = engine.gradients((z) => decoded(z!, partition).mul(y).sum(), [elsewhere]);
    const forward = decoded(x, partition).mul(y).sum().item();
    const backward = x.mul(gradients[0]!).sum().item();
    expectClose([backward], [forward], tolerance(engine.dtype, "gradients"));
  });
});

describe("mosaics", () => {
  const size = 4 * 6 * 3;
  const shape: ImageShape = [4, 6, 3];

  test.each(downscalings)("hold images downscaled by %s as the published code does", (downscaling) => {
    const image = Float32Array.from(sines([4, 4], [0.6, 0.15]));
    const four = Float32Array.of(...image, ...image, ...image, ...image);
    const made = mosaics(four, [4, 4, 1], { factor: 2, order: "rows" }, downscaling);
    const small = quadrants[downscaling].flatMap((row) => [...row, ...row]);
    expectClose(made, [...small, ...small], 1e-6);
  });

  test.each(cases)("hold images downscaled as PyTorch does, $factor by $factor", (c) => {
    const imageShape = imageOf(c.shape);
    const [height, width, channels] = imageShape;
    const first = Float32Array.from(sines(c.shape, c.wave)).subarray(0, sizeOf(imageShape));
    const images = new Float32Array(c.factor ** 2 * first.length);
    images.set(first);
    for (const downscaling of downscalings) {
      const made = mosaics(images, imageShape, { factor: c.factor, order: "rows" }, downscaling);
      const row = width * channels;
      const cell = Array.from({ length: height / c.factor }, (_, i) =>
        Array.from(made.subarray(i * row, i * row + row / c.factor)),
      );
      expectClose(cell.flat(), c.downscaled[downscaling], 1e-6);
    }
  });

  test.each(cellOrders)("hold each image where decoding by %s finds it", (order) => {
    const partition: Partition = { factor: 2, order };
    const shades = Float32Array.from({ length: 8 * size }, (_, i) => Math.floor(i / size));
    for (const downscaling of downscalings) {
      const made = mosaics(shades, shape, partition, downscaling);
      expect(made).toHaveLength(2 * size);
      expect(decodedValues(made, shape, partition)).toEqual(shades);
    }
  });
});

test("labels are those of the images, once for each cell", () => {
  expect(decodedLabels(Int32Array.of(4, 7), { factor: 2, order: "rows" })).toEqual(
    Int32Array.of(4, 4, 4, 4, 7, 7, 7, 7),
  );
});

test("images that do not divide into whole cells are refused", () => {
  const images = new Float32Array(32 * 28);
  expect(() => decodedValues(images, [32, 28, 1], { factor: 3, order: "rows" })).toThrow(
    "decodedValues: expected a factor of 2 or more that divides both sides of 32×28 images, got 3",
  );
  expect(() => mosaics(images, [32, 28, 1], { factor: 1, order: "rows" }, "mean")).toThrow(
    "mosaics: expected a factor of 2 or more",
  );
});
