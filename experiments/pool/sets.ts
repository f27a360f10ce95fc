import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { globSync } from "tinyglobby";
import { z } from "zod";
import { check } from "../../src/core/errors.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { toPixels } from "../../src/runs/space.ts";
import { decodedSet, type StoredSet } from "../../src/runs/storedSet.ts";
import { inOrder } from "../judge/classOrder.ts";
import { openForeign } from "../judge/foreign.ts";
import { subjectOf } from "../judge/subject.ts";
import { isRun, readRun } from "../runFolder.ts";
import { folderPart } from "./folder.ts";
import { checkClasses, type PoolPart } from "./part.ts";

export const setsOptions = z.strictObject({
  paths: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      "Sets whose images are the pool: folders of finished runs, exported folders, .safetensors or .npz files, or folders of " +
        "images with a folder per class; relative to the working directory, with *, ** and {a,b} for several",
    ),
  softLabels: z
    .enum(["refuse", "drop"])
    .default("refuse")
    .describe(
      "Of sets that learned labels of their own, which a choice of images has no use for: stop with an error, or take the " +
        "images with their classes alone",
    ),
});

/** Images of synthetic sets, in the order of the paths; what a pattern stands for is in the order of its names. */
export async function setParts(
  { paths, softLabels }: z.output<typeof setsOptions>,
  real: Dataset,
): Promise<PoolPart[]> {
  const parts: PoolPart[] = [];
  for (const path of new Set(paths.flatMap(found))) parts.push(await setPart(path, real, softLabels));
  return parts;
}

/** Files that can be sets; beside folders of runs lie their logs. */
const ARRAYS = /\.(safetensors|npz)$/;

/** The paths that a pattern stands for; a path itself where there is one of that name. */
function found(pattern: string): string[] {
  if (existsSync(pattern)) return [pattern];
  const matches = globSync([pattern.replaceAll("\\", "/")], {
    onlyFiles: false,
    expandDirectories: false,
    absolute: isAbsolute(pattern),
  })
    .filter((path) => path.endsWith("/") || ARRAYS.test(path)) // folders end so
    .map((path) => path.replace(/\/$/, ""))
    .sort();
  check(
    matches.length > 0,
    () =>
      `pool.paths: expected synthetic sets, found none at ${pattern}, seen from ${process.cwd()}; make them first, or start the ` +
      "command where the path begins",
  );
  return matches;
}

async function setPart(path: string, real: Dataset, softLabels: "refuse" | "drop"): Promise<PoolPart> {
  if (isRun(path)) {
    const { set, classNames } = subjectOf(readRun(path));
    return pixelPart(path, { set, classNames, softLabels }, real);
  }
  const foreign = openForeign(path);
  const { card, images } = foreign;
  if (images !== undefined) return folderPart({ path, images, card }, real);
  const set = await foreign.read(real);
  return pixelPart(path, { set, classNames: card?.classNames ?? real.classNames, softLabels }, real);
}

interface OpenedSet {
  readonly set: StoredSet;
  readonly classNames: readonly string[];
  readonly softLabels: "refuse" | "drop";
}

function pixelPart(path: string, opened: OpenedSet, real: Dataset): PoolPart {
  const { set: ordered, classNames } = inOrder(opened, real.classNames);
  const { imageShape, softLabels, learningRate } = ordered;
  checkClasses(path, classNames, real);
  check(
    String(imageShape) === String(real.imageShape),
    () =>
      `${path}: expected images of ${real.imageShape.join("×")}, as ${real.name} has, got ${imageShape.join("×")}`,
  );
  check(
    softLabels === undefined || opened.softLabels === "drop",
    () =>
      `${path}: expected images with classes alone, got labels that were learned with them, which a choice of images would ` +
      "lose; leave the set out, or set pool.softLabels to drop",
  );
  const { images, labels, ...set } = decodedSet(ordered);
  const left = [
    ...(softLabels ? ["learned labels"] : []),
    ...(learningRate === undefined ? [] : ["a learned learning rate"]),
  ];
  return {
    path,
    pixels: toPixels(images, set, imageShape),
    labels,
    ...(left.length > 0 && { left: left.join(" and ") }),
  };
}
