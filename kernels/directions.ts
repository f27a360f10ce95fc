import { wholeNumber } from "../src/core/errors.ts";
import type { Rng } from "../src/core/rng.ts";
import { chiSquared } from "./laws.ts";
import { orthonormalize } from "./orthonormalize.ts";

/**
 * Draws of z whose law, row by row, is N(0, I). Rows may depend on each other: a mean over them is unbiased all the same,
 * and varies less where they are more evenly spread than independent ones.
 *
 * @returns row-major, [count, width].
 */
export type Directions = (count: number, width: number, rng: Rng) => Float32Array;

/**
 * Blocks of up to `width` rows at right angles, in uniformly random directions, each of the length of an independent row
 * (Yu et al., Orthogonal random features, NeurIPS 2016): by Gram and Schmidt on normal rows. The law of a row is exact. It
 * takes 2·count·min(count, width)·width multiplications and additions.
 */
export const orthogonal: Directions = (count, width, rng) => {
  const z = rng.fillNormal(emptyRows(count, width));
  for (let first = 0; first < count; first += width) {
    const rows = Math.min(width, count - first);
    const block = z.subarray(first * width, (first + rows) * width);
    // A normal row's length is independent of all directions, so it serves as the length of what becomes of the row.
    const lengths = Float64Array.from({ length: rows }, (_, i) => norm(block, i * width, width));
    const frame = orthonormalize(Float64Array.from(block), width);
    for (let i = 0; i < block.length; i++) block[i] = frame[i]! * lengths[Math.floor(i / width)]!;
  }
  return z;
};

/**
 * Rows of √n·H D₁ H D₂ H D₃, with H the n×n Hadamard matrix over √n and Dᵢ diagonals of random signs (SORF, of the same
 * paper), in O(n log n) a row. Where the width is no power of two, n is the next one and rows are cut off, which leaves
 * them at right angles only on average. Each row gets the length of an independent one; its direction is uniform only
 * approximately, to O(1/width), and so an estimate is unbiased only to as much.
 */
export const hadamard: Directions = (count, width, rng) => {
  const z = emptyRows(count, width);
  const n = 2 ** Math.ceil(Math.log2(width));
  const row = new Float32Array(n);
  let signs: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    if (i % n === 0) signs = [randomSigns(n, rng), randomSigns(n, rng), randomSigns(n, rng)];
    const [first, second, third] = signs as [Float32Array, Float32Array, Float32Array];
    for (let k = 0; k < n; k++) row[k] = first[k]! * hadamardSign(i % n, k);
    transformed(row);
    multiplied(row, second);
    transformed(row);
    multiplied(row, third);
    lengthened(row.subarray(0, width), rng, z.subarray(i * width, (i + 1) * width));
  }
  return z;
};

/**
 * Blocks of `width` rows that are the shifts of one normal vector g, under one pattern of random signs D, each at the length
 * of an independent row:
 *
 *     zᵢ = D (g_{i−j mod d})ⱼ
 *
 * so that a block times x is a circular convolution of g and Dx. The law of a row is exact; a block takes 2·width draws.
 */
export const circulant: Directions = (count, width, rng) => {
  const z = emptyRows(count, width);
  for (let first = 0; first < count; first += width) {
    const g = rng.fillNormal(new Float32Array(width));
    const signs = randomSigns(width, rng);
    const rows = circulantRows(g, Math.min(width, count - first));
    for (let i = 0; i < rows.length; i += width) {
      const row = multiplied(rows.subarray(i, i + width), signs);
      lengthened(row, rng, z.subarray(first * width + i, first * width + i + width));
    }
  }
  return z;
};

/** Ways to draw directions that depend on each other, by name. */
export const structures = { orthogonal, hadamard, circulant } as const satisfies Record<string, Directions>;

/** The first rows of the circulant matrix g_{i−j mod d}, [count, d]. */
export function circulantRows<T extends Float32Array | Float64Array>(g: T, count: number): T {
  const d = g.length;
  const reversed = g.toReversed() as T; // g_{d−1}, …, g₀, of which row i is the rotation that begins with gᵢ
  const rows = new (g.constructor as new (length: number) => T)(count * d);
  for (let i = 0; i < count; i++) {
    rows.set(reversed.subarray(d - 1 - i), i * d);
    rows.set(reversed.subarray(0, d - 1 - i), i * d + i + 1);
  }
  return rows;
}

/** Zeros, [count, width]. */
export function emptyRows(count: number, width: number): Float32Array {
  wholeNumber("frequencies.count", count, 1);
  wholeNumber("frequencies.width", width, 1);
  return new Float32Array(count * width);
}

function norm(values: Float32Array | Float64Array, begin: number, length: number): number {
  let sum = 0;
  for (let k = begin; k < begin + length; k++) sum += values[k]! ** 2;
  return Math.sqrt(sum);
}

/** A row at the length of an independent one: √χ²(d). */
function lengthened(row: Float32Array | Float64Array, rng: Rng, target: Float32Array): void {
  const factor = Math.sqrt(chiSquared(row.length, rng)) / norm(row, 0, row.length);
  for (let k = 0; k < row.length; k++) target[k] = row[k]! * factor;
}

function multiplied(row: Float32Array, factors: Float32Array): Float32Array {
  for (let k = 0; k < row.length; k++) row[k] = row[k]! * factors[k]!;
  return row;
}

function randomSigns(count: number, rng: Rng): Float32Array {
  return Float32Array.from({ length: count }, () => (rng.uniform() < 0.5 ? -1 : 1));
}

/** (−1)^(number of ones that i and k share in binary). */
function hadamardSign(i: number, k: number): number {
  let shared = i & k;
  shared ^= shared >> 16;
  shared ^= shared >> 8;
  shared ^= shared >> 4;
  return (0x6996 >> (shared & 15)) & 1 ? -1 : 1;
}

/** The fast Walsh-Hadamard transform in place, not normalized. */
function transformed(values: Float32Array): void {
  const n = values.length;
  for (let half = 1; half < n; half *= 2) {
    for (let begin = 0; begin < n; begin += 2 * half) {
      for (let k = begin; k < begin + half; k++) {
        const a = values[k]!;
        const b = values[k + half]!;
        values[k] = a + b;
        values[k + half] = a - b;
      }
    }
  }
}
