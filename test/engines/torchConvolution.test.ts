import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/engine.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { deviation, weighted } from "./differences.ts";

// In float32 on the CPU, 3×3 convolutions at stride 1 go by Winograd's method where both channel counts are multiples of
// 32, and their gradients by patches where there are three input channels or fewer; all else goes by libtorch, as all
// does in float64.
const single = torchEngine({ threads: 1 });
const double = torchEngine({ dtype: "float64", threads: 1 });

interface Problem {
  readonly images: Shape;
  readonly outputs: number;
  readonly padding: number;
  readonly side?: number;
  readonly stride?: number;
}

/** Whether a convolution's gradients are ours, where it is 3×3 and not libtorch's, whose sums depend on the threads. */
const isOurs = ({ images, side = 3, stride = 1 }: Problem): boolean =>
  side === 3 && stride === 1 && (images[3]! % 32 === 0 || images[3]! <= 3);

/** Images, filters and bias: the same single precision numbers on every engine. */
function inputsOn(engine: Engine, { images, outputs, side = 3 }: Problem): Tensor[] {
  const rng = seeded(5);
  const drawn = (name: string, size: Shape, scale: number): Tensor => {
    const values = rng.stream(name).fillNormal(new Float32Array(sizeOf(size)));
    return engine.tensor(size, values.map((value) => Math.fround(value * scale))); // prettier-ignore
  };
  const inputs = images[3]!;
  return [
    drawn("images", images, 1),
    drawn("filters", [outputs, side, side, inputs], 1 / Math.sqrt(side * side * inputs)),
    drawn("bias", [outputs], 1),
  ];
}

const convolution =
  ({ padding, stride = 1 }: Problem) =>
  (...[images, filters, bias]: Tensor[]): Tensor =>
    images!.conv2d(filters!, { bias: bias!, padding, stride });

function first(engine: Engine, problem: Problem): Float64Array[] {
  const f = (...given: Tensor[]): Tensor => weighted(engine, convolution(problem)(...given));
  return engine
    .gradients(f, inputsOn(engine, problem))
    .gradients.map((each) => Float64Array.from(each.values()));
}

/** Gradient of a weighing of the gradients: every one of the three forms is differentiated. */
function second(engine: Engine, problem: Problem): Float64Array[] {
  const f = (...given: Tensor[]): Tensor => weighted(engine, convolution(problem)(...given).square());
  const slope = (...given: Tensor[]): Tensor =>
    engine
      .gradients(f, given)
      .gradients.map((gradient, i) => weighted(engine, gradient, `direction ${i}`))
      .reduce((a, b) => a.add(b));
  return engine
    .gradients(slope, inputsOn(engine, problem))
    .gradients.map((each) => Float64Array.from(each.values()));
}

const problems: [string, Problem][] = [
  ["whole tiles", { images: [3, 8, 8, 32], outputs: 64, padding: 1 }],
  ["cut tiles", { images: [2, 9, 7, 64], outputs: 32, padding: 1 }],
  ["no padding", { images: [2, 8, 9, 32], outputs: 32, padding: 0 }],
  ["padding by two", { images: [2, 6, 6, 32], outputs: 96, padding: 2 }],
  ["one image of one tile", { images: [1, 4, 4, 32], outputs: 32, padding: 1 }],
  ["more tiles than one batch sums", { images: [20, 16, 16, 32], outputs: 32, padding: 1 }],
  ["three channels", { images: [3, 8, 6, 3], outputs: 32, padding: 1 }],
  ["three channels without padding", { images: [2, 5, 7, 3], outputs: 64, padding: 0 }],
  ["two channels padded by two", { images: [1, 4, 5, 2], outputs: 32, padding: 2 }],
  [
    "one channel padded by three, more images than partial sums",
    { images: [19, 4, 4, 1], outputs: 32, padding: 3 },
  ],
  ["channels of no special number", { images: [2, 6, 7, 5], outputs: 7, padding: 1 }],
  ["1×1 filters", { images: [2, 4, 4, 32], outputs: 32, padding: 0, side: 1 }],
  ["5×5 filters at stride 2", { images: [2, 9, 8, 3], outputs: 32, padding: 2, side: 5, stride: 2 }],
  ["3×3 filters at stride 2", { images: [2, 9, 8, 32], outputs: 32, padding: 1, stride: 2 }],
];

describe.each(problems)("convolution: %s", (_, problem) => {
  // Winograd's error is some ten times that of the sum done plainly, which is about 1e-7 of the largest result.
  const bound = 5e-6;

  test("values are those of float64", () => {
    const road = convolution(problem);
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
    const convolve = (x: Tensor, w: Tensor): Tensor =>
      x.conv2d(w, { padding: problem.padding, stride: problem.stride ?? 1 });
    const value = weighted(single, convolve(images, filters)).item();
    const { gradients } = single.gradients((x, w) => weighted(single, convolve(x, w)), [images, filters]);
    const inner = (a: Tensor, b: Tensor): number => a.mul(b).sum().item();
    const scale = Math.sqrt(inner(gradients[1]!, gradients[1]!) * inner(filters, filters));
    expect(Math.abs(inner(gradients[0]!, images) - value)).toBeLessThan(1e-5 * scale);
    expect(Math.abs(inner(gradients[1]!, filters) - value)).toBeLessThan(1e-5 * scale);
  });
});

test.each(problems.filter(([, problem]) => isOurs(problem)))(
  "the number of threads changes no bit: %s",
  (_, problem) => {
    const [one, two] = [1, 2].map((threads) => {
      const engine = torchEngine({ threads });
      const value = convolution(problem)(...inputsOn(engine, problem)).values();
      return [value, ...first(engine, problem)];
    });
    expect(two).toEqual(one);
  },
);

describe("at the edge", () => {
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

describe("convolutions rounded to bfloat16", () => {
  const problem = { images: [2, 8, 8, 32], outputs: 32, padding: 1 };
  const [images, filters, bias] = inputsOn(single, problem) as [Tensor, Tensor, Tensor];
  const convolve = (): Tensor => images.conv2d(filters, { bias, padding: 1 });
  const full = convolve().values();

  /** The nearest number with 8 significant bits, ties to the even one. */
  const bfloat16 = (value: number): number => {
    const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
    const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000;
    return new Float32Array(Uint32Array.of(rounded >>> 0).buffer)[0]!;
  };

  test("are those of rounded operands, to the rounding of the result", () => {
    const [x, w] = [images, filters].map((tensor) =>
      double.tensor(tensor.shape, Array.from(tensor.values(), bfloat16)),
    ) as [Tensor, Tensor];
    const expected = x
      .conv2d(w, { padding: 1 })
      .add(double.tensor([32], bias.values()))
      .values();
    const rounded = single.noGrad(convolve, "bf16").values();
    rounded.forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(
        2 ** -8 * Math.abs(expected[i]! - bias.values()[i % 32]!) + 1e-4,
      );
    });
    expect(deviation([rounded], [full])).toBeGreaterThan(1e-4);
  });

  test("end with the block, and where gradients are taken inside", () => {
    single.noGrad(() => undefined, "bf16");
    expect(convolve().values()).toEqual(full);
    const value = single.noGrad(
      () => single.gradients((x) => x!.conv2d(filters, { bias, padding: 1 }).sum(), [images]).value.item(),
      "bf16",
    );
    expect(value).toBe(convolve().sum().item());
  });
});
