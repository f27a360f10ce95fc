import { check } from "../../src/core/errors.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { layouts } from "../data/imageFiles.ts";
import { decodedImages } from "../data/images.ts";
import type { Card } from "../export/card.ts";
import { labelsByFolder } from "../judge/foreignImages.ts";
import { progressLine } from "../progress.ts";
import { checkClasses, type PoolPart } from "./part.ts";

/** A folder of images with a folder per class, and what a card beside it says. */
export interface ImageFolder {
  /** As the config says it. */
  readonly path: string;
  /** Where the folders of the classes are. */
  readonly images: string;
  readonly card: Card | undefined;
}

/**
 * The images of a folder with a folder per class, brought to the size of the real ones as readers of data sets do it: the
 * shorter side is resized, and the middle kept.
 *
 * @throws InputError for folders that are no classes, and for images of another shape where the real ones are no squares.
 */
export async function folderPart({ path, images, card }: ImageFolder, real: Dataset): Promise<PoolPart> {
  const [height, width, channels] = real.imageShape;
  const { train: files } = layouts.classFolders({ name: "folder", root: images });
  const line = progressLine(`reading ${path}`, files.length, { unit: "image" });
  const selection = {
    channels: channels === 1 ? (1 as const) : (3 as const),
    ...(height === width && { side: height }),
  };
  const decoded = await decodedImages(files, selection, (done) => line.at(done));
  const folders = [...new Set(decoded.map(({ className }) => className))];
  const named = card ?? real;
  const labelOf = labelsByFolder(images, folders, named);
  const places = named.classNames.map((name) => real.classNames.indexOf(name));
  checkClasses(path, places.includes(-1) ? named.classNames : real.classNames, real);
  const size = sizeOf(real.imageShape);
  const pixels = new Uint8Array(files.length * size);
  decoded.forEach(({ path: file, shape, pixels: bytes }, i) => {
    check(
      String(shape) === String(real.imageShape),
      () =>
        `${file}: expected an image of ${real.imageShape.join("×")}, as ${real.name} has, got ${shape.join("×")}; resize it`,
    );
    pixels.set(bytes, i * size);
  });
  line.end();
  return {
    path,
    pixels,
    labels: Int32Array.from(decoded, ({ className }) => places[labelOf.get(className)!]!),
    files: files.map((file) => file.path),
  };
}
