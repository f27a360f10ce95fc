import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { tfjsEngine } from "../../src/engines/tfjs/index.ts";
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

  describe("mistakes", () => {
    const two = (): Tensor => engine.fill([2], 1);
    const image = (): Tensor => engine.fill([1, 4, 4, 2], 1);
    test.each<[string, () => unknown, RegExp]>([
      ["a wrong number of values", () => engine.tensor([2, 2], [1, 2, 3]), /tensor: expected 4 values/],
      ["shapes that do not broadcast", () => two().add(engine.fill([3], 1)), /add: .*\[2\].*\[3\]/],
      ["a reshape of another size", () => two().reshape([3]), /reshape: .*\[2\].*\[3\]/],
      ["a slice beyond the end", () => two().slice([1], [2]), /slice: .*\[2\]/],
      ["an axis that is not there", () => two().sum(1), /sum: expected an axis/],
      ["an axis twice", () => two().sum([0, -1]), /sum: expected each axis once/],
      ["a transpose without all axes", () => engine.fill([2, 3], 1).transpose([0, 0]), /transpose: expected/],
      ["a broadcast to a smaller shape", () => engine.fill([2, 3], 1).broadcastTo([3]), /broadcastTo/],
      [
        "inner lengths that differ",
        () => engine.fill([2, 3], 1).matMul(engine.fill([2, 3], 1)),
        /matMul: expected/,
      ],
      [
        "features and frequencies of different width",
        () => engine.fill([2, 3], 1).characteristic(engine.fill([5, 2], 1), [2]),
        /characteristic: d is both 3 and 2/,
      ],
      [
        "frequencies that are no matrix",
        () => engine.fill([2, 3], 1).characteristic(engine.fill([3], 1), [2]),
        /characteristic: expected 2 axes/,
      ],
      [
        "groups of another number of rows",
        () => engine.fill([2, 3], 1).characteristic(engine.fill([5, 3], 1), [2, 1]),
        /characteristic: expected 2 rows .*\[2, 1\] of sum 3/,
      ],
      [
        "a group without rows",
        () => engine.fill([2, 3], 1).characteristic(engine.fill([5, 3], 1), [2, 0]),
        /characteristic.counts: expected a whole number >= 1, got 0/,
      ],
      ["an index beyond the end", () => two().gather(engine.indices([0, 2])), /gather/],
      ["float indices", () => two().gather(two()), /gather: .*int32/],
      ["concat of nothing", () => engine.concat([]), /concat: expected at least one/],
      ["concat of other lengths", () => engine.concat([image(), two()]), /concat: expected/],
      ["filters of other inputs", () => image().conv2d(engine.fill([1, 3, 3, 1], 1)), /conv2d/],
      ["filters larger than the images", () => image().conv2d(engine.fill([1, 5, 5, 2], 1)), /conv2d/],
      [
        "a bias of another length",
        () => image().conv2d(engine.fill([3, 1, 1, 2], 1), { bias: two() }),
        /conv2d/,
      ],
      ["stride zero", () => image().conv2d(engine.fill([1, 3, 3, 2], 1), { stride: 0 }), /conv2d.stride/],
      ["windows larger than the images", () => image().avgPool(5), /avgPool/],
      ["item of several elements", () => two().item(), /item: expected/],
    ])("%s is an InputError that says where", (_, run, message) => {
      expect(() => engine.scope(run)).toThrow(message);
      expect(() => engine.scope(run)).toThrow(expect.objectContaining({ name: "InputError" }));
    });

    test("a tensor of another engine is an InputError", async () => {
      const other = await tfjsEngine();
      const foreign = other.fill([2], 1);
      expect(() => engine.scope(() => two().add(foreign))).toThrow(/add: expected a tensor of/);
      foreign.dispose();
      other.close();
      expect(() => other.fill([2], 1)).toThrow(/closed/);
    });
  });
});
