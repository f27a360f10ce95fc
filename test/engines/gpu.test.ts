import { afterAll, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Pooling, Tensor } from "../../src/engines/engine.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { describeEngines, engines, exactEngine } from "../support/engines.ts";
import { deviation, weighted } from "./differences.ts";

const candidates = await engines();
const exact = exactEngine(candidates);

describeEngines(
  candidates.filter(({ name }) => name === "torch-cuda float32"),
  (engine) => {
    // The last engine decides about TF32; the contract tests want it off.
    afterAll(() => void torchEngine({ device: "cuda", tf32: false }));

    test("its description has the GPU's name and memory, or says why it has not", () => {
      expect(engine.description).toMatch(
        /^libtorch [\d.]+, (.+, \d+ GiB|CUDA)(, blocks not fused \(.+\))?, float32$/,
      );
    });

    test("uploads one after another keep their numbers, though nobody waits for them", () => {
      engine.scope(() => {
        const source = new Float32Array(1 << 16);
        const uploaded = Array.from({ length: 100 }, (_, i) => engine.tensor([1 << 16], source.fill(i)));
        const found = uploaded.map((x) => [x.mean().item(), x.max().item()]);
        expect(found).toEqual(uploaded.map((_, i) => [i, i]));
      });
    });

    test("TF32 changes convolutions by its rounding, and matrix products not at all", () => {
      const results = [true, false].map((tf32) => {
        const other = torchEngine({ device: "cuda", tf32 });
        const [images, filters] = [random(other, [4, 16, 16, 64]), random(other, [64, 3, 3, 64])];
        const square = random(other, [256, 256]);
        return { map: images.conv2d(filters).values(), product: square.matMul(square).values() };
      });
      expect(results[0]!.product).toEqual(results[1]!.product);
      // Two factors of relative error 2⁻¹¹ each, and sums of 576 products of either sign.
      expect(deviation([results[0]!.map], [results[1]!.map])).toBeLessThan(2e-3);
    });

    test.each<[Pooling, Shape]>([
      ["avg", [4, 32, 32, 40]],
      ["max", [3, 17, 15, 40]],
      ["none", [5, 8, 8, 64]],
    ])("its block with %s pooling, %j, has both orders of derivative in float64", (pooling, shape) => {
      const [found, expected] = [engine, exact!].map((which) => blockResults(which, pooling, shape));
      // Where float32 gets the sign of a unit near zero wrong, a gradient changes by one term of thousands.
      expect(deviation(found!, expected!)).toBeLessThan(1e-4);
    });
  },
);

function random(engine: Engine, shape: Shape, name = "values"): Tensor {
  const values = seeded(5)
    .stream(name)
    .fillNormal(new Float32Array(sizeOf(shape)));
  return engine.tensor(shape, values);
}

/** The block's values, its gradients, and the gradients of a linear function of those. */
function blockResults(engine: Engine, pooling: Pooling, shape: Shape): ArrayLike<number>[] {
  return engine.scope(() => {
    const channels = [shape[3]!];
    const inputs = [
      random(engine, shape, "images"),
      random(engine, channels, "scale"),
      random(engine, channels, "shift"),
    ];
    const block = ([images, scale, shift]: Tensor[]): Tensor =>
      images!.instanceNormRelu(scale!, shift!, { epsilon: 1e-5, pooling });
    const gradients = (given: Tensor[]): readonly Tensor[] =>
      engine.gradients((...x) => weighted(engine, block(x)), given).gradients;
    const second = engine.gradients(
      (...x) =>
        gradients(x)
          .map((gradient, i) => weighted(engine, gradient, `direction ${i}`))
          .reduce((a, b) => a.add(b)),
      inputs,
    ).gradients;
    return [block(inputs), ...gradients(inputs), ...second].map((tensor) => tensor.values());
  });
}
