import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded, type Rng } from "../../src/core/rng.ts";
import {
  augment,
  type Augmentation,
  type AugmentationOp,
  drawAugmentation,
  parseStrategy,
  type SingleAugmentation,
  without,
} from "../../src/datasets/augment.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  channelsFirst,
  channelsLast,
  chirp,
  expectNear,
  expectSummary,
  reference,
  type Summary,
} from "../networks/chirp.ts";

interface Case {
  op: AugmentationOp;
  /** One list for each elementary draw, with one entry for each image. */
  draws: number[][];
  siamese: boolean;
  out: Summary & { shape: [number, number, number, number] };
  img0_ch0?: number[][];
  img1_ch2_row4: number[] | null;
  grad_of_wsum_wrt_x: Summary;
}

const { case3_dsa } = reference<{ case3_dsa: Record<string, Case | string> }>("gm.json");
const cases = Object.entries(case3_dsa).filter((entry): entry is [string, Case] => entry[0] !== "inputs");
const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const all = parseStrategy("color_crop_cutout_flip_scale_rotate") as AugmentationOp[];
const linear = all.filter((op) => op !== "color");

/** A stream that gives the listed numbers; whole ones answer `integer`, counted from the least value. */
function scripted(numbers: readonly number[], least = 0): Rng {
  const left = [0, ...numbers]; // the first number chooses the operation, from a strategy of one
  let choosing = true;
  return {
    ...seeded(0),
    uniform: () => left.shift()!,
    integer: (below) => {
      const value = left.shift()! - (choosing ? 0 : least);
      choosing = false;
      if (value < 0 || value >= below) throw new Error(`scripted ${value} is outside 0 … ${below - 1}`);
      return value;
    },
  };
}

describe("against the authors' code", () => {
  test.each(cases)("%s agrees, and so does its gradient", (_name, { op, draws, siamese, ...expected }) => {
    const [n, c, h, w] = expected.out.shape;
    const values = Float32Array.from(chirp(n * c * h * w, 0.31, 0.001, 0.1));
    const x = channelsLast(engine.tensor([n, c, h, w], values));
    const perImage = draws[0]!.map((_, image) => draws.map((draw) => draw[image]!));
    const rng = scripted(
      (siamese ? perImage.slice(0, 1) : perImage).flat(),
      op === "crop" ? -Math.floor(h / 8 + 0.5) : 0,
    );
    const augmentation = drawAugmentation([op], siamese ? "siamese" : n, [h, w, c], rng);
    const output = augment(x, augmentation);

    // The reference computes in float32.
    expectSummary(channelsFirst(output), expected.out, 1e-5);
    const planes = channelsFirst(output);
    if (expected.img0_ch0) expectNear(planes.slice(0, h * w), expected.img0_ch0.flat(), 1e-5);
    if (expected.img1_ch2_row4) {
      const begin = ((1 * c + 2) * h + 4) * w;
      expectNear(planes.slice(begin, begin + w), expected.img1_ch2_row4, 1e-5);
    }
    const weights = channelsLast(
      engine.tensor(
        [n, c, h, w],
        Float64Array.from({ length: values.length }, (_, k) => Math.sin(k + 1)),
      ),
    );
    const { gradients } = engine.gradients((y) => augment(y!, augmentation).mul(weights).sum(), [x]);
    expectSummary(channelsFirst(gradients[0]!), expected.grad_of_wsum_wrt_x, 1e-5);
  });
});

const shape = [9, 8, 3] as const;
const batch = (count: number, seed: number): Tensor => {
  const values = seeded(seed).fillNormal(new Float64Array(count * 9 * 8 * 3));
  return engine.tensor([count, ...shape], values);
};
const values = (x: Tensor): number[] => Array.from(x.values());

describe.each(all)("%s", (op) => {
  test("siamese parameters do to every image what they do to it alone", () => {
    const augmentation = drawAugmentation([op], "siamese", shape, seeded(5));
    const x = batch(3, 1);
    const together = values(augment(x, augmentation));
    const alone = [0, 1, 2].flatMap((i) =>
      values(augment(x.slice([i, 0, 0, 0], [1, ...shape]), augmentation)),
    );
    expectNear(together, alone, 1e-12);
  });

  test("parameters of its own do to each image what they do to it alone", () => {
    const augmentation = drawAugmentation([op], 3, shape, seeded(6)) as SingleAugmentation;
    const x = batch(3, 2);
    const together = values(augment(x, augmentation));
    const alone = [0, 1, 2].flatMap((i) => {
      const one = { op, sets: [augmentation.sets[i]] } as Augmentation;
      return values(augment(x.slice([i, 0, 0, 0], [1, ...shape]), one));
    });
    expectNear(together, alone, 1e-12);
    expect(augmentation.sets).toHaveLength(3);
    expect(op === "flip" || new Set(augmentation.sets.map((set) => JSON.stringify(set))).size > 1).toBe(true);
  });

  test("dice are plain data: the same seed gives the same ones, and a copy through JSON acts the same", () => {
    const augmentation = drawAugmentation([op], 2, shape, seeded(7));
    expect(drawAugmentation([op], 2, shape, seeded(7))).toEqual(augmentation);
    const x = batch(2, 3);
    const copy = JSON.parse(JSON.stringify(augmentation)) as Augmentation;
    expect(values(augment(x, copy))).toEqual(values(augment(x, augmentation)));
  });

  test("the siamese parameters are those of the first image", () => {
    const one = drawAugmentation(all, "siamese", shape, seeded(8)) as SingleAugmentation;
    const many = drawAugmentation(all, 4, shape, seeded(8)) as SingleAugmentation;
    expect(many.op).toBe(one.op);
    expect(many.sets[0]).toEqual(one.sets[0]);
  });

  test("first and second derivatives agree with central differences", () => {
    expectDerivatives(drawAugmentation([op], 2, shape, seeded(9)), batch(2, 4), batch(2, 5));
  });
});

