import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { check, InputError } from "../../src/core/errors.ts";
import type { DecodedImage, ImageOptions } from "../../src/datasets/index.ts";

/** Other files (lists of labels, previews of the system) may lie beside the images and are left alone. */
const IMAGE_FILE = /\.(png|jpe?g|webp)$/i;
/** Images decoded at a time: enough to keep all cores busy, few enough to stay small. */
const DECODED_AT_ONCE = 64;

/** An image not yet read. */
interface ImageFile {
  readonly path: string;
  readonly className: string;
}

/**
 * The images below `root`: ROOT/train/CLASS/FILE and ROOT/test/CLASS/FILE (or val for test), or else ROOT/CLASS/FILE.
 * PNG, JPEG and WebP; 16 bits are reduced to 8, transparent parts become white, JPEGs are turned upright.
 *
 * @throws InputError for a folder without classes, a class without images, or a file that cannot be decoded.
 */
export async function readImages(
  root: string,
  options: ImageOptions,
): Promise<{ train: DecodedImage[]; test?: DecodedImage[] }> {
  check(existsSync(root), () => `folder: expected a folder of images, got ${root}, which does not exist`);
  const trainFolder = join(root, "train");
  if (!existsSync(trainFolder)) return { train: await decoded(imageFiles(root), options) };
  const train = await decoded(imageFiles(trainFolder), options);
  const testFolder = [join(root, "test"), join(root, "val")].find((path) => existsSync(path));
  return testFolder === undefined
    ? { train }
    : { train, test: await decoded(imageFiles(testFolder), options) };
}

/** Whether a folder has a folder with images in it. */
export function hasClassFolders(root: string): boolean {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.some(({ name }) => readdirSync(join(root, name)).some((file) => IMAGE_FILE.test(file)));
}

/** The image files of every class folder, in order of their names. */
function imageFiles(folder: string): ImageFile[] {
  const classNames = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
  check(
    classNames.length > 0,
    () =>
      `folder: expected a folder per class below ${folder}, got none; move the images into folders named by class`,
  );
  return classNames.flatMap((className) => {
    const names = readdirSync(join(folder, className))
      .filter((name) => IMAGE_FILE.test(name))
      .sort();
    check(
      names.length > 0,
      () =>
        `folder: class ${className}: expected PNG, JPEG or WebP files in ${join(folder, className)}, got none`,
    );
    return names.map((name) => ({ path: join(folder, className, name), className }));
  });
}

async function decoded(files: readonly ImageFile[], options: ImageOptions): Promise<DecodedImage[]> {
  const images: DecodedImage[] = [];
  for (let from = 0; from < files.length; from += DECODED_AT_ONCE) {
    const batch = files.slice(from, from + DECODED_AT_ONCE);
    images.push(...(await Promise.all(batch.map((file) => decodedImage(file, options)))));
  }
  return images;
}

async function decodedImage(
  { path, className }: ImageFile,
  { side, channels }: ImageOptions,
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
