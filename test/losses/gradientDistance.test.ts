import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { type GradientDistanceName, gradientDistances } from "../../src/losses/gradientDistance.ts";
import {
  channelsFirst,
  channelsLast,
  chirp,
  expectSummary,
  reference,
  type Summary,
} from "../networks/chirp.ts";
import { expectClose } from "../support/close.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const { ours, mse, cos } = gradientDistances;
const names = Object.keys(gradientDistances) as GradientDistanceName[];

const { case1_distance: cases } = reference<{
  case1_distance: Record<GradientDistanceName, number> &
    Record<`${GradientDistanceName}_grad_${"conv" | "linear"}`, Summary> & {
      per_layer_ours: number[];
      "ours_scaled_1e-3_both": number;
      "ours_scaled_1e-4_both": number;
      ours_syn_all_zero: number;
      layernorm3d: { ours: number };
    };
}>("gm.json");

// Reference numbers have 9 digits.
const tolerance = 1e-8;

/** A gradient of the reference: tensors in PyTorch's layout, filters then brought into ours. */
function filled(values: (count: number, i: number) => Float64Array): Tensor[] {
  const shapes: Shape[] = [[4, 3, 3, 3], [4], [4], [4], [5, 16], [5]];
  return shapes.map((shape, i) => {
    const tensor = engine.tensor(shape, values(sizeOf(shape), i));
    return shape.length === 4 ? channelsLast(tensor) : tensor;
  });
}

const real = filled((count, i) => chirp(count, 1, 0, 0.3 * i).map((v) => (0.5 + 0.1 * i) * v));
const synthetic = filled((count, i) => chirp(count, 0.7, 0.01, 0.2 * i).map((v) => (0.4 + 0.2 * i) * v));
const scaled = (gradient: readonly Tensor[], by: number): Tensor[] => gradient.map((part) => part.mul(by));

describe("against the authors' code", () => {
  test.each(names)("the value of %s agrees", (name) => {
    const { value, match } = gradientDistances[name];
    expect(value(real, synthetic).item()).toBeCloseTo(cases[name], name === "mse" ? 6 : 8);
    expect(match(real, synthetic).value.item()).toBe(value(real, synthetic).item());
  });

  test.each(names)("the direction of %s agrees", (name) => {
    const { direction } = gradientDistances[name].match(real, synthetic);
    expectSummary(channelsFirst(direction[0]!), cases[`${name}_grad_conv`], tolerance);
    expectSummary(channelsFirst(direction[4]!), cases[`${name}_grad_linear`], tolerance);
  });

  test("layer by layer, and vectors count nothing in ours", () => {
    real.forEach((part, i) => {
      if (part.shape.length === 1) expect(cases.per_layer_ours[i]).toBe(0);
      else expect(ours.value([part], [synthetic[i]!]).item()).toBeCloseTo(cases.per_layer_ours[i]!, 8);
    });
  });

  test("the epsilon shrinks the cosines of small gradients", () => {
    const at = (by: number): number => ours.value(scaled(real, by), scaled(synthetic, by)).item();
    expect(at(1e-3)).toBeCloseTo(cases["ours_scaled_1e-3_both"], 8);
    expect(at(1e-4)).toBeCloseTo(cases["ours_scaled_1e-4_both"], 8);
    expect(at(0)).toBe(cases.ours_syn_all_zero);
  });

  test("a layer norm's scale has a row for each channel", () => {
    const [a, b] = [chirp(48, 1, 0, 0), chirp(48, 0.7, 0.01, 0)].map((values) =>
      engine.tensor([3, 4, 4], values).transpose([1, 2, 0]),
    );
    expect(ours.value([a!], [b!]).item()).toBeCloseTo(cases.layernorm3d.ours, 8);
  });
});

test("by hand", () => {
  const a = [engine.tensor([2, 2], [3, 4, 1, 0])];
  const b = [engine.tensor([2, 2], [-3, -4, 0, 2])];
  // Opposite rows of length 5, and orthogonal ones.
  expect(ours.value(a, b).item()).toBeCloseTo(1 + 25 / (25 + 1e-6) + 1, 14);
  expect(mse.value(a, b).item()).toBe(36 + 64 + 1 + 4);
  expect(cos.value(a, b).item()).toBeCloseTo(1 + 25 / (Math.sqrt(26 * 29) + 1e-6), 14);
});

describe.each(names)("%s", (name) => {
  const { value, match } = gradientDistances[name];
  const rng = seeded(7);
  const random = (shape: Shape): Tensor =>
    engine.tensor(shape, rng.fillNormal(new Float64Array(sizeOf(shape))));
  const shapes: Shape[] = [[3, 2, 2, 2], [3], [2, 2, 3], [4, 5], [4]];
  const aroundZero = [0, 1, 1, 1].flatMap((keep) => Array<number>(5).fill(keep));

  test.each<[string, readonly Tensor[]]>([
    ["a random gradient", shapes.map(random)],
    [
      "one with a row of zeros",
      shapes.map((shape) =>
        sizeOf(shape) === 20 ? random(shape).mul(engine.tensor(shape, aroundZero)) : random(shape),
      ),
    ],
    ["one of zeros", shapes.map((shape) => engine.fill(shape, 0))],
    ["a tiny one", scaled(shapes.map(random), 1e-5)],
  ])("has the direction that differentiation finds at %s", (_, at) => {
    const target = shapes.map(random);
    const { gradients } = engine.gradients((...g) => value(target, g), at);
    match(target, at).direction.forEach((part, i) => {
      expectClose(part.values(), gradients[i]!.values(), 1e-13);
    });
  });

  test("is zero, nearly, at the real gradient, and the same both ways", () => {
    const [g, h] = [scaled(shapes.map(random), 100), scaled(shapes.map(random), 100)];
    expect(Math.abs(value(g, g).item())).toBeLessThan(1e-7);
    expect(value(g, h).item()).toBeCloseTo(value(h, g).item(), 8);
  });

  test("needs gradients of the same network", () => {
    expect(() => value(real, real.slice(1))).toThrow(
      "gradientDistance: expected equal shapes, got real [4, 3, 3, 3] [4] [4] [4] [5, 16] [5] and synthetic [4] [4] [4] [5, 16] [5]",
    );
    expect(() => match(real, real.toReversed())).toThrow("expected equal shapes");
  });
});