/** Expects both derivatives of a cubic of the augmented images at `x`, along a direction, to agree with differences. */
function expectDerivatives(augmentation: Augmentation, x: Tensor, direction: Tensor): void {
  // A cubic makes the second derivative depend on the augmentation twice.
  const cubic = (y: Tensor): Tensor => augment(y, augmentation).pow(3).sum();
  const slope = (y: Tensor): Tensor =>
    engine
      .gradients((z) => cubic(z!), [y])
      .gradients[0]!.mul(direction)
      .sum();
  const step = 1e-5;
  const difference = (f: (y: Tensor) => Tensor): number =>
    (f(x.add(direction.mul(step))).item() - f(x.sub(direction.mul(step))).item()) / (2 * step);
  const first = slope(x).item();
  expect(Math.abs(difference(cubic) - first)).toBeLessThan(1e-6 * Math.max(1, Math.abs(first)));
  const second = engine
    .gradients((y) => slope(y!), [x])
    .gradients[0]!.mul(direction)
    .sum()
    .item();
  expect(Math.abs(difference(slope) - second)).toBeLessThan(1e-6 * Math.max(1, Math.abs(second)));
}

describe.each(linear)("%s is a linear map", (op) => {
  const augmentation = drawAugmentation([op], 3, shape, seeded(11));
  const apply = (x: Tensor): Tensor => augment(x, augmentation);

  test("of sums", () => {
    const [x, y] = [batch(3, 12), batch(3, 13)];
    expectNear(apply(x.mul(2).add(y)).values(), values(apply(x).mul(2).add(apply(y))), 1e-12);
  });

  test("of nothing to nothing", () => {
    expect(new Set(apply(batch(3, 12).mul(0)).values())).toEqual(new Set([0]));
  });
});

test.each([...all, "color+rotate+crop"])("%s has its adjoint as gradient", (strategy) => {
  for (const count of ["siamese", 3] as const) {
    for (const seed of [11, 12, 13]) {
      const augmentation = drawAugmentation(parseStrategy(strategy), count, shape, seeded(seed));
      const [x, y] = [batch(3, 14), batch(3, 15)];
      // A x: color adds constants, too.
      const linearPart = augment(x, augmentation).sub(augment(x.mul(0), augmentation));
      const adjoint = engine.gradients(
        (z) => augment(z!, augmentation).mul(y).sum(),
        [batch(3, 16)], // anywhere: the gradient of what is affine is the same everywhere
      ).gradients[0]!;
      // ⟨A x, y⟩ = ⟨x, Aᵀ y⟩
      const forward = linearPart.mul(y).sum().item();
      expect(Math.abs(forward)).toBeGreaterThan(1e-3);
      expect(Math.abs(x.mul(adjoint).sum().item() - forward)).toBeLessThan(1e-10);
    }
  }
});

describe("a composition", () => {
  const composed = parseStrategy("color+rotate+crop");

  test.each(["siamese", 3] as const)("applies its operations one after another, drawn for %s", (count) => {
    const drawn = drawAugmentation(composed, count, shape, seeded(30));
    if (drawn.op !== "all") throw new Error("expected a composition");
    expect(drawn.parts.map(({ op, sets }) => [op, sets.length])).toEqual(
      ["color", "rotate", "crop"].map((op) => [op, count === "siamese" ? 1 : 3]),
    );
    const x = batch(3, 31);
    const [color, rotate, crop] = drawn.parts as [SingleAugmentation, SingleAugmentation, SingleAugmentation];
    const byHand = augment(augment(augment(x, color), rotate), crop);
    expect(values(augment(x, drawn))).toEqual(values(byHand));
  });

  test("beside an operation is drawn half of the time", () => {
    const rng = seeded(32);
    const draws = 2000;
    const strategy = parseStrategy("color+crop_flip");
    const composedDraws = Array.from(
      { length: draws },
      () => drawAugmentation(strategy, "siamese", shape, rng).op,
    ).filter((op) => op === "all").length;
    // Binomial with p = 1/2: five standard deviations.
    expect(Math.abs(composedDraws - draws / 2)).toBeLessThan(5 * Math.sqrt(draws / 4));
  });

  test("has first and second derivatives that agree with central differences", () => {
    const augmentation = drawAugmentation(composed, 2, shape, seeded(33));
    expectDerivatives(augmentation, batch(2, 34), batch(2, 35));
  });
});

