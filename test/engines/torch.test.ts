import { createRequire } from "node:module";
import { describe, expect, test } from "@jest/globals";
import { addonFile } from "../../native/build.mjs";
import type { Engine, Tensor } from "../../src/engines/engine.ts";
import type { Addon } from "../../src/engines/torch/addon.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { normal } from "./differences.ts";

const engine = torchEngine();
const vector = engine.tensor([3], [1, 2, 3]);

const gradient = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => engine.gradients(f, [x]).gradients[0]!;
const numbers = (x: Tensor): number[] => Array.from(x.values());

describe("gradients", () => {
  test("nest: (x³)' = 3x², (x³)'' = 6x, (x³)''' = 6", () => {
    const cube = (x: Tensor): Tensor => x.mul(x).mul(x).sum();
    const first = (x: Tensor): Tensor => gradient(cube, x).sum();
    const second = (x: Tensor): Tensor => gradient(first, x).sum();
    expect(numbers(gradient(cube, vector))).toEqual([3, 12, 27]);
    expect(numbers(gradient(first, vector))).toEqual([6, 12, 18]);
    expect(numbers(gradient(second, vector))).toEqual([6, 6, 6]);
  });

  test("of an inner call count only paths through what f receives; the outer call sees the others", () => {
    // inner: ∂/∂y Σ (2x)·y = 2x, not 4x; outer: ∂/∂x Σ 2x = 2
    const outer = engine.gradients(
      (x) => {
        const doubled = x.mul(2);
        const inner = gradient((y) => doubled.mul(y).sum(), x);
        expect(numbers(inner)).toEqual([2, 4, 6]);
        return inner.sum();
      },
      [vector],
    );
    expect(numbers(outer.gradients[0]!)).toEqual([2, 2, 2]);
  });

  test("an inner value stays differentiable for the outer call", () => {
    const value = (x: Tensor): Tensor => engine.gradients((y) => y.square().sum(), [x]).value;
    expect(numbers(gradient(value, vector))).toEqual([2, 4, 6]);
  });

  test("are zeros for an input that f does not use, and for a constant f", () => {
    const other = engine.tensor([2, 1], [5, 6]);
    const { gradients } = engine.gradients((x, _) => x.sum(), [vector, other]);
    expect(gradients.map((g) => [g.shape, numbers(g)])).toEqual([
      [[3], [1, 1, 1]],
      [
        [2, 1],
        [0, 0],
      ],
    ]);
    expect(numbers(gradient(() => engine.fill([], 7), vector))).toEqual([0, 0, 0]);
  });

  test("treat detach, noGrad, max, greater and equal as constants", () => {
    const slope = (constant: (x: Tensor) => Tensor): number[] =>
      numbers(gradient((x) => constant(x).mul(x).sum(), vector));
    expect(slope((x) => x.square().detach())).toEqual([1, 4, 9]);
    expect(slope((x) => engine.noGrad(() => x.square()))).toEqual([1, 4, 9]);
    expect(slope((x) => x.max())).toEqual([3, 3, 3]);
    expect(slope((x) => x.greater(1.5))).toEqual([0, 1, 1]);
    expect(slope((x) => x.equal(2))).toEqual([0, 1, 0]);
  });

  test("can be taken inside noGrad, where they are constants", () => {
    const outer = gradient(
      (x) =>
        engine
          .noGrad(() => gradient((y) => y.square().sum(), x))
          .mul(x)
          .sum(),
      vector,
    );
    expect(numbers(outer)).toEqual([2, 4, 6]);
  });

  test("after an exception inside f are recorded no longer", () => {
    const failing = (): unknown =>
      engine.gradients(() => {
        throw new Error("inside");
      }, [vector]);
    expect(failing).toThrow("inside");
    expect(numbers(gradient((x) => gradient((y) => y.pow(3).sum(), x).sum(), vector))).toEqual([6, 12, 18]);
  });

  test("want a scalar and float inputs", () => {
    expect(() => gradient((x) => x.mul(2), vector)).toThrow(
      "gradients: expected f to return one float, got float32 [3]",
    );
    expect(() => gradient((x) => x.sum(), engine.indices([1]))).toThrow(
      "gradients: expected float inputs, got int32 [1]",
    );
  });

  test("of maxPool go to the window's first maximum", () => {
    const ties = engine.tensor([1, 2, 4, 1], [1, 2, 5, 5, 2, 2, 5, 5]);
    expect(numbers(gradient((x) => x.maxPool(2).sum(), ties))).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
  });
});

