import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/engine.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { deviation, weighted } from "./differences.ts";

// 3×3 convolutions of 32·k channels at stride 1 go by Winograd's method in float32. In float64 none does.
const single = torchEngine();
const double = torchEngine({ dtype: "float64" });

interface Problem {
  readonly images: Shape;
  readonly outputs: number;
  readonly padding: number;
}

/** Images, filters and bias: the same single precision numbers on every engine. */
function inputsOn(engine: Engine, { images, outputs }: Problem): Tensor[] {
  const rng = seeded(5);
  const drawn = (name: string, size: Shape, scale: number): Tensor => {
    const values = rng.stream(name).fillNormal(new Float32Array(sizeOf(size)));
    return engine.tensor(size, values.map((value) => Math.fround(value * scale))); // prettier-ignore
  };
  const inputs = images[3]!;
  return [
    drawn("images", images, 1),
    drawn("filters", [outputs, 3, 3, inputs], 1 / Math.sqrt(9 * inputs)),
    drawn("bias", [outputs], 1),
  ];
}

const convolution =
  (padding: number) =>
  (...[images, filters, bias]: Tensor[]): Tensor =>
    images!.conv2d(filters!, { bias: bias!, padding });

function first(engine: Engine, problem: Problem): Float64Array[] {
  const f = (...given: Tensor[]): Tensor => weighted(engine, convolution(problem.padding)(...given));
  return engine
    .gradients(f, inputsOn(engine, problem))
    .gradients.map((each) => Float64Array.from(each.values()));
}

/** Gradient of a weighing of the gradients: every one of the three forms is differentiated. */
function second(engine: Engine, problem: Problem): Float64Array[] {
  const f = (...given: Tensor[]): Tensor => weighted(engine, convolution(problem.padding)(...given).square());
  const slope = (...given: Tensor[]): Tensor =>
    engine
      .gradients(f, given)
      .gradients.map((gradient, i) => weighted(engine, gradient, `direction ${i}`))
      .reduce((a, b) => a.add(b));
  return engine
    .gradients(slope, inputsOn(engine, problem))
    .gradients.map((each) => Float64Array.from(each.values()));
}

describe.each<[string, Problem]>([
  ["whole tiles", { images: [3, 8, 8, 32], outputs: 64, padding: 1 }],
  ["cut tiles", { images: [2, 9, 7, 64], outputs: 32, padding: 1 }],
  ["no padding", { images: [2, 8, 9, 32], outputs: 32, padding: 0 }],
  ["padding by two", { images: [2, 6, 6, 32], outputs: 96, padding: 2 }],
  ["one image of one tile", { images: [1, 4, 4, 32], outputs: 32, padding: 1 }],
  ["more tiles than one batch sums", { images: [20, 16, 16, 32], outputs: 32, padding: 1 }],
])("convolution by Winograd's method: %s", (_, problem) => {
  // Its error is some ten times that of the sum done plainly, about 1e-7 of the largest result.
  const bound = 5e-6;

  test("values are those of float64", () => {
    const road = convolution(problem.padding);
    const got = road(...inputsOn(single, problem));
    expect(deviation([got.values()], [road(...inputsOn(double, problem)).values()])).toBeLessThan(bound);
  });

  test("gradients are those of float64", () => {
    expect(deviation(first(single, problem), first(double, problem))).toBeLessThan(bound);
  });

  test("second derivatives are those of float64", () => {
    expect(deviation(second(single, problem), second(double, problem))).toBeLessThan(bound);
  });

  test("its two gradients are its adjoints", () => {
    const [images, filters] = inputsOn(single, problem) as [Tensor, Tensor];
    const convolve = (x: Tensor, w: Tensor): Tensor => x.conv2d(w, { padding: problem.padding });
    const value = weighted(single, convolve(images, filters)).item();
    const { gradients } = single.gradients((x, w) => weighted(single, convolve(x, w)), [images, filters]);
    const inner = (a: Tensor, b: Tensor): number => a.mul(b).sum().item();
    const scale = Math.sqrt(inner(gradients[1]!, gradients[1]!) * inner(filters, filters));
    expect(Math.abs(inner(gradients[0]!, images) - value)).toBeLessThan(1e-5 * scale);
    expect(Math.abs(inner(gradients[1]!, filters) - value)).toBeLessThan(1e-5 * scale);
  });

  test("the number of threads changes no bit", () => {
    const [one, two] = [1, 2].map((threads) => {
      const engine = torchEngine({ threads });
      const value = convolution(problem.padding)(...inputsOn(engine, problem)).values();
      return [value, ...first(engine, problem)];
    });
    expect(two).toEqual(one);
  });
});

describe("what leaves Winograd's method", () => {
  const problem = { images: [2, 8, 8, 32], outputs: 32, padding: 1 };

  test("NaN stays in its image, and reaches every output that its pixel has a part in", () => {
    const [images, filters] = inputsOn(single, problem) as [Tensor, Tensor];
    const values = images.values().slice();
    values[(3 * 8 + 5) * 32 + 7] = NaN; // row 3, column 5 of the first image
    const output = single
      .tensor(problem.images as Shape, values)
      .conv2d(filters, { padding: 1 })
      .values();
    const isNaNAt = (image: number, row: number, column: number): boolean =>
      Number.isNaN(output[((image * 8 + row) * 8 + column) * 32]);
    for (let row = 2; row <= 4; row++) {
      for (let column = 4; column <= 6; column++) expect(isNaNAt(0, row, column)).toBe(true);
    }
    expect(output.slice(8 * 8 * 32).every((value) => Number.isFinite(value))).toBe(true);
  });

  test("a batch of no images gives none, and zero gradients of the filters", () => {
    const filters = single.fill([32, 3, 3, 32], 1);
    const none = single.fill([0, 8, 8, 32], 0);
    expect(none.conv2d(filters, { padding: 1 }).shape).toEqual([0, 8, 8, 32]);
    const { gradients } = single.gradients((w) => none.conv2d(w, { padding: 1 }).sum(), [filters]);
    expect(Array.from(gradients[0]!.values())).toEqual(new Array(filters.values().length).fill(0));
  });
});
