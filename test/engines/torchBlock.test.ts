import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Pooling, Tensor } from "../../src/engines/engine.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { deviation, weighted } from "./differences.ts";

const single = torchEngine();
const double = torchEngine({ dtype: "float64" });
const epsilon = 1e-5;

type Road = (pooling: Pooling) => (images: Tensor, scale: Tensor, shift: Tensor) => Tensor;

/** The fused block's road: one call. */
const fused: Road = (pooling) => (images, scale, shift) =>
  images.instanceNormRelu(scale, shift, { epsilon, pooling });

/** The other road: its definition, one operation after another. */
const composite: Road = (pooling) => (images, scale, shift) => {
  const centered = images.sub(images.mean([1, 2], true));
  const inverse = centered.square().mean([1, 2], true).add(epsilon).rsqrt();
  const active = centered.mul(inverse).mul(scale).add(shift).relu();
  if (pooling === "none") return active;
  return pooling === "avg" ? active.avgPool(2) : active.maxPool(2);
};

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

type Block = ReturnType<Road>;
type Result = (engine: Engine, block: Block, inputs: Tensor[]) => ArrayLike<number>[];

/**
 * Derivatives of Σ ⟨cᵢ, fᵢ + fᵢ²/2⟩ over the tensors fᵢ that `of` makes of the inputs; cᵢ are fixed and random. Without
 * the square, slopes would be constants, and derivatives with respect to them unseen.
 */
function derivatives(engine: Engine, of: (given: Tensor[]) => Tensor[], inputs: Tensor[]): Tensor[] {
  const scalar = (...given: Tensor[]): Tensor =>
    of(given)
      .map((result, i) => weighted(engine, result.add(result.square().mul(0.5)), `weights ${i}`))
      .reduce((a, b) => a.add(b));
  return [...engine.gradients(scalar, inputs).gradients];
}

/** The block's result, or derivatives of derivatives of it, with respect to all three inputs. */
const order =
  (count: number): Result =>
  (engine, block, inputs) => {
    let of = (given: Tensor[]): Tensor[] => [block(...(given as [Tensor, Tensor, Tensor]))];
    for (let i = 0; i < count; i++) {
      const lower = of;
      of = (given) => derivatives(engine, lower, given);
    }
    return of(inputs).map((tensor) => tensor.values());
  };

const poolings: Pooling[] = ["avg", "max", "none"];
const shapes: [string, Shape][] = [
  ["even sizes", [3, 8, 6, 16]],
  ["odd sizes, whose last row and column are dropped", [2, 7, 5, 8]],
  ["an odd height alone", [2, 5, 4, 3]],
  ["an odd width alone", [2, 4, 3, 20]],
  ["one channel", [2, 4, 4, 1]],
  ["a batch of one", [1, 6, 6, 5]],
  ["one window", [3, 2, 2, 17]],
  ["no sample", [0, 4, 4, 3]],
  ["more channels than a vector register holds", [2, 4, 4, 37]],
];

// Float32 keeps seven digits; the sums over a plane of a few dozen positions lose one. A window of four has a variance
// that may be small, and its inverse root magnifies.
const quantities: [string, Result, number][] = [
  ["values", order(0), 2e-6],
  ["gradients", order(1), 5e-6],
  ["second derivatives", order(2), 2e-5],
  ["third derivatives", order(3), 1e-4],
];

