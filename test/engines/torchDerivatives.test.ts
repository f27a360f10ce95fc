import { describe, expect, test } from "@jest/globals";
import type { Shape } from "../../src/core/shape.ts";
import type { Pooling, Tensor } from "../../src/engines/engine.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { centralDifferences, deviation, normal, weighted } from "./differences.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
/** Central differences at step 1e-5 lose ten digits of sixteen in the worst case here. */
const tolerance = 1e-6;

interface Case {
  readonly f: (...inputs: Tensor[]) => Tensor;
  readonly shapes: readonly Shape[];
  /** Where inputs must be positive. */
  readonly positive?: boolean;
}

const picture: Shape = [2, 5, 4, 2];
const filters: Shape = [3, 3, 2, 2];

const block = (pooling: Pooling): Case => ({
  f: (x, scale, shift) => x.instanceNormRelu(scale, shift, { epsilon: 1e-3, pooling }),
  shapes: [picture, [2], [2]],
});

const cases: Record<string, Case> = {
  add: { f: (x, y) => x.add(y).square(), shapes: [[2, 3], [3]] },
  sub: {
    f: (x, y) => x.sub(y).square(),
    shapes: [
      [2, 3],
      [2, 1],
    ],
  },
  mul: { f: (x, y) => x.mul(y), shapes: [[2, 3], [3]] },
  div: { f: (x, y) => x.div(y), shapes: [[2, 3], [3]], positive: true },
  "maximum and minimum": { f: (x, y) => x.maximum(y).mul(x.minimum(0.3)), shapes: [[2, 3], [3]] },
  pow: { f: (x) => x.pow(2.5), shapes: [[4]], positive: true },
  neg: { f: (x) => x.neg().square(), shapes: [[3]] },
  exp: { f: (x) => x.exp(), shapes: [[3]] },
  log: { f: (x) => x.log(), shapes: [[3]], positive: true },
  sqrt: { f: (x) => x.sqrt(), shapes: [[3]], positive: true },
  rsqrt: { f: (x) => x.rsqrt(), shapes: [[3]], positive: true },
  square: { f: (x) => x.square(), shapes: [[3]] },
  abs: { f: (x) => x.abs().mul(x), shapes: [[4]] },
  sin: { f: (x) => x.sin(), shapes: [[3]] },
  cos: { f: (x) => x.cos(), shapes: [[3]] },
  tanh: { f: (x) => x.tanh(), shapes: [[3]] },
  sigmoid: { f: (x) => x.sigmoid(), shapes: [[3]] },
  relu: { f: (x) => x.relu().square(), shapes: [[5]] },
  "sum over some axes": { f: (x) => x.square().sum([0, -1]), shapes: [[2, 3, 2]] },
  "mean, keeping axes": { f: (x) => x.sub(x.mean(1, true)).square(), shapes: [[2, 3]] },
  "reshape and transpose": { f: (x) => x.reshape([3, 2]).transpose().exp(), shapes: [[2, 3]] },
  broadcastTo: { f: (x) => x.broadcastTo([4, 3]).exp(), shapes: [[3]] },
  slice: { f: (x) => x.slice([1, 0], [1, 2]).exp(), shapes: [[2, 3]] },
  pad: {
    f: (x) =>
      x
        .pad([
          [1, 0],
          [0, 2],
        ])
        .exp(),
    shapes: [[2, 3]],
  },
  "gather with repeats": { f: (x) => x.gather(engine.indices([2, 0, 2]), 1).exp(), shapes: [[2, 3]] },
  concat: { f: (x, y) => engine.concat([x, y], 1).exp(), shapes: [[2, 3], [2, 1]] }, // prettier-ignore
  matMul: { f: (x, y) => x.matMul(y).square(), shapes: [[2, 3], [3, 4]] }, // prettier-ignore
  "matMul of batches": { f: (x, y) => x.matMul(y).square(), shapes: [[2, 2, 3], [2, 3, 2]] }, // prettier-ignore
  logSoftmax: { f: (x) => x.logSoftmax(), shapes: [[2, 4]] },
  conv2d: { f: (x, w) => x.conv2d(w).square(), shapes: [picture, filters] },
  "conv2d with bias, stride and padding": {
    f: (x, w, bias) => x.conv2d(w, { bias, stride: 2, padding: 1 }).square(),
    shapes: [picture, filters, [3]],
  },
  "conv2d whose stride leaves a remainder": {
    f: (x, w) => x.conv2d(w, { stride: 3 }).square(),
    shapes: [
      [1, 6, 5, 2],
      [3, 3, 3, 2],
    ],
  },
  "conv2d of one channel to one": { f: (x, w) => x.conv2d(w, { padding: 1 }).square(), shapes: [[2, 4, 4, 1], [1, 3, 3, 1]] }, // prettier-ignore
  avgPool: { f: (x) => x.avgPool(2).square(), shapes: [picture] },
  maxPool: { f: (x) => x.maxPool(2).square(), shapes: [picture] },
  "instanceNormRelu, averages": block("avg"),
  "instanceNormRelu, maxima": block("max"),
  "instanceNormRelu without pooling": block("none"),
};

