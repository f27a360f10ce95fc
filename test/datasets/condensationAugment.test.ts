import { afterAll, describe, expect, test } from "@jest/globals";
import { type Rng, seeded } from "../../src/core/rng.ts";
import {
  type CondensationChange,
  condensationAugmented,
  type CondensationOp,
  drawCondensation,
  parseCondensationStrategy,
} from "../../src/datasets/condensationAugment.ts";
import type { Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { chirp, expectNear, expectSummary, reference, type Summary } from "../networks/chirp.ts";

interface Case {
  draws: number[];
  out: Summary;
  rows: number[][];
}

const { case8_dc_aug } = reference<{ case8_dc_aug: Record<string, Case | string> }>("gm.json");
const cases = Object.entries(case8_dc_aug).filter((entry): entry is [string, Case] => entry[0] !== "inputs");
const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

const all = parseCondensationStrategy("crop_scale_rotate_noise");
const normal = (shape: readonly number[], seed: number): Tensor => {
  const size = shape.reduce((product, side) => product * side, 1);
  return engine.tensor(shape, seeded(seed).fillNormal(new Float64Array(size)));
};
const values = (x: Tensor): number[] => Array.from(x.values());
const changed = (x: Tensor, change: CondensationChange): number[] =>
  values(condensationAugmented(x, new Array<CondensationChange>(x.shape[0]!).fill(change)));

describe("against the authors' code", () => {
  const change = (name: string, [first, second]: number[]): CondensationChange => {
    if (name === "crop") return { op: "crop", parameters: { row: first!, column: second! } };
    if (name.startsWith("rotate")) return { op: "rotate", parameters: { degrees: first! } };
    return { op: "scale", parameters: { rows: first!, columns: second! } };
  };
  const x = engine.tensor([1, 12, 12, 1], Float32Array.from(chirp(144, 0.31, 0.001, 0.1)));

  test.each(cases)("%s agrees", (name, { draws, out, rows }) => {
    const output = changed(x, change(name, draws));
    [0, 5, 11].forEach((row, k) => {
      expectNear(output.slice(12 * row, 12 * row + 12), rows[k]!, 1e-5);
    });
    expectSummary(output, out, 1e-5);
  });
});

describe("drawing", () => {
  const shape = [9, 7, 3] as const;

  test("covers what the code draws and nothing else, each operation and each value as often as any other", () => {
    const drawn = drawCondensation(all, 40_000, shape, seeded(1));
    const of = <Op extends CondensationOp>(op: Op) =>
      drawn.flatMap((one) =>
        one.op === op ? [one.parameters as (CondensationChange & { op: Op })["parameters"]] : [],
      );
    const expectUniform = (found: readonly number[], least: number, count: number): void => {
      const counts = new Array<number>(count).fill(0);
      for (const value of found) counts[value - least]!++;
      expect(counts).toHaveLength(count); // a value outside would have made it longer
      const expected = found.length / count;
      for (const one of counts) expect(Math.abs(one - expected)).toBeLessThan(5 * Math.sqrt(expected));
    };
    const order = all.condensation;
    expectUniform(
      drawn.map(({ op }) => order.indexOf(op)),
      0,
      4,
    );
    const crops = of("crop");
    expectUniform(
      crops.map(({ row }) => row),
      0,
      8,
    );
    expectUniform(
      crops.map(({ column }) => column),
      0,
      8,
    );
    expectUniform(
      of("rotate").map(({ degrees }) => degrees),
      -45,
      90,
    );
    const factors = of("scale").flatMap(({ rows, columns }) => [rows, columns]);
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.8);
    expect(Math.max(...factors)).toBeLessThan(1.2);
    expectUniform(
      factors.map((factor) => Math.floor((factor - 0.8) * 25)),
      0,
      10,
    );
    expect(of("noise")[0]!.values).toHaveLength(9 * 7 * 3);
  });

  test("the same seed gives the same changes", () => {
    expect(drawCondensation(all, 20, shape, seeded(2))).toEqual(drawCondensation(all, 20, shape, seeded(2)));
  });

  test("takes the numbers of one image after the other", () => {
    const three = drawCondensation(all, 3, shape, seeded(3));
    expect(drawCondensation(all, 5, shape, seeded(3)).slice(0, 3)).toEqual(three);
  });
});

