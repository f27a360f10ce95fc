import { expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { expectClose, tolerance } from "../support/close.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";
import { describeOps } from "./engineLaws.ts";

const candidates = await engines();
const exact = exactEngine(candidates);

describeEngines(candidates, (engine) => {
  describeOps(engine, exact);

  test("conv2d equals its definition by loops", () => {
    engine.scope(() => {
      const random = (shape: readonly number[], seed: number): Tensor =>
        engine.tensor(shape, seeded(seed).fillNormal(new Float64Array(sizeOf(shape))));
      const [x, w] = [random([2, 7, 6, 3], 2), random([4, 3, 2, 3], 3)];
      const y = x.conv2d(w, { stride: 2, padding: 1 });
      expect([...y.shape]).toEqual([2, 4, 4, 4]);
      const expected = convolutionByLoops(x, w, { stride: 2, padding: 1 });
      expectClose(y.values(), expected, tolerance(engine.dtype));
    });
  });
});

/** Σ x[n, i s + a − p, j s + b − p, c] w[o, a, b, c] over a, b, c, in host numbers. */
function convolutionByLoops(
  x: Tensor,
  w: Tensor,
  { stride, padding }: { stride: number; padding: number },
): number[] {
  const [n, height, width, inputs] = x.shape as [number, number, number, number];
  const [outputs, h, wide] = w.shape as [number, number, number, number];
  const [images, filters] = [x.values(), w.values()];
  const pixel = (image: number, i: number, j: number, c: number): number =>
    i < 0 || j < 0 || i >= height || j >= width
      ? 0
      : images[((image * height + i) * width + j) * inputs + c]!;
  const starts = (length: number, size: number): number[] =>
    Array.from(
      { length: Math.floor((length + 2 * padding - size) / stride) + 1 },
      (_, k) => k * stride - padding,
    );
  const windows = [...Array(n).keys()].flatMap((image) =>
    starts(height, h).flatMap((i) => starts(width, wide).map((j) => [image, i, j] as const)),
  );
  return windows.flatMap(([image, i, j]) =>
    Array.from({ length: outputs }, (_, o) => {
      let sum = 0;
      for (let k = 0; k < h * wide * inputs; k++) {
        const [a, b, c] = [Math.floor(k / (wide * inputs)), Math.floor(k / inputs) % wide, k % inputs];
        sum += pixel(image, i + a, j + b, c) * filters[o * h * wide * inputs + k]!;
      }
      return sum;
    }),
  );
}
