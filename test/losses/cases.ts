import { readFileSync } from "node:fs";
import { expect } from "@jest/globals";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";

/** Expected numbers of a case of test/reference/dm.json, which says where they are from. */
export function dmCase<T>(letter: string): T {
  const url = new URL("../reference/dm.json", import.meta.url);
  const cases = JSON.parse(readFileSync(url, "utf8")) as Record<string, { outputs: T }>;
  const { outputs, ...rest } = cases[letter]!;
  return { ...rest, ...outputs };
}

/** Numbers a, b, scale (by default 1) and offset (0) of `sines`. */
export type Wave = readonly [a: number, b: number, scale?: number, offset?: number];

/** offset + scale·sin(a i + b) for i = 0, 1, …: the reference cases' way to write arrays down. */
export function sines(shape: Shape, [a, b, scale = 1, offset = 0]: Wave): Float64Array {
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => offset + scale * Math.sin(a * i + b));
}

/** The samples of cases A and B, [4, 5] and [3, 5]. */
export const sampleX = sines([4, 5], [0.7, 0.3]);
export const sampleY = sines([3, 5], [1.1, 0.9, 0.8, 0.1]);

/** `sines` as a tensor. */
export function sineTensor(engine: Engine, shape: Shape, wave: Wave): Tensor {
  return engine.tensor(shape, sines(shape, wave));
}

/** Expects entries to agree with ones that were rounded to 6 digits, and as many of them. */
export function expectSixDigits(got: ArrayLike<number>, wanted: number | readonly number[]): void {
  const list = typeof wanted === "number" ? [wanted] : wanted;
  expect(got.length).toBe(list.length);
  list.forEach((value, i) => {
    // Half a unit of the sixth digit, and double precision's own rounding for those near zero.
    expect(Math.abs(got[i]! - value)).toBeLessThanOrEqual(5.1e-6 * Math.abs(value) + 1e-12);
  });
}

/** Gradient of a scalar function by central differences of step h, for float64. */
export function centralDifferences(
  f: (values: Float64Array) => number,
  at: ArrayLike<number>,
  h = 1e-5,
): number[] {
  return Array.from(at, (_, i) => {
    const moved = (by: number): number => f(Float64Array.from(at, (v, k) => (k === i ? v + by : v)));
    return (moved(h) - moved(-h)) / (2 * h);
  });
}
