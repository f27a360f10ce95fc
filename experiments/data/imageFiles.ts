import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { check } from "../../src/core/errors.ts";
import type { DatasetName, ImageClass, ImageEntry } from "../../src/datasets/index.ts";
import { locatedOrThrow } from "./files.ts";

/** Other files (lists of labels, previews of the system) may lie beside the images and are left alone. */
const IMAGE_FILE = /\.(png|jpe?g|webp)$/i;

/** An image not yet read. */
export interface ImageFile {
  readonly path: string;
  /** Name of its class's folder. */
  readonly className: string;
}

/** The images of a data set, not yet read. */
export interface ImageFiles {
  /** The folder that holds them. */
  readonly base: string;
  readonly train: readonly ImageFile[];
  /** Absent where there is no folder of test images. */
  readonly test?: readonly ImageFile[];
  /** The classes in label order, where the layout says which they are. */
  readonly classes?: readonly ImageClass[];
}

/** Where to look, and for which classes. */
export interface ImagePlace {
  readonly name: DatasetName;
  readonly root: string;
  readonly distribution?: ImageEntry["distribution"];
  /** Folders of the classes; all there are where it is absent. */
  readonly folders?: readonly string[];
}

/** How image files lie in folders, by the name of the layout. */
export const layouts: Readonly<Record<ImageEntry["layout"], (place: ImagePlace) => ImageFiles>> = {
  /** ROOT/train/CLASS/FILE and ROOT/test/CLASS/FILE (or val for test), or else ROOT/CLASS/FILE. */
  classFolders({ name, root, folders }) {
    check(existsSync(root), () => `${name}: expected a folder of images, got ${root}, which does not exist`);
    const train = join(root, "train");
    if (!existsSync(train)) return { base: root, train: filesByClass(name, root, folders) };
    const test = [join(root, "test"), join(root, "val")].find((path) => existsSync(path));
    return {
      base: root,
      train: filesByClass(name, train, folders),
      ...(test !== undefined && { test: filesByClass(name, test, folders) }),
    };
  },

  /** ROOT/train/WNID/FILE and ROOT/val/WNID/FILE; ImageNet's own folder test has no labels. */
  imageNet(place) {
    const { name, folders } = place;
    const base = folderOf(place);
    const train = join(base, "train");
    const names = folders ?? classFolders(name, train);
    return {
      base,
      train: filesByClass(name, train, names),
      test: filesByClass(name, join(base, "val"), names),
      classes: names.map((folder) => ({ folder, name: folder })),
    };
  },

  /** ROOT/train/WNID/images/FILE and ROOT/val/images/FILE, the classes of the latter in val/val_annotations.txt. */
  tinyImageNet(place) {
    const { name, folders } = place;
    const base = folderOf(place);
    const all = lines(join(base, "wnids.txt")).sort();
    const unknown = folders?.find((folder) => !all.includes(folder));
    check(
      unknown === undefined,
      () => `${name}.classes: expected WordNet IDs of ${join(base, "wnids.txt")}, got ${unknown}`,
    );
    const names = folders ?? all;
    return {
      base,
      train: filesByClass(name, join(base, "train"), names),
      test: validationFiles(name, join(base, "val"), names, all),
      classes: namedClasses(join(base, "words.txt"), names),
    };
  },
};

/** The folder, of those where a data set may lie, that has all it needs. */
function folderOf({ name, root, distribution }: ImagePlace): string {
  return dirname(locatedOrThrow(name, distribution!, root)[0]!);
}

/** Whether a folder has a folder with images in it. */
export function hasClassFolders(root: string): boolean {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.some(({ name }) => readdirSync(join(root, name)).some((file) => IMAGE_FILE.test(file)));
}

function classFolders(name: string, folder: string): string[] {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
  check(
    names.length > 0,
    () =>
      `${name}: expected a folder per class below ${folder}, got none; move the images into folders named by class`,
  );
  return names;
}

/** The image files of the class folders, in order of their names within each; of all folders where none are given. */
function filesByClass(name: string, folder: string, folders?: readonly string[]): ImageFile[] {
  const absent = (folders ?? []).filter((className) => !existsSync(join(folder, className)));
  check(
    absent.length === 0,
    () =>
      `${name}: expected a folder for each of its ${folders!.length} classes below ${folder}, got none for ` +
      `${absent.slice(0, 10).join(", ")}${absent.length > 10 ? ", …" : ""}`,
  );
  return (folders ?? classFolders(name, folder)).flatMap((className) => {
    const path = join(folder, className);
    const images = join(path, "images"); // as Tiny ImageNet's training images lie
    const inside = existsSync(images) ? images : path;
    const files = readdirSync(inside)
      .filter((file) => IMAGE_FILE.test(file))
      .sort();
    check(
      files.length > 0,
      () => `${name}: class ${className}: expected PNG, JPEG or WebP files in ${inside}, got none`,
    );
    return files.map((file) => ({ path: join(inside, file), className }));
  });
}

/** Tiny ImageNet's validation images, in the order of the file that tells their classes, or in folders by class. */
function validationFiles(
  name: string,
  folder: string,
  names: readonly string[],
  all: readonly string[],
): ImageFile[] {
  const images = join(folder, "images");
  // Many have moved the images into folders named by class, for torchvision's ImageFolder.
  const moved = [images, folder].find((path) => existsSync(join(path, names[0]!)));
  if (moved !== undefined) return filesByClass(name, moved, names);
  const list = join(folder, "val_annotations.txt");
  check(
    existsSync(list),
    () =>
      `${name}: expected the classes of the validation images in ${list}, or a folder per class, got neither`,
  );
  const known = new Set(all);
  const wanted = new Set(names);
  return lines(list).flatMap((line, i) => {
    const [file, className] = line.split("\t");
    check(
      className !== undefined && known.has(className),
      () =>
        `${list}, line ${i + 1}: expected a file and its WordNet ID, as in wnids.txt, got ${JSON.stringify(line)}`,
    );
    return wanted.has(className) ? [{ path: join(images, file!), className }] : [];
  });
}

/** Classes by the first word that words.txt has for them; where two have the same, with their ID; without one, by the ID. */
function namedClasses(path: string, folders: readonly string[]): ImageClass[] {
  const words = new Map(
    (existsSync(path) ? lines(path) : []).map((line) => {
      const [id, synonyms = ""] = line.split("\t");
      return [id!, synonyms.split(",")[0]!.trim().replaceAll(" ", "_")];
    }),
  );
  const wordOf = (folder: string): string => words.get(folder) || folder;
  const counts = new Map<string, number>();
  for (const folder of folders) counts.set(wordOf(folder), (counts.get(wordOf(folder)) ?? 0) + 1);
  return folders.map((folder) => {
    const word = wordOf(folder);
    return { folder, name: counts.get(word) === 1 ? word : `${word}_${folder}` };
  });
}

/** Lines of a text file that are not empty. */
function lines(path: string): string[] {
  return readFileSync(path, "utf8")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
}