describe("memory", () => {
  test("a scope frees all but the tree it returns", () => {
    const before = engine.liveTensors();
    const kept = engine.scope(() => {
      vector.exp();
      return { list: [vector.add(1), 3], again: engine.scope(() => vector.exp().add(2)) };
    });
    expect(engine.liveTensors()).toBe(before + 2);
    expect(numbers(kept.list[0] as Tensor)).toEqual([2, 3, 4]);
    kept.again.dispose();
    kept.again.dispose();
    expect(engine.liveTensors()).toBe(before + 1);
  });

  test("a scope frees everything when it throws, or is handed a promise", () => {
    const before = engine.liveTensors();
    const failing = (): unknown =>
      engine.scope(() => {
        vector.exp();
        throw new Error("inside");
      });
    expect(failing).toThrow("inside");
    expect(() => engine.scope(() => Promise.resolve(vector.exp()))).toThrow(
      "scope: expected a synchronous function",
    );
    expect(engine.liveTensors()).toBe(before);
  });

  test("a hundred second-order steps leave no tensor behind", () => {
    const small = torchEngine({ threads: 1 });
    let x = small.fill([2, 6, 6, 2], 0.5);
    const filters = normal(small, [3, 3, 3, 2], "filters");
    const [scale, shift] = [small.fill([3], 1), small.fill([3], 0.1)];
    const loss = (images: Tensor, w: Tensor): Tensor =>
      images
        .conv2d(w, { padding: 1 })
        .instanceNormRelu(scale, shift, { epsilon: 1e-5, pooling: "avg" })
        .square()
        .sum();
    const step = (): void => {
      const next = small.scope(() => {
        const slope = (images: Tensor): Tensor =>
          small
            .gradients((w) => loss(images, w), [filters])
            .gradients[0]!.square()
            .sum();
        return x.sub(small.gradients(slope, [x]).gradients[0]!.mul(1e-9));
      });
      x.dispose();
      x = next;
    };
    step();
    const after = small.liveTensors();
    for (let i = 0; i < 100; i++) step();
    expect(small.liveTensors()).toBe(after);
    expect(after).toBe(4);
  });
});

describe("errors", () => {
  const double = torchEngine({ dtype: "float64" });
  const matrix = engine.fill([2, 3], 1);
  const gone = engine.fill([4], 1);
  gone.dispose();

  test.each<[string, () => unknown]>([
    ["exp: the tensor of shape [4] was used after it was disposed", () => gone.exp()],
    ["values: the tensor of shape [4] was used after it was disposed", () => gone.values()],
    ["add: the tensor of shape [4] was used after it was disposed", () => vector.add(gone)],
    [
      "add: expected a tensor of this torch-cpu engine, got one of another engine, torch-cpu",
      () => vector.add(double.fill([3], 1)),
    ],
    ["mul: expected shapes that broadcast, got [2, 3] and [2]", () => matrix.mul(engine.fill([2], 1))],
    ["matMul: expected [..., n, k] and [..., k, m], got [2, 3] and [2, 3]", () => matrix.matMul(matrix)],
    ["reshape: expected a shape of 6 elements for [2, 3], got [4]", () => matrix.reshape([4])],
    ["sum: expected an axis of [2, 3], got 2", () => matrix.sum(2)],
    ["mean: expected each axis once, got [0, -2]", () => matrix.mean([0, -2])],
    ["transpose: expected every axis of [2, 3] once, got order [0, 0]", () => matrix.transpose([0, 0])],
    ["broadcastTo: expected shapes that broadcast, got [2, 3] and [2, 4]", () => matrix.broadcastTo([2, 4])],
    ["slice: expected a part of [2, 3], got begin [1, 0], size [2, 3]", () => matrix.slice([1, 0], [2, 3])],
    ["gather: expected int32 indices of shape [count], got float32 [3]", () => matrix.gather(vector)],
    ["gather: expected indices from 0 to 1, got 2", () => matrix.gather(engine.indices([0, 2]))],
    ["gather: expected indices from 0 to 2, got -1", () => matrix.gather(engine.indices([1, -1]), 1)],
    ["gather: expected indices from 0 to 1, got 2", () => matrix.gather(vector.argmax(0).reshape([1]))],
    ["conv2d: expected [n, h, w, inputs] and [outputs, fh, fw, inputs]", () => matrix.conv2d(matrix)],
    ["avgPool: expected [n, h, w, c], got shape [2, 3]", () => matrix.avgPool(2)],
    [
      "fill: expected at most 6 axes, each at most 2147483647 long, and elements that fit this machine's memory",
      () => engine.fill([2 ** 32 + 1, 0], 1),
    ],
    ["item: expected a tensor with one element, got shape [3]", () => vector.item()],
    ["tensor: expected 3 values for shape [3], got 2", () => engine.tensor([3], [1, 2])],
    ["concat: expected at least one tensor, got none", () => engine.concat([])],
    [
      "concat: expected float32 shapes equal to [2, 3] except along axis 0",
      () => engine.concat([matrix, vector]),
    ],
    ["torch.threads: expected a whole number >= 1, got 0", () => torchEngine({ threads: 0 })],
  ])("%s", (message, run) => {
    expect(run).toThrow(
      expect.objectContaining({ name: "InputError", message: expect.stringContaining(message) }),
    );
  });

  test("a closed engine says so", () => {
    const closed = torchEngine();
    closed.close();
    expect(() => closed.fill([2], 1)).toThrow("fill: the torch-cpu engine was closed");
  });

  test("the addon survives arguments that are wrong, and says what is", () => {
    const addon = createRequire(import.meta.url)(addonFile()) as Addon;
    const call = (run: (any: Record<string, (...given: unknown[]) => unknown>) => unknown) => () =>
      run(addon as never);
    expect(call(({ neg }) => neg!(123456))).toThrow("there is no tensor number 123456");
    expect(call(({ neg }) => neg!(0))).toThrow("there is no tensor number 0");
    expect(call(({ neg }) => neg!())).toThrow("expected a whole number as argument");
    expect(call(({ release }) => release!(-1))).toThrow("there is no tensor number -1");
    expect(call(({ upload }) => upload!("no array", 0, false))).toThrow("expected a typed array");
    addon.scratch[16] = addon.scratch.length;
    expect(call(({ full }) => full!(1, 0, false))).toThrow("a list does not fit the scratch array");
    expect(call(({ cast }) => cast!(1, 9))).toThrow(/no element type has code 9|there is no tensor/);
  });
});