describe.each(poolings)("the fused block with %s pooling", (pooling) => {
  describe.each(shapes)("on %s", (_, shape) => {
    test.each(quantities)("has the %s of its definition in float64", (_name, of, tolerance) => {
      const expected = of(double, composite(pooling), inputsOn(double, shape));
      const [inFloat32, inFloat64] = [single, double].map((engine) =>
        of(engine, fused(pooling), inputsOn(engine, shape)),
      );
      expect(deviation(inFloat32!, expected)).toBeLessThan(tolerance);
      expect(deviation(inFloat64!, expected)).toBeLessThan(1e-12);
    });
  });

  test("adds up a plane of 1024 positions in short chains: rounding costs less than two bits of 24", () => {
    const on = (engine: Engine, road: Road): ArrayLike<number> =>
      order(0)(engine, road(pooling), inputsOn(engine, [2, 32, 32, 16]))[0]!;
    const [actual, expected] = [on(single, fused), on(double, composite)].map((list) => Array.from(list));
    const energy = (list: number[]): number => list.reduce((sum, x) => sum + x * x, 0);
    const error = energy(expected!.map((x, i) => x - actual![i]!)) / energy(expected!);
    expect(Math.sqrt(error)).toBeLessThan(2 ** -22);
  });

  test("gives a view that is not dense the same result and gradients", () => {
    const [images, scale, shift] = inputsOn(single, [2, 6, 4, 3]) as [Tensor, Tensor, Tensor];
    const turned = images.transpose([0, 2, 1, 3]);
    const copied = single.tensor(turned.shape, turned.values());
    const every = (x: Tensor): ArrayLike<number>[] =>
      [0, 1, 2].flatMap((count) => order(count)(single, fused(pooling), [x, scale, shift]));
    expect(every(turned)).toEqual(every(copied));
  });

  test("keeps NaN in one plane of an image, and only there, in both orders of derivative", () => {
    const shape = [2, 4, 4, 20];
    const pixels = inputsOn(single, shape)[0]!.values();
    pixels[16 * 20 + 5] = NaN; // second sample, first position, channel 5
    const [, scale, shift] = inputsOn(single, shape) as [Tensor, Tensor, Tensor];
    const images = single.tensor(shape, pixels);
    const lost = (tensor: Tensor): string[] =>
      Array.from(tensor.values(), (x, i) => ({ x, plane: Math.floor((2 * i) / sizeOf(tensor.shape)), i }))
        .filter(({ x }) => Number.isNaN(x))
        .map(({ plane, i }) => `${plane}/${i % 20}`);
    const block = (x: Tensor): Tensor => fused(pooling)(x, scale, shift);
    const slope = (x: Tensor): Tensor => derivatives(single, ([y]) => [block(y!)], [x])[0]!;
    const pooled = pooling === "none" ? 16 : 4;
    expect(lost(block(images))).toEqual(new Array(pooled).fill("1/5"));
    expect(lost(slope(images))).toEqual(new Array(16).fill("1/5"));
    const curvature = derivatives(single, ([y]) => [slope(y!)], [images])[0]!;
    expect(lost(curvature)).toEqual(new Array(16).fill("1/5"));
  });

  test("counts each path once where scale and shift depend on the images", () => {
    const tied =
      (road: Road): Block =>
      (images, scale, shift) => {
        const mean = images.mean([0, 1, 2]);
        return road(pooling)(images, scale.add(mean.mul(0.5)), shift.mul(mean));
      };
    for (const count of [1, 2, 3]) {
      const [actual, expected] = [
        order(count)(single, tied(fused), inputsOn(single, [2, 4, 4, 3])),
        order(count)(double, tied(composite), inputsOn(double, [2, 4, 4, 3])),
      ];
      expect(deviation(actual, expected)).toBeLessThan(1e-4);
    }
  });

  test.each([0, 1, 2])("has derivatives of gradient %i alone", (which) => {
    const slope = (engine: Engine, road: Road): ArrayLike<number>[] => {
      const block = road(pooling) as (...given: Tensor[]) => Tensor;
      const one = (given: Tensor[]): Tensor[] => [derivatives(engine, (x) => [block(...x)], given)[which]!];
      return derivatives(engine, one, inputsOn(engine, [2, 5, 4, 3])).map((tensor) => tensor.values());
    };
    expect(deviation(slope(single, fused), slope(double, composite))).toBeLessThan(2e-5);
  });

  test("has the same bits on one and two threads, in both orders of derivative", () => {
    const shape = [128, 2, 2, 260]; // sums over samples are long enough for libtorch to share them out
    const [one, two] = [1, 2].map((threads) => {
      const engine = torchEngine({ threads });
      return engine.scope(() =>
        [0, 1, 2].flatMap((count) => order(count)(engine, fused(pooling), inputsOn(engine, shape))),
      ) as Float32Array[];
    });
    one!.forEach((list, i) => expect(Buffer.compare(bytes(list), bytes(two![i]!))).toBe(0));
  });
});

const bytes = (list: Float32Array): Buffer => Buffer.from(list.buffer, list.byteOffset, list.byteLength);

describe("max pooling in the block", () => {
  const one = (engine: Engine): Tensor => engine.fill([1], 1);

  test("sends the gradient to the first of equal maxima", () => {
    const slopeOn = (engine: Engine, road: Road): ArrayLike<number>[] => {
      const images = engine.tensor([1, 2, 8, 1], [1, 3, 0, 2, 5, 5, -1, -2, 3, 3, 2, 2, 5, 5, 4, 4]);
      return order(1)(engine, road("max"), [images, one(engine), one(engine)]);
    };
    expect(deviation(slopeOn(single, fused), slopeOn(double, composite))).toBeLessThan(1e-6);
  });

  test.each([0, 1, 2, 3])("gives NaN where only position %i of a window is NaN", (position) => {
    // Scaled by infinity, values at the mean are 0 · ∞; the others are infinite, and not NaN.
    const pixels = [1, 1, 1, 1, -1, -1, -1, -1];
    pixels[position] = 0;
    pixels[position + 4] = 0;
    const images = single.tensor([1, 4, 2, 1], pixels);
    const infinite = single.fill([1], Infinity);
    for (const pooling of ["max", "avg"] as const) {
      const pooled = fused(pooling)(images, infinite, one(single));
      expect(Array.from(pooled.values())).toEqual([NaN, NaN]);
    }
  });
});

test.each<[string, () => unknown]>([
  [
    "instanceNormRelu: expected images of at least 2×2 pixels, got shape [1, 1, 4, 1]",
    () => fused("max")(single.fill([1, 1, 4, 1], 1), single.fill([1], 1), single.fill([1], 1)),
  ],
  [
    "instanceNormRelu: expected [n, h, w, c], [c] and [c], got [1, 2, 2, 1], [2], [1]",
    () => fused("avg")(single.fill([1, 2, 2, 1], 1), single.fill([2], 1), single.fill([1], 1)),
  ],
  [
    'instanceNormRelu.pooling: expected one of avg, max, none, got "mean"',
    () => fused("mean" as Pooling)(single.fill([1, 2, 2, 1], 1), single.fill([1], 1), single.fill([1], 1)),
  ],
])("%s", (message, run) => {
  expect(run).toThrow(
    expect.objectContaining({ name: "InputError", message: expect.stringContaining(message) }),
  );
});

test("a map of one pixel has the shift for its value, and only the shift has a gradient", () => {
  const [images, scale] = [single.tensor([2, 1, 1, 2], [5, -3, 2, 7]), single.tensor([2], [1, 2])];
  const shift = single.tensor([2], [0.5, -1]);
  expect(Array.from(fused("none")(images, scale, shift).values())).toEqual([0.5, 0, 0.5, 0]);
  const { gradients } = single.gradients(
    (x, gain, offset) => fused("none")(x, gain, offset).sum(),
    [images, scale, shift],
  );
  expect(gradients.map((gradient) => Array.from(gradient.values()))).toEqual([
    [0, 0, 0, 0],
    [0, 0],
    [2, 0],
  ]);
});
