import { expect, test } from "@jest/globals";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { gatesOf, pooled, varianceRatios } from "../../src/generation/index.ts";
import { mlp } from "../../src/networks/index.ts";
import { describeEngines, engines } from "../support/engines.ts";

/** Gray images of one row of two pixels, of two classes. */
const images = (rows: readonly (readonly [a: number, b: number, label: number])[], bytes = true): Dataset => {
  const values = rows.flatMap(([a, b]) => [a, b]);
  return {
    ...{ name: "pairs", classNames: ["dark", "bright"], imageShape: [1, 2, 1], mean: [0.5], std: [0.25] },
    pixels: bytes ? Uint8Array.from(values) : Float32Array.from(values, (value) => value / 255),
    labels: Int32Array.from(rows, ([, , label]) => label),
  };
};

const real = images([
  [0, 100, 0],
  [50, 100, 0],
  [200, 255, 1],
  [200, 205, 1],
]);

test("variances are means over pixels of each class's own, over those of the real images", () => {
  // Of class 0: 25² and 0 in the real images, 0 and 50² in the pool. Of class 1: 0 and 25² against 0 and 0.
  const pool = images([
    [20, 0, 0],
    [20, 100, 0],
    [9, 9, 1],
    [9, 9, 1],
  ]);
  const [dark, bright] = varianceRatios(pool, real);
  expect(dark).toBeCloseTo(4, 5);
  expect(bright).toBeCloseTo(0, 5);
  expect(varianceRatios(real, real)).toEqual([1, 1]);
  expect(
    varianceRatios(
      {
        ...real,
        ...images(
          [
            [0, 100, 0],
            [50, 100, 0],
            [200, 255, 1],
            [200, 205, 1],
          ],
          false,
        ),
      },
      real,
    )[0],
  ).toBeCloseTo(1, 5);
  expect(varianceRatios(real, pool)[1]).toBe(Infinity);
});

test("classes of a pool must be those of the real images", () => {
  expect(() => varianceRatios({ ...real, classNames: ["one"] }, real)).toThrow(
    "varianceRatios: expected images of 2 classes, got 1",
  );
});

test("images of each class go together as pixels from black to white, cut beyond", () => {
  const pool = pooled([Float32Array.of(-1, 1), Float32Array.of(0, 3, -2, 0.5)], real);
  expect(Array.from(pool.pixels)).toEqual([0, 1, 0.5, 1, 0, 0.75]);
  expect(Array.from(pool.labels)).toEqual([0, 1, 1]);
  expect(pool.classNames).toEqual(real.classNames);
});

describeEngines(await engines(), (engine) => {
  test("a pool passes where the judge takes enough for their class and each class varies enough", () => {
    const network = mlp({ depth: 1, width: 1 }, { imageShape: [1, 2, 1], classes: 2 });
    // h = max(0, a + b + 4), bright where h > 4: where the sum of the normalized pixels is above 0.
    const parameters = [
      engine.tensor([1, 2], [1, 1]),
      engine.tensor([1], [4]),
      engine.tensor([2, 1], [-1, 1]),
      engine.tensor([2], [8, 0]),
    ];
    const judge = { network, parameters, statistics: [] };
    const pool = images([
      [0, 50, 0],
      [255, 250, 0],
      [200, 100, 1],
      [250, 255, 1],
    ]);
    const judged = (accuracy: number, variance: number) =>
      gatesOf({ pool, real, judge }, engine, { accuracy, variance });
    const [accuracy, variance] = judged(0.75, 0.5);
    expect(accuracy).toEqual({
      name: "accuracy",
      expected: 0.75,
      got: 0.75,
      passed: true,
      perClass: [0.5, 1],
    });
    expect(variance.perClass[1]).toBeCloseTo((25 ** 2 + 77.5 ** 2) / 25 ** 2, 3);
    expect(variance.got).toBe(Math.min(...variance.perClass));
    expect(variance.passed).toBe(true);
    expect(judged(0.76, 1e9).map(({ passed }) => passed)).toEqual([false, false]);
    for (const tensor of parameters) tensor.dispose();
  });
});
