import { createHash } from "node:crypto";
import { join } from "node:path";
import type { DatasetName, FolderImages, ImageEntry } from "../../src/datasets/index.ts";
import { progressLine } from "../progress.ts";
import { layouts } from "./imageFiles.ts";
import { keptImages } from "./keptPixels.ts";

/** Beside the images; what begins with a dot is no class. */
const KEPT = ".distillery";

/** A data set of single images, and where it lies. */
interface StoredImages {
  readonly name: DatasetName;
  readonly root: string;
  readonly entry: ImageEntry;
}

/**
 * The images that the options of a data set ask for. A line of progress counts training and test images.
 *
 * @throws InputError for folders or images that are missing, and for images that cannot be decoded.
 */
export async function readImages(
  { name, root, entry }: StoredImages,
  options: unknown,
): Promise<FolderImages> {
  const { distribution, layout } = entry;
  const selection = entry.selection(options);
  const { folders } = selection;
  const { base, train, test, classes } = layouts[layout]({
    name,
    root,
    ...(distribution && { distribution }),
    ...(folders && { folders }),
  });
  // Each choice of classes and sizes has a file of its own.
  const which = createHash("sha256").update(JSON.stringify(selection)).digest("hex").slice(0, 10);
  const total = train.length + (test?.length ?? 0);
  const line = progressLine(`reading ${name}`, total, { unit: "image" });
  const read = (split: "train" | "test", files: typeof train, before: number) =>
    keptImages(files, selection, {
      path: join(base, KEPT, `${name}-${split}-${which}.pixels`),
      onProgress: (done) => line.at(before + done),
    });
  const training = await read("train", train, 0);
  const testing = test && (await read("test", test, train.length));
  line.end([`${total} images`, training.note].filter(Boolean).join(", "));
  return {
    train: training.images,
    ...(testing && { test: testing.images }),
    ...(classes && { classes }),
  };
}
