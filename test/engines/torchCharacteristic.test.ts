import { describe, expect, test } from "@jest/globals";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/engine.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import { deviation, weighted } from "./differences.ts";

// Float32 on the CPU goes tile by tile; float64 does not.
const single = torchEngine();
const double = torchEngine({ dtype: "float64" });

interface Problem {
  readonly counts: readonly number[];
  /** Components of a feature. */
  readonly d: number;
  readonly frequencies: number;
}

/** Features and frequencies, the same single precision numbers on every engine; angles are about ±1. */
function inputsOn(engine: Engine, { counts, d, frequencies }: Problem): [Tensor, Tensor] {
  const drawn = (name: string, shape: Shape, scale: number): Tensor => {
    const values = seeded(3)
      .stream(name)
      .fillNormal(new Float32Array(sizeOf(shape)));
    return engine.tensor(
      shape,
      values.map((value) => value * scale),
    );
  };
  const n = counts.reduce((sum, count) => sum + count);
  return [drawn("features", [n, d], 1), drawn("frequencies", [frequencies, d], 1 / Math.sqrt(d))];
}

/** A number that depends on every element of both parts. */
function summary(problem: Problem, [features, omega]: readonly Tensor[]): Tensor {
  const { re, im } = features!.characteristic(omega!, problem.counts);
  return weighted(re.engine, re, "re").add(weighted(im.engine, im, "im"));
}

function values(engine: Engine, problem: Problem): ArrayLike<number>[] {
  const [features, omega] = inputsOn(engine, problem);
  const { re, im } = features.characteristic(omega, problem.counts);
  return [re.values(), im.values()];
}

function first(engine: Engine, problem: Problem): ArrayLike<number>[] {
  const f = (...given: Tensor[]): Tensor => summary(problem, given);
  return engine.gradients(f, inputsOn(engine, problem)).gradients.map((each) => each.values());
}

function second(engine: Engine, problem: Problem): ArrayLike<number>[] {
  const f = (...given: Tensor[]): Tensor => summary(problem, given);
  const slope = (...given: Tensor[]): Tensor =>
    engine
      .gradients(f, given)
      .gradients.map((gradient, i) => weighted(engine, gradient, `direction ${i}`))
      .reduce((a, b) => a.add(b));
  return engine.gradients(slope, inputsOn(engine, problem)).gradients.map((each) => each.values());
}

const problems: [string, Problem][] = [
  ["whole panels and tiles", { counts: [48, 48], d: 64, frequencies: 64 }],
  ["cut panels and tiles", { counts: [3, 50, 1, 6], d: 37, frequencies: 45 }],
  ["one component", { counts: [2, 3], d: 1, frequencies: 40 }],
  ["no component", { counts: [2, 3], d: 0, frequencies: 40 }],
  ["no frequency", { counts: [2, 3], d: 4, frequencies: 0 }],
  ["one frequency", { counts: [30, 40], d: 50, frequencies: 1 }],
  ["one row", { counts: [1], d: 7, frequencies: 33 }],
  ["many groups of one row", { counts: Array<number>(70).fill(1), d: 5, frequencies: 9 }],
  ["more components than one product takes at once", { counts: [4, 3], d: 5000, frequencies: 33 }],
  ["more rows than are held at once", { counts: [470, 30, 600], d: 40, frequencies: 35 }],
  ["more tiles than tasks", { counts: [3000, 1, 200], d: 3, frequencies: 2 }],
];

describe.each(problems)("the characteristic function tile by tile: %s", (_, problem) => {
  test.each([
    ["values", values],
    ["gradients", first],
    ["second derivatives", second],
  ] as const)("has the %s of its definition in float64", (_name, of) => {
    expect(deviation(of(single, problem), of(double, problem))).toBeLessThan(5e-6);
  });
});

test.each(problems)("on any number of threads the bits are the same: %s", (_, problem) => {
  const [one, two, three] = [1, 2, 3].map((threads) => {
    const engine = torchEngine({ threads });
    return [...values(engine, problem), ...first(engine, problem)];
  });
  expect(two).toEqual(one);
  expect(three).toEqual(one);
});

