import type { RandomWords } from "./randomWords.ts";

/**
 * Standard normal numbers by the ziggurat of Marsaglia and Tsang (Journal of Statistical Software 5(8), 2000), with the
 * layer and the place in it from different bits, as Doornik asks (An improved ziggurat method, 2005). The law is exact:
 * no approximation of the density, but of the places 2^24 in each layer, as many as float32 tells apart.
 *
 * Under f(x) = exp(−x²/2), x ≥ 0, lie 256 layers of equal area v: layer i is the rectangle from 0 to xᵢ and from f(xᵢ) to
 * f(xᵢ₊₁); layer 0 is the rectangle below f(r) and the tail beyond r = x₁. A layer and a place in its rectangle are
 * drawn, with either sign. What lies left of xᵢ₊₁ is under the curve whatever its height, and that is 98.8% of all.
 */
const LAYERS = 256;
/** r, where the tail begins: the number for which the topmost layer ends at f(0) = 1. */
const TAIL = 3.6541528853610088;
/** v = r f(r) + ∫ᵣ^∞ f. */
const AREA = 0.0049286732339746553;

const density = (x: number): number => Math.exp(-0.5 * x * x);

/** xᵢ, [257], descending to 0; x₀ = v/f(r) is the width that layer 0 would have as a rectangle. */
const edges = new Float64Array(LAYERS + 1);
edges[0] = AREA / density(TAIL);
edges[1] = TAIL;
for (let i = 2; i < LAYERS; i++) {
  edges[i] = Math.sqrt(-2 * Math.log(AREA / edges[i - 1]! + density(edges[i - 1]!)));
}
/** f(xᵢ). */
const heights = edges.map(density);

/** A place is a word's upper 24 bits, −2^23 … 2^23 − 1, and stands for the middle of its cell. */
const PLACES = 2 ** 23;
const cells = edges.map((x) => x / PLACES);
/** Places from 0 up to this one, and their negatives, are left of xᵢ₊₁. */
const inside = Int32Array.from({ length: LAYERS }, (_, i) =>
  Math.floor((edges[i + 1]! / edges[i]!) * PLACES),
);

/** The next standard normal number. */
export function normal(words: RandomWords): number {
  for (;;) {
    const word = words.next();
    const layer = word & 255;
    const place = word >> 8;
    const x = (place + 0.5) * cells[layer]!;
    if ((place ^ (place >> 31)) < inside[layer]!) return x; // the xor takes −1 − p to p
    if (layer === 0) return x < 0 ? -tail(words) : tail(words);
    const height = heights[layer]! + words.uniform() * (heights[layer + 1]! - heights[layer]!);
    if (height < density(x)) return x;
  }
}

/** A normal number beyond r: r + e, e exponential of rate r, with probability exp(−e²/2) (Marsaglia 1964). */
function tail(words: RandomWords): number {
  for (;;) {
    const beyond = -Math.log(1 - words.uniform()) / TAIL;
    if (-2 * Math.log(1 - words.uniform()) > beyond * beyond) return TAIL + beyond;
  }
}

/** Fills with the numbers that as many calls of `normal` give. */
export function fillNormal(words: RandomWords, target: Float32Array | Float64Array): void {
  const { block } = words;
  for (let i = 0; i < target.length;) {
    if (words.used === block.length) words.refill();
    const start = words.used;
    const count = Math.min(block.length - start, target.length - i);
    let drawn = 0;
    for (; drawn < count; drawn++) {
      const word = block[start + drawn]!;
      const layer = word & 255;
      const place = word >> 8;
      if ((place ^ (place >> 31)) >= inside[layer]!) break;
      target[i + drawn] = (place + 0.5) * cells[layer]!;
    }
    words.used = start + drawn;
    i += drawn;
    if (drawn < count) target[i++] = normal(words);
  }
}