describe("by hand", () => {
  const ramp = engine.tensor([1, 2, 3, 1], [1, 2, 3, 4, 5, 6]);

  test("a mirrored image has its columns reversed", () => {
    expect(values(augment(ramp, { op: "flip", sets: [{ mirrored: true }] }))).toEqual([3, 2, 1, 6, 5, 4]);
    expect(values(augment(ramp, { op: "flip", sets: [{ mirrored: false }] }))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("a crop moves zeros in", () => {
    expect(values(augment(ramp, { op: "crop", sets: [{ down: 1, right: -1 }] }))).toEqual([0, 4, 5, 0, 0, 0]);
  });

  test("doubled steps about the center skip every other pixel", () => {
    const row = engine.tensor([1, 1, 5, 1], [1, 2, 3, 4, 5]);
    expect(values(augment(row, { op: "scale", sets: [{ rows: 1, columns: 2 }] }))).toEqual([0, 1, 3, 5, 0]);
  });

  test("a quarter turn carries columns into rows", () => {
    const square = engine.tensor([1, 2, 2, 1], [1, 2, 3, 4]);
    expectNear(
      augment(square, { op: "rotate", sets: [{ angle: Math.PI / 2 }] }).values(),
      [2, 4, 1, 3],
      1e-12,
    );
  });

  test("a hole at the corner is a quarter of one inside", () => {
    const ones = engine.fill([1, 8, 8, 1], 1);
    const left = (row: number, column: number): number =>
      augment(ones, { op: "cutout", sets: [{ row, column }] })
        .sum()
        .item();
    expect([left(4, 4), left(0, 4), left(0, 0), left(8, 8)]).toEqual([64 - 16, 64 - 8, 64 - 4, 64 - 4]);
  });
});

describe("strategies", () => {
  test("name each operation once", () => {
    expect(parseStrategy("crop_flip")).toEqual(["crop", "flip"]);
    expect(parseStrategy("none")).toEqual([]);
    expect(() => parseStrategy("crop_filp")).toThrow(
      'augmentation: expected one of color, crop, cutout, flip, scale, rotate, got "filp"; did you mean flip?',
    );
    expect(() => parseStrategy("crop_crop")).toThrow(
      "augmentation: expected every operation once, got crop_crop",
    );
  });

  test("of no operation leave the images as they are", () => {
    const x = batch(2, 20);
    expect(augment(x, drawAugmentation([], "siamese", shape, seeded(0)))).toBe(x);
  });

  test("compose operations with +, beside alternatives", () => {
    expect(parseStrategy("color+crop+cutout")).toEqual([["color", "crop", "cutout"]]);
    expect(parseStrategy("color+crop_flip")).toEqual([["color", "crop"], "flip"]);
    expect(parseStrategy("color+crop_color+flip")).toEqual([
      ["color", "crop"],
      ["color", "flip"],
    ]);
    expect(() => parseStrategy("color+")).toThrow(
      'augmentation: expected one of color, crop, cutout, flip, scale, rotate, got ""',
    );
    expect(() => parseStrategy("color+color")).toThrow(
      "augmentation: expected every operation once, got color+color",
    );
    expect(() => parseStrategy("color+crop_flip_color+crop")).toThrow(
      "augmentation: expected every operation once, got color+crop_flip_color+crop",
    );
  });

  test("without an operation keep what else an alternative has", () => {
    expect(without(parseStrategy("flip+color_flip+color+crop_flip_scale"), "flip")).toEqual([
      "color",
      ["color", "crop"],
      "scale",
    ]);
  });

  test("choose each operation as often as any other", () => {
    const rng = seeded(21);
    const draws = 6000;
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const { op } = drawAugmentation(all, "siamese", shape, rng);
      counts.set(op, (counts.get(op) ?? 0) + 1);
    }
    // Binomial with p = 1/6: five standard deviations.
    const bound = 5 * Math.sqrt((draws * 5) / 36);
    for (const op of all) expect(Math.abs((counts.get(op) ?? 0) - draws / 6)).toBeLessThan(bound);
  });

  test("drawn for another number of images are refused", () => {
    expect(() => augment(batch(3, 22), drawAugmentation(["flip"], 2, shape, seeded(0)))).toThrow(
      "augment: expected parameters for 3 images or one set for all, got 2 sets",
    );
  });
});
