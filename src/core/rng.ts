import { check, wholeNumber } from "./errors.ts";

/**
 * A stream of random numbers, the only source of randomness in the project.
 *
 * Streams form a tree: `rng.stream("real/3")` is an independent child whose numbers depend on the root seed and on the
 * names along the path alone, not on what the parent has drawn. A new consumer therefore never shifts another's
 * numbers, and a resumed run rolls the same dice.
 */
export interface Rng {
  /** An independent child stream; the same name gives the same child again, from its start. */
  stream(name: string): Rng;
  /** Uniform on [0, 1), with 53 random bits. */
  readonly uniform: () => number;
  /** Standard normal, by the Box-Muller transform. */
  readonly normal: () => number;
  /** Uniform whole number in {0, …, below − 1}. */
  integer(below: number): number;
  /** A uniformly random order of 0, …, count − 1. */
  permutation(count: number): Int32Array;
  /** Fills with uniform numbers on [low, high). */
  fillUniform<T extends Float32Array | Float64Array>(target: T, low: number, high: number): T;
  /** Fills with standard normal numbers. */
  fillNormal<T extends Float32Array | Float64Array>(target: T): T;
}

/** The root stream of a seed (a whole number from 0 to 2^53 − 1). */
export function seeded(seed: number): Rng {
  wholeNumber("seed", seed);
  return rngAt(`${seed}`);
}

/** Four 32-bit words from a path: two rounds of 64-bit-style mixing by cyrb53's multiply-xorshift, twice salted. */
function hash(path: string): [number, number, number, number] {
  const words: [number, number, number, number] = [0, 0, 0, 0];
  for (let salt = 0; salt < 2; salt++) {
    let h1 = 0xdeadbeef ^ (salt * 0x9e3779b9);
    let h2 = 0x41c6ce57 ^ (salt * 0x85ebca6b);
    for (let i = 0; i < path.length; i++) {
      const code = path.charCodeAt(i);
      h1 = Math.imul(h1 ^ code, 2654435761);
      h2 = Math.imul(h2 ^ code, 1597334677);
    }
    h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
    h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
    words[2 * salt] = h1;
    words[2 * salt + 1] = h2;
  }
  return words;
}

function rngAt(path: string): Rng {
  // sfc32 (Doty-Humphrey, PractRand): 128 bits of state with a counter, so no cycle is shorter than 2^32.
  let [a, b, c, counter] = hash(path);
  const bits = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) bits(); // mixes a poor start, as its author recommends

  const uniform = (): number => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;

  let spare = 0;
  let hasSpare = false;
  const normal = (): number => {
    if (hasSpare) {
      hasSpare = false;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    hasSpare = true;
    return radius * Math.cos(angle);
  };

  const integer = (below: number): number => {
    check(
      Number.isSafeInteger(below) && below > 0,
      () => `rng.integer: expected a whole number > 0, got ${below}`,
    );
    return Math.floor(uniform() * below);
  };

  return {
    stream: (name) => rngAt(`${path}/${name}`),
    uniform,
    normal,
    integer,
    permutation(count) {
      const order = Int32Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = Math.floor(uniform() * (i + 1));
        const held = order[i]!;
        order[i] = order[j]!;
        order[j] = held;
      }
      return order;
    },
    fillUniform(target, low, high) {
      const width = high - low;
      for (let i = 0; i < target.length; i++) target[i] = low + width * uniform();
      return target;
    },
    fillNormal(target) {
      for (let i = 0; i < target.length; i++) target[i] = normal();
      return target;
    },
  };
}
