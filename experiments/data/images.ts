import { constants } from "node:buffer";
import { availableParallelism, totalmem } from "node:os";
import sharp from "sharp";
import { check, InputError } from "../../src/core/errors.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { DecodedImage, ImageSelection } from "../../src/datasets/index.ts";
import type { ImageFile } from "./imageFiles.ts";

/** Images under way at a time for each core: enough to keep it busy, few enough to stay small. */
const EACH_CORE = 8;

/**
 * Decodes PNG, JPEG and WebP files: 16 bits are reduced to 8, gray becomes color and the reverse as asked for, transparent
 * parts become white, JPEGs are turned upright.
 *
 * @param onProgress called with the number of images decoded so far.
 * @returns the images in the order of the files. Where all have one size, their pixels lie one after another in memory.
 * @throws InputError for a file that cannot be decoded, is cut off or damaged, and where all would not fit in memory.
 */
export async function decodedImages(
  files: readonly ImageFile[],
  selection: ImageSelection,
  onProgress: (done: number) => void = () => undefined,
): Promise<DecodedImage[]> {
  const images = new Array<DecodedImage>(files.length);
  if (files.length === 0) return images;
  // The size of all is that of the first, if all is well; otherwise the reader of the data set says which two differ.
  const first = await decodedImage(files[0]!, selection);
  const size = sizeOf(first.shape);
  const pixels = space(files, first);
  let next = 0;
  let done = 0;
  const decodeNext = async (i: number): Promise<void> => {
    const image = i === 0 ? first : await decodedImage(files[i]!, selection);
    if (image.pixels.length === size) {
      pixels.set(image.pixels, i * size);
      images[i] = { ...image, pixels: pixels.subarray(i * size, (i + 1) * size) };
    } else images[i] = image;
    onProgress(++done);
  };
  const decodeRest = async (): Promise<void> => {
    try {
      while (next < files.length) await decodeNext(next++);
    } catch (error) {
      next = files.length; // the others stop too
      throw error;
    }
  };
  await Promise.all(Array.from({ length: EACH_CORE * availableParallelism() }, decodeRest));
  return images;
}

/** Room for as many images as there are files. */
function space(files: readonly ImageFile[], { shape }: DecodedImage): Uint8Array {
  const bytes = files.length * sizeOf(shape);
  const limit = Math.min(constants.MAX_LENGTH, totalmem());
  check(
    bytes <= limit,
    () =>
      `${files[0]!.path}: expected images that fit in memory, ${(limit / 2 ** 30).toFixed(1)} GiB, got ${files.length} of ` +
      `${shape.join("×")}, ${(bytes / 2 ** 30).toFixed(1)} GiB; choose a smaller side or fewer classes`,
  );
  return new Uint8Array(bytes);
}

async function decodedImage(
  { path, className }: ImageFile,
  { side, channels }: ImageSelection,
): Promise<DecodedImage> {
  try {
    let image = sharp(path).autoOrient().flatten({ background: "white" });
    if (side !== undefined) image = image.resize(side, side, { fit: "cover" });
    const { data, info } = await image
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return { path, className, shape: [info.height, info.width, channels], pixels: data };
  } catch (error) {
    throw new InputError(
      `${path}: expected an image, got "${(error as Error).message}"; repair or remove the file`,
    );
  }
}
