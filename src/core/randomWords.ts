/** Words made at a time: few enough for streams that draw a number or two. */
const BLOCK = 256;

/**
 * The 32-bit words of a stream, by sfc32 (Doty-Humphrey, PractRand): 128 bits of state with a counter, so no cycle is
 * shorter than 2^32.
 *
 * They are made in blocks, in one loop over local variables, several times as fast as one by one. Loops that draw many
 * numbers read `block` from `used` on themselves.
 */
export class RandomWords {
  readonly block = new Int32Array(BLOCK);
  /** Words of the block that are used up. */
  used = BLOCK;
  readonly #state: Int32Array;

  /** @param path what the words depend on, and all they depend on. */
  constructor(path: string) {
    this.#state = hash(path);
    this.refill();
    this.used = 12; // the first mix a poor start, as the author recommends
  }

  /** The next word, as a signed number. */
  next(): number {
    if (this.used === BLOCK) this.refill();
    return this.block[this.used++]!;
  }

  /** Uniform on [0, 1), with 53 random bits. */
  uniform(): number {
    const word = this.next();
    return fraction(word, this.next());
  }

  /** Fills with low + width · u, for the numbers u that as many calls of `uniform` give. */
  fillUniform(target: Float32Array | Float64Array, low: number, width: number): void {
    const { block } = this;
    for (let i = 0; i < target.length;) {
      const start = this.used;
      const count = Math.min((block.length - start) >> 1, target.length - i);
      for (let drawn = 0; drawn < count; drawn++) {
        const at = start + 2 * drawn;
        target[i + drawn] = low + width * fraction(block[at]!, block[at + 1]!);
      }
      this.used = start + 2 * count;
      i += count;
      if (i < target.length) target[i++] = low + width * this.uniform(); // from one block to the next
    }
  }

  /** Makes the next block. */
  refill(): void {
    const state = this.#state;
    const { block } = this;
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let counter = state[3]!;
    for (let i = 0; i < block.length; i++) {
      const word = (((a + b) | 0) + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + word) | 0;
      block[i] = word;
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = counter;
    this.used = 0;
  }
}

/** The number on [0, 1) of 27 and 26 bits of two words. */
function fraction(high: number, low: number): number {
  return ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
}

/** Four 32-bit words from a path: two rounds of 64-bit-style mixing by cyrb53's multiply-xorshift, twice salted. */
function hash(path: string): Int32Array {
  const words = new Int32Array(4);
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