describe("crop", () => {
  const x = normal([2, 6, 5, 3], 4);

  test("at 4, 4 is the image itself", () => {
    expect(changed(x, { op: "crop", parameters: { row: 4, column: 4 } })).toEqual(values(x));
  });

  test("moves the image, and shows the mini-batch's mean color beside it", () => {
    const moved = condensationAugmented(x, [
      { op: "crop", parameters: { row: 7, column: 4 } },
      { op: "crop", parameters: { row: 4, column: 0 } },
    ]);
    const means = values(x.mean([0, 1, 2]));
    const pixel = (tensor: Tensor, image: number, i: number, j: number): number[] =>
      values(tensor.slice([image, i, j, 0], [1, 1, 1, 3]));
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 5; j++) {
        expectNear(pixel(moved, 0, i, j), i + 3 < 6 ? pixel(x, 0, i + 3, j) : means, 1e-12);
        expectNear(pixel(moved, 1, i, j), j - 4 >= 0 ? pixel(x, 1, i, j - 4) : means, 1e-12);
      }
    }
  });
});

describe("scale", () => {
  test("by 1 is the image itself", () => {
    const x = normal([2, 6, 5, 3], 5);
    expect(changed(x, { op: "scale", parameters: { rows: 1, columns: 1 } })).toEqual(values(x));
  });

  test("of a smaller image leaves zeros around it", () => {
    // 10 · 0.8 = 8 rows in the middle of 10; columns 0, 1, 2, 3, 5, … of 10 in 8.
    const rows = normal([1, 10, 10, 1], 6);
    const output = changed(rows, { op: "scale", parameters: { rows: 0.8, columns: 1 } });
    const source = values(rows);
    const shown = [0, 1, 2, 3, 5, 6, 7, 8].flatMap((row) => source.slice(10 * row, 10 * row + 10));
    const zeros = new Array<number>(10).fill(0);
    expect(output).toEqual([...zeros, ...shown, ...zeros]);
  });

  test("to a wider image shows its middle, in zeros where it is lower", () => {
    // 12 columns of 10 are cut to columns 1 … 10 of 12; 9 rows of 10 begin at row 1 of a canvas of 12, cut at row 1.
    const output = changed(normal([1, 10, 10, 1], 7), {
      op: "scale",
      parameters: { rows: 0.9, columns: 1.2 },
    });
    const source = values(normal([1, 10, 10, 1], 7));
    const columns = Array.from({ length: 10 }, (_, j) => Math.floor(((j + 1) * 10) / 12));
    const expected = Array.from({ length: 10 }, (_, i) =>
      i < 9
        ? columns.map((column) => source[10 * Math.floor((i * 10) / 9) + column]!)
        : new Array<number>(10).fill(0),
    );
    expect(output).toEqual(expected.flat());
  });
});

describe("rotate", () => {
  const rotated = (x: Tensor, degrees: number): number[] =>
    changed(x, { op: "rotate", parameters: { degrees } });

  test.each([[[2, 6, 6, 3]], [[1, 7, 4, 1]], [[1, 2, 2, 2]], [[1, 1, 5, 1]]])(
    "by 0° is the image itself, of shape %j",
    (shape) => {
      const x = normal(shape, 8);
      expectNear(rotated(x, 0), values(x), 1e-10);
    },
  );

  test("a constant stays one, outside included", () => {
    const x = engine.fill([1, 9, 9, 1], 0.7);
    for (const degrees of [-45, -17, 13, 44]) {
      expectNear(rotated(x, degrees), new Array<number>(81).fill(0.7), 1e-10);
    }
  });

  test("outside it shows the mean over the channels' means", () => {
    const x = normal([3, 8, 8, 2], 9);
    const corner = rotated(x, 40).slice(0, 2);
    expectNear(corner, [x.mean([0, 1, 2, 3]).item(), x.mean([0, 1, 2, 3]).item()], 1e-12);
  });

  test("turns a smooth image about its center, counterclockwise in rows that go down", () => {
    // Of a plane wave, known everywhere; splines follow it to a thousandth.
    const side = 21;
    const wave = (i: number, j: number): number => Math.sin(0.3 * (i - 10)) + Math.cos(0.2 * (j - 10) + 0.5);
    const x = engine.tensor(
      [1, side, side, 1],
      Float64Array.from({ length: side * side }, (_, p) => wave(Math.floor(p / side), p % side)),
    );
    const angle = (25 * Math.PI) / 180;
    const output = rotated(x, 25);
    // 21 (cos + sin 25°) = 27.9 rows, of which 28 make the box; its middle, 13.5, is row 10.5 of the cut.
    for (const [i, j] of [
      [10, 10],
      [7, 12],
      [13, 5],
      [6, 9],
    ] as const) {
      const [down, right] = [i - 10.5, j - 10.5];
      const row = Math.cos(angle) * down + Math.sin(angle) * right + 10;
      const column = -Math.sin(angle) * down + Math.cos(angle) * right + 10;
      expect(Math.abs(output[i * side + j]! - wave(row, column))).toBeLessThan(1e-3);
    }
  });

  test("there and back is nearly the image, in its middle", () => {
    const smooth = engine.tensor(
      [1, 15, 15, 1],
      Float64Array.from(
        { length: 225 },
        (_, p) => Math.sin(0.5 * Math.floor(p / 15)) * Math.cos(0.4 * (p % 15)),
      ),
    );
    // 15 (cos + sin 20°) = 19.2: 19 rows, odd as 15, so that both turns are about the middle pixel.
    const there = engine.tensor([1, 15, 15, 1], rotated(smooth, 20));
    const back = rotated(there, -20);
    for (const p of [7 * 15 + 7, 6 * 15 + 8, 9 * 15 + 5]) {
      expect(Math.abs(back[p]! - values(smooth)[p]!)).toBeLessThan(5e-3);
    }
  });
});

