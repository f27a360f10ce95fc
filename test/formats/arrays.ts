import fc from "fast-check";
import type { NamedArrays } from "../../src/formats/safetensors.ts";
import { sizeOf } from "../../src/core/shape.ts";

/** Named arrays of every element type, of up to three axes, empty and scalar ones included. */
export const namedArrays: fc.Arbitrary<NamedArrays> = fc.dictionary(
  fc
    .string({ minLength: 1, maxLength: 12 })
    .filter((name) => name !== "__metadata__" && !name.includes("\0")),
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }).chain((shape) => {
    const length = { minLength: sizeOf(shape), maxLength: sizeOf(shape) };
    return fc
      .oneof(
        fc.float32Array(length),
        fc.float64Array(length),
        fc.int32Array(length),
        fc.bigInt64Array(length),
        fc.uint8Array(length),
      )
      .map((data) => ({ shape, data }));
  }),
  { maxKeys: 5 },
);

/** A small file's worth of arrays, one of each type, with values that are easy to misread. */
export const oneOfEach: NamedArrays = {
  f32: { shape: [2, 3], data: Float32Array.of(0, -0, 1.5, NaN, Infinity, 1e-45) },
  f64: { shape: [1], data: Float64Array.of(Math.PI) },
  i32: { shape: [], data: Int32Array.of(-1) },
  i64: { shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
  u8: { shape: [0, 4], data: new Uint8Array(0) },
};
