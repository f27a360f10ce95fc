import type { Network } from "../networks/network.ts";
import { toPixels } from "./space.ts";
import type { StoredSet } from "./storedSet.ts";

/** A distilled set, in memory of its own: it outlives the engine. Images are class after class. */
export interface SyntheticSet extends StoredSet {
  /** In label order. */
  readonly classNames: readonly string[];
  /** Architecture that the images were matched under. */
  readonly network: Network;
}

/**
 * The images of a set as bytes, 0 … 255, [n, height, width, channels], to look at, mosaics as such: values beyond are clipped, so a network
 * trained on these is another one.
 */
export function pixelsOf(set: StoredSet): Uint8ClampedArray {
  return Uint8ClampedArray.from(toPixels(set.images, set, set.imageShape), (value) => 255 * value);
}
