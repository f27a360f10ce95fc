import { afterAll, describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { type CutMix, cutMixed, drawCutMix } from "../../src/training/cutMix.ts";

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const values = (tensor: Tensor): number[] => Array.from(tensor.values());
const always = { probability: 1, alpha: 1 };
const area = ({ rows, columns }: CutMix): number => (rows[1] - rows[0]) * (columns[1] - columns[0]);

describe("mixed images", () => {
  const images = engine.tensor([3, 2, 2, 1], [1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 300, 400]);
  const box = { rows: [0, 2], columns: [1, 2], partners: Int32Array.of(2, 1, 0) } as const;

  test("have the box of their partner, and its label by the share of the area", () => {
    const mixed = cutMixed(images, Int32Array.of(0, 1, 2), box, 3);
    expect(values(mixed.images)).toEqual([1, 200, 3, 400, 10, 20, 30, 40, 100, 2, 300, 4]);
    expect(values(mixed.labels)).toEqual([0.5, 0, 0.5, 0, 1, 0, 0.5, 0, 0.5]);
  });

  test("mix soft labels too", () => {
    const soft = engine.tensor([3, 2], [1, 0, 0.25, 0.75, 0.5, 0.5]);
    const corner = { ...box, rows: [1, 2] } as const; // a quarter of the area
    expect(values(cutMixed(images, soft, corner, 2).labels)).toEqual([
      0.875, 0.125, 0.25, 0.75, 0.625, 0.375,
    ]);
  });

  test("under an empty box stay what they are", () => {
    const mixed = cutMixed(images, Int32Array.of(0, 1, 2), { ...box, rows: [1, 1] }, 3);
    expect(values(mixed.images)).toEqual(values(images));
    expect(values(mixed.labels)).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });
});

describe("the dice", () => {
  const draws = 4000;
  const drawn = (options = always, seed = 1): (CutMix | undefined)[] => {
    const rng = seeded(seed);
    return Array.from({ length: draws }, () => drawCutMix(options, 5, [32, 24, 3], rng));
  };

  test("mix a mini-batch with the probability that is asked for", () => {
    const mixed = drawn({ probability: 0.3, alpha: 1 }).filter((one) => one !== undefined).length;
    expect(Math.abs(mixed - 0.3 * draws)).toBeLessThan(5 * Math.sqrt(draws * 0.3 * 0.7));
    expect(drawn({ probability: 0, alpha: 1 }).every((one) => one === undefined)).toBe(true);
  });

  test("give boxes inside the image, and an order of the images", () => {
    const inside = ([first, end]: CutMix["rows"], length: number): boolean =>
      0 <= first && first <= end && end <= length;
    const wrong = drawn().filter(
      (one) =>
        !inside(one!.rows, 32) ||
        !inside(one!.columns, 24) ||
        Array.from(one!.partners).sort().join() !== "0,1,2,3,4",
    );
    expect(wrong).toEqual([]);
  });

  // Of two million boxes drawn with NumPy's Beta law: the mean share of the area, its deviation, and how many have less than
  // 2 % of it.
  test.each([
    [1, 0.29542, 0.18131, 0.03178],
    [0.1, 0.26533, 0.25645, 0.35889],
    [5, 0.30718, 0.1219, 0.00001],
  ])("with α = %f, λ has the law Beta(α, α)", (alpha, mean, deviation, tiny) => {
    const shares = drawn({ probability: 1, alpha }, 2).map((one) => area(one!) / (32 * 24));
    const found = shares.reduce((sum, share) => sum + share, 0) / draws;
    expect(Math.abs(found - mean)).toBeLessThan((5 * deviation) / Math.sqrt(draws));
    const small = shares.filter((share) => share < 0.02).length / draws;
    expect(Math.abs(small - tiny)).toBeLessThan(5 * Math.sqrt(Math.max(tiny, 1e-4) / draws));
  });

  test("under a tiny α are those of a coin: no box, or one as large as the border leaves", () => {
    const half = drawn({ probability: 1, alpha: 1e-9 }, 3).filter((one) => area(one!) === 0).length;
    expect(Math.abs(half - draws / 2)).toBeLessThan(5 * Math.sqrt(draws / 4));
  });

  test("ask for α > 0", () => {
    expect(() => drawCutMix({ probability: 1, alpha: 0 }, 2, [8, 8, 3], seeded(0))).toThrow(
      "cutMix.alpha: expected a number > 0, got 0",
    );
  });
});
