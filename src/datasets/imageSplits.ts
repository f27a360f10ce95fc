import { check, InputError } from "../core/errors.ts";
import { type ImageShape, sizeOf } from "../core/shape.ts";
import { checkedDataset, type Dataset, type Splits } from "./dataset.ts";
import type { DecodedImage, ImageClass } from "./entry.ts";
import { type ChannelStatistics, normalization } from "./statistics.ts";

/** What single images make. */
interface Whole {
  /** Names the data set. */
  readonly name: string;
  /** Its classes, in label order. */
  readonly classes: readonly ImageClass[];
  /** Constants to normalize by. Default: those of the training images. */
  readonly by?: ChannelStatistics;
}

/**
 * Training and test split of single images.
 *
 * @throws InputError where there are no images, images of two sizes, or a class has none.
 */
export function imageSplits(
  whole: Whole,
  train: readonly DecodedImage[],
  test: readonly DecodedImage[],
): Splits {
  const shape = commonShape(whole.name, [...train, ...test]);
  const training = dataset(whole, train, shape);
  return { train: training, test: dataset({ ...whole, by: training }, test, shape) };
}

function dataset(
  { name, classes, by }: Whole,
  images: readonly DecodedImage[],
  imageShape: ImageShape,
): Dataset {
  const pixels = joined(images, sizeOf(imageShape));
  const numbers = new Map(classes.map(({ folder }, label) => [folder, label]));
  const labels = Int32Array.from(images, ({ className }) => numbers.get(className) ?? classes.length);
  const { mean, std } = by ?? normalization(name, pixels, imageShape[2]);
  const areNames = classes.every((one) => one.name === one.folder);
  return checkedDataset({
    name,
    classNames: classes.map((one) => one.name),
    ...(!areNames && { classFolders: classes.map(({ folder }) => folder) }),
    imageShape,
    pixels,
    labels,
    mean,
    std,
  });
}

/** Pixels of all images, one after another; those that lie so in memory are not copied, as they may fill most of it. */
function joined(images: readonly DecodedImage[], size: number): Uint8Array {
  const { buffer, byteOffset } = images[0]?.pixels ?? new Uint8Array(0);
  const lieSo = images.every(
    ({ pixels }, i) =>
      pixels.buffer === buffer && pixels.byteOffset === byteOffset + i * size && pixels.length === size,
  );
  if (lieSo) return new Uint8Array(buffer, byteOffset, images.length * size);
  const pixels = new Uint8Array(images.length * size);
  images.forEach((image, i) => pixels.set(image.pixels, i * size));
  return pixels;
}

function commonShape(name: string, images: readonly DecodedImage[]): ImageShape {
  const [first] = images;
  if (first === undefined) throw new InputError(`${name}: expected at least 1 image, got none`);
  const other = images.find(({ shape }) => shape.some((length, axis) => length !== first.shape[axis]));
  check(
    other === undefined,
    () =>
      `${name}: expected images of one size, got ${first.shape.join("×")} (${first.path}) and ` +
      `${other!.shape.join("×")} (${other!.path}); set side to resize them all`,
  );
  return first.shape;
}
