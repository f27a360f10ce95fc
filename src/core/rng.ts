import { check, wholeNumber } from "./errors.ts";
import { fillNormal, normal } from "./normal.ts";
import { RandomWords } from "./randomWords.ts";

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
  /** Standard normal. */
  readonly normal: () => number;
  /** Uniform whole number in {0, …, below − 1}. */
  integer(below: number): number;
  /** A uniformly random order of 0, …, count − 1. */
  permutation(count: number): Int32Array;
  /** Fills with uniform numbers on [low, high), rounded to the array's type. */
  fillUniform<T extends Float32Array | Float64Array>(target: T, low: number, high: number): T;
  /** Fills with the numbers that as many calls of `normal` give. */
  fillNormal<T extends Float32Array | Float64Array>(target: T): T;
}

/** The root stream of a seed (a whole number from 0 to 2^53 − 1). */
export function seeded(seed: number): Rng {
  wholeNumber("seed", seed);
  return rngAt(`${seed}`);
}

function rngAt(path: string): Rng {
  const words = new RandomWords(path);
  const uniform = (): number => words.uniform();
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
    normal: () => normal(words),
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
      words.fillUniform(target, low, high - low);
      return target;
    },
    fillNormal(target) {
      fillNormal(words, target);
      return target;
    },
  };
}
