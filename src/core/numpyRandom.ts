import { mersenne } from "pure-rand/generator/mersenne";
import { check, wholeNumber } from "./errors.ts";

/** Seeds of NumPy's generator have 32 bits. */
const LARGEST_SEED = 2 ** 32 - 1;

/**
 * The order that NumPy's `RandomState(seed).permutation(count)` has; its first k are `choice(count, k, replace=False)`. For
 * nothing but to take the same images as published code does.
 *
 * From the last place on, each is exchanged with one at or before it. Which one is told by the Mersenne Twister MT19937
 * (Matsumoto & Nishimura 1998), whose words are cut to the bits needed and passed over where they are still too large:
 * `shuffle` in numpy/random/mtrand.pyx and `random_interval` in distributions.c, which NumPy promises not to change.
 *
 * @param seed From 0 to 2³² − 1.
 * @throws InputError for other seeds, and for a count that is no whole number ≥ 0.
 */
export function numpyPermutation(seed: number, count: number): Int32Array {
  wholeNumber("numpyPermutation: seed", seed);
  check(
    seed <= LARGEST_SEED,
    () => `numpyPermutation: seed: expected at most ${LARGEST_SEED}, which NumPy takes, got ${seed}`,
  );
  const words = mersenne(seed);
  const upTo = (largest: number): number => {
    const mask = 2 ** (32 - Math.clz32(largest)) - 1;
    for (;;) {
      const word = words.next() & mask;
      if (word <= largest) return word;
    }
  };
  const order = Int32Array.from({ length: wholeNumber("numpyPermutation: count", count) }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = upTo(i);
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}
