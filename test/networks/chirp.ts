import { readFileSync } from "node:fs";
import { expect } from "@jest/globals";
import { sizeOf, type Shape } from "../../src/core/shape.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import type { Network } from "../../src/networks/index.ts";

/** Sums of an array in (sample, channel, row, column) order, as the reference cases give them. */
export interface Summary {
  readonly sum?: number;
  readonly l2?: number;
  /** Σₖ v[k] sin(k + 1) */
  readonly wsum?: number;
  readonly first?: readonly number[];
  readonly last?: readonly number[];
}

/** A file of test/reference, which says where its numbers are from. */
export function reference<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../reference/${name}`, import.meta.url), "utf8")) as T;
}

/** sin(a m + b m² + c) for m = 1 … count: the reference cases' way to write arrays down. */
export function chirp(count: number, a: number, b: number, c: number): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => Math.sin(a * (k + 1) + b * (k + 1) * (k + 1) + c));
}

const fills = { real: [0.11, 3e-5, 0.2], syn: [0.17, 5e-5, 0.9], test: [0.13, 2e-5, 0.4] } as const;

/** Reference images, [n, h, w, c], filled channel-major. */
export function chirpImages(engine: Engine, kind: keyof typeof fills, [n, h, w, c]: Shape): Tensor {
  const [a, b, phase] = fills[kind];
  return channelsLast(engine.tensor([n!, c!, h!, w!], chirp(n! * c! * h! * w!, a, b, phase)));
}

/** Reference parameters: PyTorch's layout filled row-major, then brought into ours. */
export function chirpParameters(engine: Engine, network: Network): Tensor[] {
  return network.parameters.map(({ name, shape }, p) => {
    const count = sizeOf(shape);
    if (name.endsWith(".weight")) {
      const values = chirpWeights(count, shape[0]!, p);
      if (shape.length === 2) return engine.tensor(shape, values);
      const [outputs, h, w, inputs] = shape as [number, number, number, number];
      return channelsLast(engine.tensor([outputs, inputs, h, w], values));
    }
    const wave = chirp(count, 0.7, 0, 0.5 * p);
    const values = wave.map(name.endsWith(".scale") ? (v) => 1 + 0.2 * v : (v) => 0.1 * v);
    return affine(engine, shape, values);
  });
}

const known = new Map<string, Float64Array>();

/** Filters or a matrix; kept, since those of a ResNet take seconds and its variants share them. */
function chirpWeights(count: number, outputs: number, p: number): Float64Array {
  const key = `${count}/${outputs}/${p}`;
  const root = Math.sqrt(count / outputs);
  const values = known.get(key) ?? chirp(count, 1.3, 0.0007, 0.5 * p).map((v) => v / root);
  known.set(key, values);
  return values;
}

/** Scale or shift of a norm: of each channel, or of each position and channel. */
function affine(engine: Engine, shape: Shape, values: Float64Array): Tensor {
  if (shape.length === 1) return engine.tensor(shape, values);
  const [h, w, c] = shape as [number, number, number];
  return engine.tensor([c, h, w], values).transpose([1, 2, 0]);
}

/** [n, c, h, w] → [n, h, w, c] */
export function channelsLast(x: Tensor): Tensor {
  return x.transpose([0, 2, 3, 1]);
}

/** Values in PyTorch's order: axes (h, w, c) of the last three become (c, h, w). */
export function channelsFirst(x: Tensor): number[] {
  const rank = x.shape.length;
  if (rank < 3) return Array.from(x.values());
  const leading = Array.from({ length: rank - 3 }, (_, axis) => axis);
  return Array.from(x.transpose([...leading, rank - 1, rank - 3, rank - 2]).values());
}

/** Expects values, in the reference's order, to have these sums and ends, within `tolerance` times their size. */
export function expectSummary(values: readonly number[], expected: Summary, tolerance: number): void {
  const dot = (weight: (v: number, k: number) => number): number =>
    values.reduce((s, v, k) => s + weight(v, k), 0);
  const l2 = Math.sqrt(dot((v) => v * v));
  const near = (got: number, wanted: number | undefined): void => {
    if (wanted === undefined) return;
    expect(Math.abs(got - wanted)).toBeLessThan(tolerance * Math.max(1, l2, Math.abs(wanted)));
  };
  const sum = dot((v) => v);
  const waveSum = dot((v, k) => v * Math.sin(k + 1));
  near(l2, expected.l2);
  near(sum, expected.sum);
  near(waveSum, expected.wsum);
  const allowed = tolerance * Math.max(1, l2);
  expectNear(values.slice(0, expected.first?.length ?? 0), expected.first ?? [], allowed);
  if (expected.last) expectNear(values.slice(-expected.last.length), expected.last, allowed);
}

/** Expects equal lengths, and entries within `tolerance`. */
export function expectNear(got: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, i) => expect(Math.abs(got[i]! - value)).toBeLessThan(tolerance));
}
