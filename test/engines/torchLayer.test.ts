import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Pooling, Tensor } from "../../src/engines/engine.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { deviation, weighted } from "./differences.ts";

const single = torchEngine({ threads: 1 });
const double = torchEngine({ dtype: "float64", threads: 1 });

interface Layer {
  readonly images: Shape;
  readonly outputs: number;
  readonly padding: number;
  readonly pooling: Pooling;
}

/** Images, filters, bias, scale and shift: the same single precision numbers on every engine. */
function inputsOn(engine: Engine, { images, outputs }: Layer): Tensor[] {
  const rng = seeded(9);
  const inputs = images[3]!;
  const drawn = (name: string, shape: Shape, deviation: number, mean: number): Tensor => {
    const values = rng.stream(name).fillNormal(new Float32Array(sizeOf(shape)));
    return engine.tensor(
      shape,
      values.map((value) => mean + deviation * value),
    );
  };
  return [
    drawn("images", images, 1, 0.5),
    drawn("filters", [outputs, 3, 3, inputs], 1 / Math.sqrt(9 * inputs), 0),
    drawn("bias", [outputs], 1, 0),
    drawn("scale", [outputs], 0.5, 1),
    drawn("shift", [outputs], 0.5, 0),
  ];
}

type Road = (layer: Layer, inputs: readonly Tensor[]) => Tensor;

const inOne: Road = ({ padding, pooling }, [images, filters, bias, scale, shift]) =>
  images!.convolvedBlock(filters!, {
    bias: bias!,
    padding,
    scale: scale!,
    shift: shift!,
    epsilon: 1e-3,
    pooling,
  });

const inTwo: Road = ({ padding, pooling }, [images, filters, bias, scale, shift]) =>
  images!
    .conv2d(filters!, { bias: bias!, padding })
    .instanceNormRelu(scale!, shift!, { epsilon: 1e-3, pooling });

const numbers = (tensors: readonly Tensor[]): Float64Array[] =>
  tensors.map((tensor) => Float64Array.from(tensor.values()));

/** Gradients in the inputs at the places `which`. */
function first(engine: Engine, road: Road, layer: Layer, which = [0, 1, 2, 3, 4]): Float64Array[] {
  const inputs = inputsOn(engine, layer);
  const f = (...given: Tensor[]): Tensor => {
    const all = inputs.map((input, i) => (which.includes(i) ? given[which.indexOf(i)]! : input));
    return weighted(engine, road(layer, all));
  };
  return numbers(engine.gradients(f, which.map((i) => inputs[i]!)).gradients); // prettier-ignore
}

function second(engine: Engine, road: Road, layer: Layer): Float64Array[] {
  const slope = (...given: Tensor[]): Tensor =>
    engine
      .gradients((...inner) => weighted(engine, road(layer, inner)), given)
      .gradients.map((gradient, i) => weighted(engine, gradient, `direction ${i}`))
      .reduce((a, b) => a.add(b));
  return numbers(engine.gradients(slope, inputsOn(engine, layer)).gradients);
}

const layers: [string, Layer][] = [
  ["a first layer", { images: [19, 8, 6, 3], outputs: 32, padding: 1, pooling: "avg" }],
  ["a first layer of digits", { images: [3, 5, 7, 1], outputs: 64, padding: 3, pooling: "max" }],
  ["a first layer without pooling", { images: [2, 6, 6, 2], outputs: 32, padding: 0, pooling: "none" }],
  ["a deeper layer", { images: [7, 8, 8, 32], outputs: 64, padding: 1, pooling: "avg" }],
  ["a layer that libtorch convolves", { images: [2, 6, 6, 5], outputs: 8, padding: 1, pooling: "max" }],
];

describe.each(layers)("%s in one operation", (_, layer) => {
  test("is its two operations", () => {
    const [one, two] = [inOne, inTwo].map((road) => numbers([road(layer, inputsOn(single, layer))]));
    expect(deviation(one!, two!)).toBeLessThan(1e-5);
    expect(deviation(one!, numbers([inTwo(layer, inputsOn(double, layer))]))).toBeLessThan(1e-5);
  });

  test("gives the same bits where a gradient is recorded", () => {
    const inputs = inputsOn(single, layer);
    const plain = weighted(single, inOne(layer, inputs)).item();
    const f = (...given: Tensor[]): Tensor => weighted(single, inOne(layer, given));
    expect(single.gradients(f, inputs).value.item()).toBe(plain);
  });

  // A bias alone is not among them: instance norm takes it away again, and its gradient is rounding.
  test("has their gradients, in all inputs, in images alone and in parameters alone", () => {
    const expected = first(double, inTwo, layer);
    expect(deviation(first(single, inOne, layer), expected)).toBeLessThan(1e-5);
    for (const which of [[0], [1, 2], [3, 4], [1, 2, 3, 4]]) {
      const some = first(single, inOne, layer, which);
      expect(deviation(some, which.map((i) => expected[i]!))).toBeLessThan(1e-5); // prettier-ignore
    }
  });

  test("has their second derivatives", () => {
    expect(deviation(second(single, inOne, layer), second(double, inTwo, layer))).toBeLessThan(1e-4);
  });

  test("counts each path once where parameters depend on the images", () => {
    const tied =
      (road: Road): Road =>
      (given, [images, filters, bias, scale, shift]) => {
        const mean = images!.square().mean();
        const parameters = [filters!.mul(mean), bias!.add(mean), scale!.add(mean), shift!.mul(mean)];
        return road(given, [images!, ...parameters]);
      };
    expect(deviation(second(single, tied(inOne), layer), second(double, tied(inTwo), layer))).toBeLessThan(
      1e-4,
    );
  });
});

// libtorch's sums depend on the threads.
test.each(layers.filter(([name]) => name !== "a layer that libtorch convolves"))(
  "%s in one operation gives the same bits on two threads as on one",
  (_, layer) => {
    const [one, two] = [1, 2].map((threads) => {
      const engine = torchEngine({ threads });
      return [...numbers([inOne(layer, inputsOn(engine, layer))]), ...first(engine, inOne, layer)];
    });
    expect(two).toEqual(one);
  },
);

test("a batch of no images gives none, and zero gradients", () => {
  const layer = { images: [0, 8, 8, 3], outputs: 32, padding: 1, pooling: "avg" } as const;
  expect(inOne(layer, inputsOn(single, layer)).shape).toEqual([0, 4, 4, 32]);
  for (const gradient of first(single, inOne, layer))
    expect(gradient.every((value) => value === 0)).toBe(true);
});

test("a bias, scale or shift of another length is refused", () => {
  const layer = { images: [2, 8, 8, 3], outputs: 32, padding: 1, pooling: "avg" } as const;
  const inputs = inputsOn(single, layer);
  const short = single.fill([31], 1);
  const withShort = (at: number): Tensor[] => inputs.map((input, i) => (i === at ? short : input));
  expect(() => inOne(layer, withShort(2))).toThrow("convolvedBlock.bias: expected shape [32], got [31]");
  for (const at of [3, 4])
    expect(() => inOne(layer, withShort(at))).toThrow(/expected \[n, h, w, c\], \[c\] and \[c\]/);
});
