import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { expectClose, tolerance } from "../support/close.ts";
import { describeEngines, engines } from "../support/engines.ts";

describeEngines(await engines(), (engine) => {
  const bound = tolerance(engine.dtype, "gradients");

  describe("gradients", () => {
    test("return the value with the gradients, as constants", () => {
      engine.scope(() => {
        const { value, gradients } = engine.gradients(
          (x) => x!.square().sum(),
          [engine.tensor([2], [1, -3])],
        );
        expect(value.item()).toBe(10);
        expect([...gradients[0]!.values()]).toEqual([2, -6]);
        const again = engine.gradients(
          (x) => x!.mul(gradients[0]!).sum().add(value),
          [engine.tensor([2], [0, 0])],
        );
        expect([...again.gradients[0]!.values()]).toEqual([2, -6]);
      });
    });

    test("nest to the third order: sin‴ = −cos", () => {
      engine.scope(() => {
        const derivative = (f: (x: Tensor) => Tensor) => (x: Tensor) =>
          engine.gradients((at) => f(at!), [x]).gradients[0]!;
        const third = derivative(derivative(derivative((x) => x.sin())));
        expectClose([third(engine.tensor([], [0.6])).item()], [-Math.cos(0.6)], bound);
      });
    });

    test("differentiate through an inner gradient and its value: f = x³ f′, f″ = 20x³ at the end of x⁵", () => {
      engine.scope(() => {
        const outer = engine.gradients(
          (x) => {
            const inner = engine.gradients((y) => y!.pow(3), [x!]);
            return inner.value.mul(inner.gradients[0]!);
          },
          [engine.tensor([], [2])],
        );
        // x³ · 3x² = 3x⁵, with derivative 15x⁴.
        expectClose([outer.value.item(), outer.gradients[0]!.item()], [96, 240], bound);
      });
    });

    test("keep inner and outer variables apart: ∂/∂x [x ∂(x + y)/∂y] = 1", () => {
      engine.scope(() => {
        const { gradients } = engine.gradients(
          (x) => engine.gradients((y) => x!.add(y!), [engine.tensor([], [5])]).gradients[0]!.mul(x!),
          [engine.tensor([], [3])],
        );
        expect(gradients[0]!.item()).toBe(1);
      });
    });

    test("are zero for inputs that are not used, and the seed for a returned input", () => {
      engine.scope(() => {
        const inputs = [engine.tensor([1], [3]), engine.fill([2, 3], 1)];
        const { value, gradients } = engine.gradients((x) => x!, inputs);
        expect(value.item()).toBe(3);
        expect([...gradients[0]!.values()]).toEqual([1]);
        expect([...gradients[1]!.shape]).toEqual([2, 3]);
        expect(gradients[1]!.values().every((slope) => slope === 0)).toBe(true);
        const constant = engine.gradients(() => engine.fill([], 4), inputs);
        expect([constant.value.item(), ...constant.gradients[0]!.values()]).toEqual([4, 0]);
      });
    });

    test("count an input given twice as two", () => {
      engine.scope(() => {
        const x = engine.tensor([], [3]);
        const { gradients } = engine.gradients((a, b) => a!.mul(b!.square()), [x, x]);
        expect(gradients.map((gradient) => gradient.item())).toEqual([9, 18]);
      });
    });

    test("stop at detach and at noGrad", () => {
      engine.scope(() => {
        const slope = (f: (x: Tensor) => Tensor): number =>
          engine.gradients((x) => f(x!), [engine.tensor([], [3])]).gradients[0]!.item();
        expect(slope((x) => x.mul(x.detach()))).toBe(3);
        expect(slope((x) => x.mul(engine.noGrad(() => x.square())))).toBe(9);
        expect(slope((x) => engine.noGrad(() => x.square()))).toBe(0);
      });
    });

    test("work inside noGrad, with a constant as result", () => {
      engine.scope(() => {
        const { gradients } = engine.gradients(
          (x) => {
            const inner = engine.noGrad(() => engine.gradients((y) => y!.pow(3), [x!]).gradients[0]!);
            return inner.mul(x!);
          },
          [engine.tensor([], [2])],
        );
        expectClose([gradients[0]!.item()], [12], bound);
      });
    });

    test("survive a scope inside f, and tensors disposed of inside f", () => {
      engine.scope(() => {
        const scoped = engine.gradients(
          (x) => engine.scope(() => x!.exp().mul(x!.tanh().exp()).sum()),
          [engine.tensor([], [0.5])],
        );
        const disposing = engine.gradients(
          (x) => {
            const [a, b] = [x!.exp(), x!.tanh().exp()];
            const product = a.mul(b);
            a.dispose();
            b.dispose();
            return product.sum();
          },
          [engine.tensor([], [0.5])],
        );
        const t = Math.tanh(0.5);
        const expected = Math.exp(0.5) * Math.exp(t) * (1 + 1 - t * t);
        expectClose(
          [scoped.gradients[0]!.item(), disposing.gradients[0]!.item()],
          [expected, expected],
          bound,
        );
      });
    });

    test("come out in the same bits each time, where many terms meet in one number", () => {
      engine.scope(() => {
        const rng = seeded(9);
        const random = (name: string, shape: readonly number[]): Tensor =>
          engine.tensor(shape, rng.stream(name).fillNormal(new Float32Array(sizeOf(shape))));
        const [means, weights] = [random("means", [3, 8]), random("weights", [4096, 8])];
        const [images, filters] = [random("images", [16, 16, 16, 4]), random("filters", [8, 3, 3, 4])];
        const rows = engine.indices(Int32Array.from({ length: 4096 }, (_, row) => (row * row) % 3));
        const gathered = (x: Tensor): Tensor => x.gather(rows).mul(weights).sum();
        const [scale, shift] = [random("scale", [8]), random("shift", [8])];
        const block = { epsilon: 1e-5, pooling: "avg" } as const;
        const convolved = (x: Tensor): Tensor =>
          images.conv2d(x, { padding: 1 }).instanceNormRelu(scale, shift, block).square().sum();
        const slopes = (): unknown[] => [
          engine.gradients((x) => gathered(x!), [means]).gradients[0]!.values(),
          engine.gradients((x) => convolved(x!), [filters]).gradients[0]!.values(),
        ];
        const first = slopes();
        for (let again = 0; again < 3; again++) expect(slopes()).toEqual(first);
      });
    });

    test("leave the engine usable when f throws", () => {
      engine.scope(() => {
        const x = engine.tensor([], [3]);
        const fail = (): Tensor => {
          throw new Error("from f");
        };
        expect(() => engine.gradients((y) => engine.gradients(fail, [y!.square()]).value, [x])).toThrow(
          "from f",
        );
        expect(engine.gradients((y) => y!.square(), [x]).gradients[0]!.item()).toBe(6);
      });
    });

    test("ask for one float and float inputs", () => {
      engine.scope(() => {
        const x = engine.tensor([2], [1, 2]);
        expect(() => engine.gradients((y) => y!, [x])).toThrow(/gradients: .*one.*\[2\]/);
        expect(() => engine.gradients((y) => y!.sum(), [engine.indices([1])])).toThrow(/gradients: .*int32/);
      });
    });

    test("go to the first of equal maxima in maxPool, in the second order too", () => {
      engine.scope(() => {
        const x = engine.tensor([1, 2, 4, 1], [1, 1, 0, 2, 1, 1, 2, 2]);
        const { gradients } = engine.gradients((y) => y!.maxPool(2).square().sum(), [x]);
        expect([...gradients[0]!.values()]).toEqual([2, 0, 0, 4, 0, 0, 0, 0]);
        const second = engine.gradients(
          (y) => engine.gradients((z) => z!.maxPool(2).square().sum(), [y!]).gradients[0]!.sum(),
          [x],
        );
        expect([...second.gradients[0]!.values()]).toEqual([2, 0, 0, 2, 0, 0, 0, 0]);
      });
    });

    test("are finite where relu and abs have a kink", () => {
      engine.scope(() => {
        const { gradients } = engine.gradients(
          (x) => x!.relu().add(x!.abs()).sum(),
          [engine.tensor([1], [0])],
        );
        expect(gradients[0]!.item()).toBeCloseTo(0);
      });
    });
  });
});