test("noise is a thousandth of a normal number, another for each value", () => {
  const x = engine.fill([40, 6, 5, 3], 0);
  const only = parseCondensationStrategy("noise");
  const output = values(condensationAugmented(x, drawCondensation(only, 40, [6, 5, 3], seeded(10))));
  expect(new Set(output).size).toBe(output.length);
  const variance = output.reduce((sum, value) => sum + value * value, 0) / output.length;
  expect(Math.abs(variance / 1e-6 - 1)).toBeLessThan(5 * Math.sqrt(2 / output.length));
});

describe("a mini-batch", () => {
  const shape = [8, 8, 3] as const;
  const x = normal([6, ...shape], 11);
  const changes = drawCondensation(all, 6, shape, seeded(12));

  test("keeps its images, and gives the same again", () => {
    const before = values(x);
    const once = values(condensationAugmented(x, changes));
    expect(values(condensationAugmented(x, changes))).toEqual(once);
    expect(values(x)).toEqual(before);
    expect(once).not.toEqual(before);
  });

  test("changes each image by its own, given the colors of all", () => {
    const whole = values(condensationAugmented(x, changes));
    const size = 8 * 8 * 3;
    const order = [3, 0, 5, 1, 4, 2];
    const shuffled = condensationAugmented(
      x.gather(engine.indices(order)),
      order.map((i) => changes[i]!),
    );
    order.forEach((from, to) => {
      const got = values(shuffled).slice(to * size, (to + 1) * size);
      expectNear(got, whole.slice(from * size, (from + 1) * size), 1e-12);
    });
  });

  test("needs a change for each image", () => {
    expect(() => condensationAugmented(x, changes.slice(1))).toThrow(
      "condensation augmentation: expected a change for each of 6 images, got 5",
    );
  });
});

describe("a strategy", () => {
  test("is parsed into operations of this namespace", () => {
    expect(parseCondensationStrategy("crop_noise")).toEqual({ condensation: ["crop", "noise"] });
  });

  test.each([
    ["flip", 'condensation augmentation: expected one of crop, scale, rotate, noise, got "flip"'],
    ["crop_crop", "condensation augmentation: expected every operation once, got crop_crop"],
    ["", 'condensation augmentation: expected one of crop, scale, rotate, noise, got ""'],
  ])("%j is refused", (text, message) => {
    expect(() => parseCondensationStrategy(text)).toThrow(message);
  });
});

test("a scripted stream is drawn from in the order of the code: the operation, then row before column", () => {
  const left = [0, 2, 5, 1, 0.25, 0.75];
  const rng: Rng = { ...seeded(0), uniform: () => left.shift()!, integer: () => left.shift()! };
  expect(drawCondensation(all, 2, [8, 8, 1], rng)).toEqual([
    { op: "crop", parameters: { row: 2, column: 5 } },
    { op: "scale", parameters: { rows: 0.9, columns: 1.1 } },
  ]);
});