test("each gradient alone is what it is beside the other", () => {
  const problem = { counts: [5, 60], d: 40, frequencies: 35 };
  const [features, omega] = inputsOn(single, problem);
  const both = first(single, problem);
  const alone = [
    single.gradients((x) => summary(problem, [x!, omega]), [features]),
    single.gradients((x) => summary(problem, [features, x!]), [omega]),
  ];
  expect(alone.map(({ gradients }) => gradients[0]!.values())).toEqual(both);
});

test("frequencies that take the place of others are not taken for them", () => {
  const features = single.tensor([2, 1], [1, 2]);
  const kept = single.tensor([1, 1], [10]);
  for (const omega of [0.1, 0.2, 0.3]) {
    const at = (frequencies: Tensor): number => features.characteristic(frequencies, [2]).im.item();
    const expected = (w: number): number => (Math.sin(w) + Math.sin(2 * w)) / 2;
    single.scope(() => {
      const frequencies = single.tensor([1, 1], [omega]);
      expect(at(frequencies)).toBeCloseTo(expected(omega), 6);
      expect(at(frequencies)).toBeCloseTo(expected(omega), 6);
      expect(at(kept)).toBeCloseTo(expected(10), 6);
      expect(at(frequencies)).toBeCloseTo(expected(omega), 6);
    });
  }
});

test("views that are not dense give the same result", () => {
  const problem = { counts: [5, 6], d: 40, frequencies: 35 };
  const inputs = inputsOn(single, problem);
  const turned = inputs.map((input) => {
    const { engine, shape } = input;
    return engine.tensor(shape.toReversed(), input.transpose().values()).transpose();
  });
  expect(summary(problem, turned).item()).toBe(summary(problem, inputs).item());
});

describe("angles of any size", () => {
  // With one component and the frequency 1 the angle is the feature itself.
  const atAngles = (angles: readonly number[], engine: Engine = single) => {
    const x = engine.tensor([angles.length, 1], angles);
    const one = engine.fill([1, 1], 1);
    const counts = angles.map(() => 1);
    const { re, im } = x.characteristic(one, counts);
    const { gradients } = engine.gradients(
      (at) => {
        const parts = at.characteristic(one, counts);
        return parts.re.add(parts.im.mul(2)).sum();
      },
      [x],
    );
    return { cos: re.values(), sin: im.values(), slope: gradients[0]!.values() };
  };
  /** Half a unit in the last place of a number between ½ and 1, and a little. */
  const half = 2 ** -25 * 1.02;

  test.each([1, 10, 1e4, 1e6, 2 ** 28, 1e12, 1e30])("up to %d are taken to the last place", (bound) => {
    const angles = Array.from(seeded(4).fillUniform(new Float32Array(500), -bound, bound));
    const { cos, sin, slope } = atAngles(angles);
    angles.forEach((angle, i) => {
      expect(Math.abs(cos[i]! - Math.cos(angle))).toBeLessThan(half);
      expect(Math.abs(sin[i]! - Math.sin(angle))).toBeLessThan(half);
      expect(Math.abs(slope[i]! - (2 * Math.cos(angle) - Math.sin(angle)))).toBeLessThan(5 * half);
    });
  });

  test("near multiples of π/2 keep their digits", () => {
    const angles = Array.from({ length: 400 }, (_, k) => Math.fround(((k - 200) * Math.PI) / 2));
    const { cos, sin } = atAngles(angles);
    const relative = (got: number, expected: number): number => Math.abs(got / expected - 1);
    angles.forEach((angle, i) => {
      if (angle === 0) return;
      expect(relative(cos[i]!, Math.cos(angle))).toBeLessThan(2 ** -23);
      expect(relative(sin[i]!, Math.sin(angle))).toBeLessThan(2 ** -23);
    });
  });

  test("zero is exact; infinities and NaN give NaN", () => {
    const { cos, sin } = atAngles([0, Infinity, -Infinity, NaN, 0]);
    expect(Array.from(cos)).toEqual([1, NaN, NaN, NaN, 1]);
    expect(Array.from(sin)).toEqual([0, NaN, NaN, NaN, 0]);
  });
});