describe("numbers", () => {
  test("int32 operands count as the engine's float type; comparisons give it", () => {
    const labels = engine.indices([0, 2, 1]);
    expect(labels.dtype).toBe("int32");
    expect(labels.add(0.5).dtype).toBe("float32");
    expect(numbers(labels.add(0.5))).toEqual([0.5, 2.5, 1.5]);
    expect(
      numbers(
        engine
          .fill([3], 2)
          .argmax(0)
          .equal(engine.indices([0]))
          .reshape([1]),
      ),
    ).toEqual([1]);
    expect(labels.equal(2).dtype).toBe("float32");
    expect(labels.values()).toEqual(Int32Array.from([0, 2, 1]));
  });

  test("argmax takes the first of equals, and sum over no axis is the tensor itself", () => {
    expect(numbers(engine.tensor([2, 3], [1, 7, 7, 5, 5, 1]).argmax(-1))).toEqual([1, 0]);
    expect(numbers(vector.sum([]))).toEqual([1, 2, 3]);
    expect(numbers(vector.max([]))).toEqual([1, 2, 3]);
  });

  test("NaN passes relu, and max", () => {
    const hole = engine.tensor([3], [1, NaN, -1]);
    expect(numbers(hole.relu())).toEqual([1, NaN, 0]);
    expect(hole.max().item()).toBeNaN();
  });

  test("typed arrays of another realm or type go in by value", () => {
    expect(numbers(engine.tensor([2], Float64Array.of(1, 2)))).toEqual([1, 2]);
    expect(numbers(engine.tensor([2], structuredClone(Float32Array.of(1, 2))))).toEqual([1, 2]);
  });

  test("the same inputs give the same bits, forward and backward", () => {
    const run = (own: Engine): Float32Array[] =>
      own.scope(() => {
        const inputs = [
          normal(own, [16, 16, 16, 3], "images"),
          normal(own, [32, 3, 3, 3], "filters"),
          normal(own, [32], "scale"),
          normal(own, [32], "shift"),
          normal(own, [10, 32 * 64], "head"),
        ];
        const { value, gradients } = own.gradients((images, filters, scale, ...rest) => {
          const features = images
            .conv2d(filters!, { padding: 1, bias: rest[0]! })
            .instanceNormRelu(scale!, rest[0]!, { epsilon: 1e-5, pooling: "avg" });
          return features
            .reshape([16, 32 * 64])
            .matMul(rest[1]!.transpose())
            .logSoftmax()
            .square()
            .mean();
        }, inputs);
        return [value, ...gradients].map((tensor) => tensor.values() as Float32Array);
      });
    const once = run(engine);
    expect(once.every((values) => values.every(Number.isFinite))).toBe(true);
    for (let again = 0; again < 3; again++) expect(run(engine)).toEqual(once);
  });
});
