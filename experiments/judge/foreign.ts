import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { check, InputError } from "../../src/core/errors.ts";
import { parsed } from "../../src/core/parse.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import { readNpz } from "../../src/formats/npz.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import type { Whitening } from "../../src/datasets/whitening.ts";
import type { StoredSet } from "../../src/runs/storedSet.ts";
import { parse } from "yaml";
import { hasClassFolders } from "../data/imageFiles.ts";
import { type Card, cardSchema } from "../export/card.ts";
import { CARD } from "../export/files.ts";
import { setOfArrays } from "./foreignArrays.ts";
import { setOfImages } from "./foreignImages.ts";

const EXPECTED =
  "expected a run's folder, as results/runs/NAME/seed-0, an exported folder, a .safetensors or .npz file, or a folder of " +
  "images with a folder per class";

/** A synthetic set of anyone's: where it is, and what its card says, if it has one. */
export interface Foreign {
  readonly path: string;
  readonly card: Card | undefined;
  /** The folder with a folder per class, where it is one of images. */
  readonly images?: string;
  /** Reads it as the classes of a real data set, whose mean and deviation it has where it says nothing of them. */
  read(real: Dataset): Promise<StoredSet>;
}

/**
 * Opens an exported folder, a safetensors or npz file, or a folder of images in one folder per class.
 *
 * @throws InputError for anything else, and for a card that cannot be read.
 */
export function openForeign(path: string): Foreign {
  check(existsSync(path), () => `${path}: expected a synthetic set, found nothing there`);
  if (!statSync(path).isDirectory()) return openArrays(path);
  const arrays = arraysOfFolder(path);
  if (arrays !== undefined) return openArrays(arrays);
  const images = [join(path, "png", "train"), join(path, "train"), path].find((folder) =>
    existsSync(folder),
  )!;
  check(hasClassFolders(images), () => `${path}: ${EXPECTED}, got a folder of something else`);
  const [train, png] = [images, dirname(resolve(images))];
  const isExported = basename(train) === "train" && basename(png) === "png";
  const exported = isExported ? dirname(png) : images;
  const card = cardOfFolder(exported);
  return {
    path,
    card,
    images,
    read: (real) =>
      setOfImages(images, { ...(card ?? real), whitening: whiteningBeside(exported, card, real) }, real),
  };
}

/** The file of arrays in an exported folder. */
function arraysOfFolder(folder: string): string | undefined {
  return ["data.safetensors", "data.npz"].map((file) => join(folder, file)).find((file) => existsSync(file));
}

/** What the images of a whitened set are whitened by, which its PNGs cannot hold. */
function whiteningBeside(folder: string, card: Card | undefined, real: Dataset): Whitening | undefined {
  if (card?.space !== "whitened") return undefined;
  const file = arraysOfFolder(folder);
  check(
    file !== undefined,
    () =>
      `${folder}: expected data.safetensors or data.npz, as the card says that images are whitened and images alone do not ` +
      "say how",
  );
  return setOfArrays(file, arraysIn(file).arrays, card, real).whitening;
}

function openArrays(path: string): Foreign {
  const { arrays, metadata } = arraysIn(path);
  const card = cardIn(path, metadata) ?? cardOfFolder(dirname(path));
  return { path, card, read: (real) => Promise.resolve(setOfArrays(path, arrays, card, real)) };
}

function arraysIn(path: string): { arrays: NamedArrays; metadata: Readonly<Record<string, string>> } {
  try {
    switch (extname(path)) {
      case ".safetensors":
        return readSafetensors(readFileSync(path));
      case ".npz":
        return { arrays: readNpz(readFileSync(path)), metadata: {} };
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${path}: ${error.message}`);
  }
  const pickled = [".pt", ".pth"].includes(extname(path))
    ? `; PyTorch's files are programs: convert them where they are trusted, as in\n` +
      `python -c 'import numpy, torch; numpy.savez("data.npz", images=torch.load("images_best.pt").numpy(), ` +
      `labels=torch.load("labels_best.pt").long().numpy())'`
    : "";
  throw new InputError(`${path}: ${EXPECTED}${pickled}`);
}

/** The card in the metadata of an exported file, or of a run's. */
function cardIn(
  path: string,
  { card, config, ...facts }: Readonly<Record<string, string>>,
): Card | undefined {
  if (card !== undefined) return parsedCard(path, card);
  if (config === undefined) return undefined;
  const { name, objective, seeds, plugins, initialization, ...options } = parse(config) as Record<
    string,
    unknown
  >;
  const list = (key: string): unknown => JSON.parse(facts[key] ?? "[]");
  return parsed(path, cardSchema, {
    format: facts.format,
    name: `${String(name)}-seed-${(seeds as number[])[0]}`,
    method: (objective as { name: string } | undefined)?.name ?? startOf(initialization),
    plugins: (plugins as { name: string }[]).map((plugin) => plugin.name),
    seed: (seeds as number[])[0],
    distillSeconds: Number(facts.distillSeconds),
    ...(facts.peakMegabytes !== undefined && { peakMegabytes: Number(facts.peakMegabytes) }),
    config: { objective, seeds, plugins, initialization, ...options },
    classNames: list("classNames"),
    mean: list("mean"),
    std: list("std"),
    network: { name: facts.network },
    ...(facts.partition !== undefined && { partition: JSON.parse(facts.partition) as unknown }),
  });
}

/** The name of how images start, which earlier versions wrote alone. */
const startOf = (initialization: unknown): unknown =>
  typeof initialization === "string" ? initialization : (initialization as { name: string }).name;

function cardOfFolder(folder: string): Card | undefined {
  const file = join(folder, CARD);
  return existsSync(file) ? parsedCard(file, readFileSync(file, "utf8")) : undefined;
}

function parsedCard(where: string, text: string): Card {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${where}: expected a card in JSON: ${(error as Error).message}`);
  }
  return parsed(where, cardSchema, value);
}

/** Names that say nothing of what is inside. */
const GENERIC = new Set(["data", "synthetic", "train", "png", "export"]);

/** What to call a set that has no name: its file or folder's, or that of the one around it. */
export function nameOf({ path, card }: Foreign): string {
  const parts = resolve(path).split(/[/\\]/).filter(Boolean).reverse();
  const stems = [basename(parts[0] ?? "", extname(parts[0] ?? "")), ...parts.slice(1)];
  const name = card?.name ?? stems.find((stem) => !GENERIC.has(stem)) ?? "artifact";
  return name.replace(/[^\w.+-]+/g, "-").replace(/^[^\w]+/, "") || "artifact";
}
