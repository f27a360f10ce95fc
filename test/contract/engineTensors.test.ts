import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { expectClose } from "../support/close.ts";
import { describeEngines, engines } from "../support/engines.ts";

describeEngines(await engines(), (engine) => {
  const random = (shape: readonly number[], seed: number): Tensor =>
    engine.tensor(shape, seeded(seed).fillNormal(new Float64Array(sizeOf(shape))));

  describe("values", () => {
    test("NaN stays NaN through relu, on the way to a loss", () => {
      engine.scope(() => {
        const x = engine.tensor([5], [NaN, -1, 2, Infinity, -Infinity]);
        expectClose(x.relu().values(), [NaN, 0, 2, Infinity, 0], 0);
        const block = engine.tensor([1, 2, 2, 1], [NaN, 1, 2, 3]);
        const ones = engine.fill([1], 1);
        for (const pooling of ["avg", "max", "none"] as const) {
          const values = block.instanceNormRelu(ones, ones, { epsilon: 1e-5, pooling }).values();
          expect(values.every((value) => Number.isNaN(value))).toBe(true);
        }
      });
    });

    test("NaN and infinities stay what they are through sums", () => {
      engine.scope(() => {
        const odd = [NaN, Infinity, -Infinity, 1];
        const x = engine.tensor([1, 4, 4], [...odd, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0]);
        expectClose(x.sum(1).values(), [NaN, Infinity, -Infinity, 4], 0);
        expectClose(x.slice([0, 0, 0], [1, 3, 4]).sum([0, 1]).values(), [NaN, Infinity, -Infinity, 4], 0);
        expectClose(x.sum(-1).values(), [NaN, 4, 8, 0], 0);
      });
    });

    test("come back in the engine's type, and indices as int32", () => {
      engine.scope(() => {
        const x = engine.tensor([2, 1], [1, 2]);
        expect(x.dtype).toBe(engine.dtype);
        expect(Object.prototype.toString.call(x.values())).toBe(
          engine.dtype === "float64" ? "[object Float64Array]" : "[object Float32Array]",
        );
        const found = x.argmax(0);
        expect(found.dtype).toBe("int32");
        expect(Object.prototype.toString.call(found.values())).toBe("[object Int32Array]");
        expect([...engine.indices([3, 1]).values()]).toEqual([3, 1]);
      });
    });

    test("do not change when the host array does", () => {
      engine.scope(() => {
        const source = new Float32Array([1, 2]);
        const x = engine.tensor([2], source);
        source[0] = 9;
        const copy = x.values();
        copy[1] = 9;
        expect([...x.values()]).toEqual([1, 2]);
      });
    });

    test("one row's NaN stays in its group of a characteristic function, and in its row of the gradient", () => {
      engine.scope(() => {
        const x = engine.tensor([4, 2], [1, 2, 3, 4, 5, NaN, 7, 8]);
        const omega = engine.tensor([3, 2], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        const { re, im } = x.characteristic(omega, [2, 1, 1]);
        for (const part of [re, im]) {
          expect(Array.from(part.values(), Number.isNaN)).toEqual(
            Array.from({ length: 9 }, (_, i) => i >= 3 && i < 6),
          );
        }
        const sum = (at: Tensor): Tensor => at.characteristic(omega, [2, 2]).re.slice([0, 0], [1, 3]).sum();
        const { gradients } = engine.gradients(sum, [x]);
        expect(Array.from(gradients[0]!.slice([0, 0], [2, 2]).values(), Number.isNaN)).not.toContain(true);
      });
    });

    test("large sums are exact where all partial sums are whole numbers", () => {
      engine.scope(() => {
        const ones = engine.fill([30, 32, 32, 3], 1);
        expect(ones.sum().item()).toBe(92160);
        expect([...ones.sum([0, 1, 2]).values()]).toEqual([30720, 30720, 30720]);
        expect(
          ones
            .sum([1, 2])
            .values()
            .every((total) => total === 1024),
        ).toBe(true);
        expect(ones.slice([0, 0, 0, 0], [30, 31, 32, 3]).sum([1, 2]).max().item()).toBe(992);
      });
    });
  });

  describe("memory", () => {
    test("scope frees all but what it returns, at any depth of the tree", () => {
      const before = engine.liveTensors();
      const { kept, deep } = engine.scope(() => {
        const x = engine.fill([3], 2);
        x.exp().log();
        return { kept: x.square(), deep: [{ y: x.add(1) }] };
      });
      expect(engine.liveTensors()).toBe(before + 2);
      expect([...kept.values(), ...deep[0]!.y.values()]).toEqual([4, 4, 4, 3, 3, 3]);
      kept.dispose();
      deep[0]!.y.dispose();
      expect(engine.liveTensors()).toBe(before);
    });

    test("a scope hands its result to the scope around it", () => {
      const before = engine.liveTensors();
      engine.scope(() => {
        const inner = engine.scope(() => engine.scope(() => engine.fill([2], 1).add(1)));
        expect([...inner.values()]).toEqual([2, 2]);
      });
      expect(engine.liveTensors()).toBe(before);
    });

    test("scopes free everything when the function throws, inside gradients too", () => {
      const before = engine.liveTensors();
      const fail = (): never => {
        throw new Error("halfway");
      };
      expect(() =>
        engine.scope(() => {
          engine.fill([2], 1).add(1);
          return fail();
        }),
      ).toThrow("halfway");
      expect(() =>
        engine.scope(() =>
          engine.gradients(
            (x) => engine.gradients((y) => fail() ?? y!.exp().sum(), [x!.exp()]).value,
            [engine.fill([2], 1)],
          ),
        ),
      ).toThrow("halfway");
      expect(engine.liveTensors()).toBe(before);
    });

    test("a hundred second-order steps leave nothing behind", () => {
      let [x, w] = [random([2, 6, 6, 2], 4), random([3, 3, 3, 2], 5)];
      const [scale, shift] = [engine.fill([3], 1), engine.fill([3], 0.1)];
      const loss = (images: Tensor, filters: Tensor): Tensor =>
        images
          .conv2d(filters, { padding: 1 })
          .instanceNormRelu(scale, shift, { epsilon: 1e-5, pooling: "avg" })
          .square()
          .sum();
      const before = engine.liveTensors();
      for (let step = 0; step < 100; step++) {
        const next = engine.scope(() => {
          const { gradients } = engine.gradients(
            (images, filters) =>
              engine
                .gradients((inner) => loss(images!, inner!), [filters!])
                .gradients[0]!.square()
                .sum(),
            [x, w],
          );
          return [x.sub(gradients[0]!.mul(1e-6)), w.sub(gradients[1]!.mul(1e-6))] as [Tensor, Tensor];
        });
        x.dispose();
        w.dispose();
        [x, w] = next;
        expect(engine.liveTensors()).toBe(before);
      }
      for (const tensor of [x, w, scale, shift]) tensor.dispose();
    });

    test("using a tensor after dispose throws; disposing twice does not", () => {
      const x = engine.fill([2], 1);
      x.dispose();
      x.dispose();
      expect(() => x.add(1)).toThrow(/dispose/);
      expect(() => x.values()).toThrow(/dispose/);
      const escaped: Tensor[] = [];
      engine.scope(() => void escaped.push(engine.fill([2], 1)));
      expect(() => escaped[0]!.sum()).toThrow(/dispose/);
    });

    test("an asynchronous scope is refused", () => {
      expect(() => engine.scope(() => Promise.resolve(1))).toThrow(/scope: expected a synchronous function/);
    });
  });

  describe("without elements", () => {
    const empty = (...shape: number[]): Tensor => engine.fill(shape, 1);
    const positions = (): Tensor => engine.indices([]);
    const image = (): Tensor => empty(0, 4, 4, 2);
    const filters = (): Tensor => engine.fill([3, 3, 3, 2], 1);
    const block = { epsilon: 0, pooling: "avg" } as const;
    const parameters = (channels: number): { scale: Tensor; shift: Tensor } => ({
      scale: engine.fill([channels], 1),
      shift: engine.fill([channels], 0),
    });
    const norm = (): Tensor => {
      const { scale, shift } = parameters(2);
      return image().instanceNormRelu(scale, shift, block);
    };
    // As in NumPy, where NumPy has the operation.
    test.each<[string, () => Tensor, number[], number[]]>([
      ["a sum over nothing is 0", () => empty(2, 0).sum(1), [2], [0, 0]],
      ["a mean over nothing is NaN", () => empty(0).mean(), [], [NaN]],
      ["a sum over another axis is empty", () => empty(2, 0).sum(0), [0], []],
      ["so is a maximum over another axis", () => empty(2, 0).max(0, true), [1, 0], []],
      ["and its position", () => empty(2, 0).argmax(0), [0], []],
      ["nothing broadcasts with one", () => empty(0, 1).add(engine.fill([3], 1)), [0, 3], []],
      ["one is broadcast to none", () => engine.fill([1, 2], 1).broadcastTo([0, 2]), [0, 2], []],
      ["functions keep the shape", () => empty(2, 0).exp().relu().logSoftmax(), [2, 0], []],
      ["a product over an inner length of 0 is 0", () => empty(2, 0).matMul(empty(0, 1)), [2, 1], [0, 0]],
      ["a product of no rows has none", () => empty(0, 2).matMul(engine.fill([2, 3], 1)), [0, 3], []],
      [
        "a product of no matrices has none",
        () => empty(0, 2, 2).matMul(engine.fill([2, 3], 1)),
        [0, 2, 3],
        [],
      ],
      ["reshape moves the 0", () => empty(0, 3).reshape([2, 0]), [2, 0], []],
      ["transpose moves it too", () => empty(0, 3).transpose(), [3, 0], []],
      ["a slice may have no length", () => engine.fill([2, 3], 1).slice([2, 1], [0, 2]), [0, 2], []],
      [
        "margins around nothing are zeros",
        () =>
          empty(0, 2).pad([
            [1, 1],
            [0, 0],
          ]),
        [2, 2],
        [0, 0, 0, 0],
      ],
      ["no positions give no rows", () => engine.fill([2, 3], 1).gather(positions()), [0, 3], []],
      ["they may be taken from no rows", () => empty(0, 3).gather(positions()), [0, 3], []],
      [
        "joined parts may be empty",
        () => engine.concat([empty(0, 1), engine.fill([2, 1], 5)]),
        [2, 1],
        [5, 5],
      ],
      ["all of them, too", () => engine.concat([empty(0), empty(0)]), [0], []],
      ["no images convolve to none", () => image().conv2d(filters(), { padding: 1 }), [0, 4, 4, 3], []],
      ["no images pool to none", () => image().avgPool(2).maxPool(2), [0, 1, 1, 2], []],
      ["no images normalize to none", norm, [0, 2, 2, 2], []],
      [
        "no images pass a layer as none",
        () => image().convolvedBlock(filters(), { ...parameters(3), ...block }),
        [0, 1, 1, 3],
        [],
      ],
      [
        "characteristic functions may be taken at no frequency",
        () => engine.fill([2, 3], 1).characteristic(empty(0, 3), [1, 1]).re,
        [2, 0],
        [],
      ],
      [
        "and of features without width",
        () => empty(2, 0).characteristic(empty(3, 0), [2]).re,
        [1, 3],
        [1, 1, 1],
      ],
    ])("%s", (_, run, shape, values) => {
      engine.scope(() => {
        const result = run();
        expect([...result.shape]).toEqual(shape);
        expectClose(result.values(), values, 0);
      });
    });

    test("gradients of and at nothing are zeros", () => {
      engine.scope(() => {
        const inputs = [image(), filters()];
        const { value, gradients } = engine.gradients((x, w) => x!.conv2d(w!).square().sum(), inputs);
        expect(value.item()).toBe(0);
        expect([...gradients[0]!.shape]).toEqual([0, 4, 4, 2]);
        expectClose(gradients[1]!.values(), Array<number>(54).fill(0), 0);
      });
    });
  });
});
