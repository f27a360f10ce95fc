import { check } from "../../src/core/errors.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { asPixels } from "../../src/datasets/whitening.ts";
import type { HostArray, NamedArrays } from "../../src/formats/array.ts";
import { fromPixels } from "../../src/runs/space.ts";
import { setFrom, type StoredSet } from "../../src/runs/storedSet.ts";
import type { Card } from "../export/card.ts";

/** Bytes reach 255. Normalized pixels hardly leave ±3; learned ones go beyond, but to both sides. */
const BYTES = 16;

/**
 * The set that arrays hold, with the constants of its card, of its own arrays `mean` and `std`, or of the real data set; where
 * arrays say a whitening and nothing else, it is of pixels as they are, as in published code. Without `images`, it is `images_pixel` normalized by them, or the `mosaics` that its card says the cells of.
 *
 * @throws InputError where the arrays are none of a synthetic set's, or values are not in the space that they should be in.
 */
export function setOfArrays(
  where: string,
  arrays: NamedArrays,
  card: Card | undefined,
  real: Dataset,
): StoredSet {
  const { mean, std, images_pixel, ...others } = arrays;
  const { partition } = card ?? {};
  const usual = others.zca_matrix ? asPixels(real) : real;
  const constants: Parameters<typeof setFrom>[2] = {
    mean: card?.mean ?? (mean ? numbers(mean) : usual.mean),
    std: card?.std ?? (std ? numbers(std) : usual.std),
    partition: partition && { factor: partition.factor, order: partition.order },
  };
  if (others.images === undefined && images_pixel !== undefined) {
    const set = setFrom(where, { ...others, images: images_pixel }, constants);
    checkRange(where, "images_pixel", set.images);
    return { ...set, images: fromPixels(set.images, set, set.imageShape) };
  }
  const set = setFrom(where, others, constants);
  check(
    card?.space !== "whitened" || set.whitening !== undefined,
    () =>
      `${where}: expected zca_mean, zca_matrix and zca_inverse, as the card says that images are whitened`,
  );
  if (!card?.format?.startsWith("distillery") && !set.whitening) checkRange(where, "images", set.images);
  return set;
}

function numbers({ data }: HostArray): number[] {
  return Array.from(data as Float64Array, Number);
}

/** @throws InputError where values look like bytes, or like pixels that nobody has normalized. */
function checkRange(where: string, name: "images" | "images_pixel", values: Float32Array): void {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = `values from ${low.toPrecision(3)} to ${high.toPrecision(3)}`;
  check(
    low < 0 || high <= BYTES,
    () =>
      `${where}: ${name}: expected ${name === "images" ? "normalized images" : "pixels, black 0 and white 1"}, ` +
      `got ${range}, like bytes; divide them by 255 and name them images_pixel`,
  );
  check(
    name === "images_pixel" || low < 0 || high > 1,
    () =>
      `${where}: images: expected (pixel − mean)/std, got ${range}, like pixels; name them images_pixel, ` +
      "and they are normalized",
  );
}
