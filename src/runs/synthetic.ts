import type { ImageShape } from "../core/shape.ts";
import type { NamedArrays } from "../formats/array.ts";
import type { Network } from "../networks/network.ts";

/** A distilled set, in memory of its own: it outlives the engine. */
export interface SyntheticSet {
  /** Images as they are trained on, (pixel/255 − mean)/std, class after class, [n, height, width, channels], row-major. */
  readonly images: Float32Array;
  /** Height, width and channels of an image. */
  readonly imageShape: ImageShape;
  /** Class of each image, [n]. */
  readonly labels: Int32Array;
  /** In label order. */
  readonly classNames: readonly string[];
  /** Mean of each channel that images are normalized by. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel that images are normalized by. */
  readonly std: readonly number[];
  /** What else the method learned, by name, such as soft labels. */
  readonly learned: NamedArrays;
  /** Architecture that the images were matched under. */
  readonly network: Network;
}

/** The images of a synthetic set as bytes, 0 … 255, to look at: values beyond are clipped, so they are no more to train on. */
export function pixelsOf({
  images,
  mean,
  std,
}: Pick<SyntheticSet, "images" | "mean" | "std">): Uint8ClampedArray {
  const channels = mean.length;
  return Uint8ClampedArray.from(
    images,
    (value, i) => 255 * (value * std[i % channels]! + mean[i % channels]!),
  );
}