describe.each(Object.entries(cases))("%s", (_, { f, shapes, positive = false }) => {
  const inputs = shapes.map((shape, i) => {
    const x = normal(engine, shape, `input ${i}`);
    return positive ? x.abs().add(0.5) : x;
  });
  const scalar = (...given: Tensor[]): Tensor => weighted(engine, f(...given));
  const slope = (...given: Tensor[]): Tensor => {
    const { gradients } = engine.gradients(scalar, given);
    return gradients
      .map((gradient, i) => weighted(engine, gradient, `direction ${i}`))
      .reduce((a, b) => a.add(b));
  };

  test("its gradient is the central difference", () => {
    const { gradients } = engine.gradients(scalar, inputs);
    expect(gradients.map(({ shape }) => shape)).toEqual(shapes);
    const expected = centralDifferences(engine, scalar, inputs);
    expect(
      deviation(
        gradients.map((gradient) => gradient.values()),
        expected,
      ),
    ).toBeLessThan(tolerance);
  });

  test("its second derivative is the central difference of the gradient", () => {
    const { gradients } = engine.gradients(slope, inputs);
    const expected = centralDifferences(engine, slope, inputs);
    expect(
      deviation(
        gradients.map((gradient) => gradient.values()),
        expected,
      ),
    ).toBeLessThan(tolerance);
  });
});

test("conv2d has third derivatives", () => {
  const [x, w] = [normal(engine, [1, 4, 4, 2], "x"), normal(engine, [2, 3, 3, 2], "w")];
  const cubed = (images: Tensor, weights: Tensor): Tensor =>
    weighted(engine, images.conv2d(weights, { padding: 1 }).pow(3));
  const second = (images: Tensor): Tensor => {
    const first = (a: Tensor): Tensor => {
      const { gradients } = engine.gradients((b) => cubed(a, b), [w]);
      return weighted(engine, gradients[0]!, "u");
    };
    return weighted(engine, engine.gradients(first, [images]).gradients[0]!, "v");
  };
  const { gradients } = engine.gradients(second, [x]);
  const expected = centralDifferences(engine, second, [x]);
  expect(deviation([gradients[0]!.values()], expected)).toBeLessThan(tolerance);
});

test("conv2d is the sum over the window, by loops", () => {
  const [stride, padding, [n, h, w, inputs], [outputs, fh, fw]] = [2, 1, picture, filters] as const;
  const images = normal(engine, picture, "images");
  const weights = normal(engine, filters, "filters");
  const bias = normal(engine, [outputs!], "bias");
  const [x, f, b] = [images.values(), weights.values(), bias.values()];
  const rows = Math.floor((h! + 2 * padding - fh!) / stride) + 1;
  const columns = Math.floor((w! + 2 * padding - fw!) / stride) + 1;
  const pixel = (i: number, row: number, column: number, c: number): number =>
    row < 0 || row >= h! || column < 0 || column >= w! ? 0 : x[((i * h! + row) * w! + column) * inputs! + c]!;
  const expected: number[] = [];
  for (let at = 0; at < n! * rows * columns * outputs!; at++) {
    const [o, column] = [at % outputs!, Math.floor(at / outputs!) % columns];
    const [row, i] = [Math.floor(at / outputs! / columns) % rows, Math.floor(at / outputs! / columns / rows)];
    let sum = b[o]!;
    for (let tap = 0; tap < fh! * fw! * inputs!; tap++) {
      const [c, q, p] = [tap % inputs!, Math.floor(tap / inputs!) % fw!, Math.floor(tap / inputs! / fw!)];
      sum +=
        f[o * fh! * fw! * inputs! + tap]! *
        pixel(i, row * stride + p - padding, column * stride + q - padding, c);
    }
    expected.push(sum);
  }
  const result = images.conv2d(weights, { bias, stride, padding });
  expect(result.shape).toEqual([n, rows, columns, outputs]);
  expect(deviation([result.values()], [expected])).toBeLessThan(1e-13);
});
