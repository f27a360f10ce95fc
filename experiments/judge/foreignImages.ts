import { check, InputError } from "../../src/core/errors.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { fromPixels, type Space } from "../../src/runs/space.ts";
import type { StoredSet } from "../../src/runs/storedSet.ts";
import { layouts } from "../data/imageFiles.ts";
import { decodedImages } from "../data/images.ts";
import { folderName } from "../export/png.ts";

/**
 * The set in a folder of images with a folder per class, in the space of its card or of the real data set.
 *
 * @throws InputError where a folder is none of the classes, or an image has another size than the real ones.
 */
export async function setOfImages(
  where: string,
  space: Space & Pick<Dataset, "classNames" | "classFolders">,
  real: Dataset,
): Promise<StoredSet> {
  const { imageShape } = real;
  const { train: files } = layouts.classFolders({ name: "folder", root: where });
  const images = await decodedImages(files, { channels: imageShape[2] === 1 ? 1 : 3 });
  const folders = [...new Set(images.map(({ className }) => className))];
  const labelOf = labelsByFolder(where, folders, space);
  const size = sizeOf(imageShape);
  const pixels = new Float32Array(images.length * size);
  images.forEach(({ path, shape, pixels: bytes }, i) => {
    check(
      String(shape) === String(imageShape),
      () =>
        `${path}: expected an image of ${imageShape.join("×")}, as ${real.name} has, got ${shape.join("×")}`,
    );
    pixels.set(
      Float32Array.from(bytes, (byte) => byte / 255),
      i * size,
    );
  });
  const { mean, std, whitening } = space;
  return {
    images: fromPixels(pixels, space, imageShape),
    imageShape,
    labels: Int32Array.from(images, ({ className }) => labelOf.get(className)!),
    mean,
    std,
    whitening,
    others: {},
  };
}

/**
 * Which class each folder is: by the class's name, by the name that an export gives it (00003_cat), by that of the class's
 * real images (n02096294), or by its number. The order of folders says nothing: as text, "10" comes before "2".
 */
export function labelsByFolder(
  where: string,
  folders: readonly string[],
  { classNames, classFolders = [] }: Pick<Dataset, "classNames" | "classFolders">,
): Map<string, number> {
  const named = new Map(classNames.map((name, label) => [folderName(label, name), label]));
  classFolders.forEach((folder, label) => named.set(folder, label));
  classNames.forEach((name, label) => named.set(name, label));
  const areNumbers = folders.every((folder) => /^\d+$/.test(folder) && Number(folder) < classNames.length);
  return new Map(
    folders.map((folder) => {
      const label = named.get(folder) ?? (areNumbers ? Number(folder) : undefined);
      if (label !== undefined) return [folder, label];
      throw new InputError(
        `${where}: expected folders named by class, or by its number, got ${folder}; the classes are ${classNames.join(", ")}`,
      );
    }),
  );
}
