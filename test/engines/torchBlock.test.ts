import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/engine.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { deviation, weighted } from "./differences.ts";

const single = torchEngine();
const double = torchEngine({ dtype: "float64" });
const epsilon = 1e-5;

/** The fused block's road: one call. */
const fused = (images: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  images.instanceNormReluPool(scale, shift, epsilon);

/** The other road: its definition, one operation after another. */
function composite(images: Tensor, scale: Tensor, shift: Tensor): Tensor {
  const centered = images.sub(images.mean([1, 2], true));
  const inverse = centered.square().mean([1, 2], true).add(epsilon).rsqrt();
  return centered.mul(inverse).mul(scale).add(shift).relu().avgPool(2);
}

/** Same numbers on every engine: single precision values with a mean far from zero. */
function inputsOn(engine: Engine, shape: Shape): Tensor[] {
  const rng = seeded(3);
  const drawn = (name: string, size: Shape, offset: number): Tensor => {
    const values = rng.stream(name).fillNormal(new Float32Array(sizeOf(size)));
    return engine.tensor(size, values.map((value) => value + offset)); // prettier-ignore
  };
  const channels = [shape[3]!];
  return [drawn("images", shape, 2), drawn("scale", channels, 1), drawn("shift", channels, 0)];
}

type Road = typeof fused;

const value = (_: Engine, road: Road, inputs: Tensor[]): ArrayLike<number>[] => [
  road(...(inputs as [Tensor, Tensor, Tensor])).values(),
];

function first(engine: Engine, road: Road, inputs: Tensor[]): ArrayLike<number>[] {
  const f = (...given: Tensor[]): Tensor => weighted(engine, road(...(given as [Tensor, Tensor, Tensor])));
  return engine.gradients(f, inputs).gradients.map((gradient) => gradient.values());
}

function second(engine: Engine, road: Road, inputs: Tensor[]): ArrayLike<number>[] {
  const f = (...given: Tensor[]): Tensor => weighted(engine, road(...(given as [Tensor, Tensor, Tensor])));
  const slope = (...given: Tensor[]): Tensor =>
    engine
      .gradients(f, given)
      .gradients.map((gradient, i) => weighted(engine, gradient, `direction ${i}`))
      .reduce((a, b) => a.add(b));
  return engine.gradients(slope, inputs).gradients.map((gradient) => gradient.values());
}

describe.each<[string, Shape]>([
  ["even sizes", [3, 8, 6, 16]],
  ["odd sizes, whose last row and column are dropped", [2, 7, 5, 8]],
  ["an odd height alone", [2, 5, 4, 3]],
  ["one channel", [2, 4, 4, 1]],
  ["a batch of one", [1, 6, 6, 5]],
  ["no sample", [0, 4, 4, 3]],
  ["more channels than a vector register holds", [2, 4, 4, 37]],
])("the fused block on %s", (_, shape) => {
  // Float32 keeps seven digits; the sums over a plane of a few dozen positions lose one.
  test.each([
    ["values", value, 2e-6],
    ["gradients", first, 5e-6],
    ["second derivatives", second, 2e-5],
  ] as const)("has the %s of its definition in float64", (_name, of, tolerance) => {
    const expected = of(double, composite, inputsOn(double, shape));
    expect(deviation(of(single, fused, inputsOn(single, shape)), expected)).toBeLessThan(tolerance);
    expect(deviation(of(double, fused, inputsOn(double, shape)), expected)).toBeLessThan(1e-12);
  });
});

test("a view that is not dense gives the block the same result", () => {
  const [images, scale, shift] = inputsOn(single, [2, 6, 4, 3]) as [Tensor, Tensor, Tensor];
  const turned = images.transpose([0, 2, 1, 3]);
  const copied = single.tensor(turned.shape, turned.values());
  expect(fused(turned, scale, shift).values()).toEqual(fused(copied, scale, shift).values());
});

test("NaN in one plane of an image comes out as NaN there, and only there, forward and backward", () => {
  const shape = [2, 4, 4, 20];
  const pixels = inputsOn(single, shape)[0]!.values();
  pixels[16 * 20 + 5] = NaN; // second sample, first position, channel 5
  const [, scale, shift] = inputsOn(single, shape) as [Tensor, Tensor, Tensor];
  const planes = (values: ArrayLike<number>): Set<string> =>
    new Set(
      Array.from(values, (x, i) => ({ x, plane: `${i < values.length / 2 ? 0 : 1}/${i % 20}` }))
        .filter(({ x }) => Number.isNaN(x))
        .map(({ plane }) => plane),
    );
  const images = single.tensor(shape, pixels);
  expect(planes(fused(images, scale, shift).values())).toEqual(new Set(["1/5"]));
  const { gradients } = single.gradients((x) => fused(x, scale, shift).sum(), [images]);
  expect(planes(gradients[0]!.values())).toEqual(new Set(["1/5"]));
  expect(
    fused(images, scale, shift)
      .values()
      .filter((x) => Number.isNaN(x)),
  ).toHaveLength(4);
});
