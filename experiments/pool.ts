import { z } from "zod";
import { check } from "../src/core/errors.ts";
import { choice, type Chosen } from "../src/core/options.ts";
import { seeded } from "../src/core/rng.ts";
import { augmentedPool } from "../src/coresets/augmentedPool.ts";
import { parseStrategy, usualAugmentation } from "../src/datasets/augment.ts";
import { classCounts, type Dataset, type Pixels, wholeClassNames } from "../src/datasets/dataset.ts";
import type { Engine } from "../src/engines/index.ts";
import { strategyOption } from "../src/objectives/strategyOption.ts";
import { bytes, sha256 } from "./artifact.ts";
import { working } from "./progress.ts";
import type { PoolPart } from "./pool/part.ts";
import { setParts, setsOptions } from "./pool/sets.ts";

const augmentedOptions = z.strictObject({
  perClass: z.int().min(1).default(100).describe("Images of each class"),
  augmentation: strategyOption
    .optional()
    .describe("Of each image by itself; by default one operation of all that suit the data set"),
  seed: z.int().min(0).default(0).describe("Of the pool's dice; it does not change with the run's seed"),
});

/** Images that can be chosen from in place of the real ones, by the name that a config's `pool` gives. */
const pools = {
  /** Images of synthetic sets: runs, exports, arrays, folders of images made elsewhere. */
  sets: { options: setsOptions },
  /** Random real images, each of them augmented. */
  augmented: { options: augmentedOptions },
} as const;

/** A pool's name with all of its options. */
export type PoolChoice = Chosen<typeof pools>;

/** Schema of the pool in a config. */
export const poolOption: z.ZodType<PoolChoice> = choice(pools);

/** A pool as a run chooses from it. */
export interface Pool {
  readonly dataset: Dataset;
  /** What a run keeps of it, as plain data. */
  readonly record: PoolRecord;
  /** Where the image at a position is from. */
  readonly origin: (position: number) => PoolOrigin;
}

/** What a run says of its pool. */
export interface PoolRecord {
  readonly name: PoolChoice["name"];
  readonly images: number;
  /** In label order. */
  readonly perClass: readonly number[];
  /** Of all pixels and labels. */
  readonly sha256: string;
  /** Where its images come from, in their order; of augmented images none. */
  readonly sets?: readonly { readonly path: string; readonly images: number; readonly left?: string }[];
}

/** Where an image of a pool is from: a set by its number in the record, and the image's number in it; or a real image. */
export type PoolOrigin =
  { readonly set: number; readonly image: number; readonly file?: string } | { readonly real: number };

/**
 * Reads or makes a pool; that of the last call is kept.
 *
 * @param real training images, in whose classes, shape and normalization the pool is.
 * @throws InputError for sets that cannot be read or do not fit, and where a class has no image.
 */
export async function loadPool(chosen: PoolChoice, real: Dataset, engine: Engine): Promise<Pool> {
  const key = JSON.stringify(chosen);
  if (latest?.key !== key || latest.real !== real) {
    const pool = await (chosen.name === "sets"
      ? joined(await setParts(chosen, real), real)
      : working("augmenting a pool", () => augmented(chosen, real, engine)));
    latest = { key, real, pool };
  }
  return latest.pool;
}

let latest: { readonly key: string; readonly real: Dataset; readonly pool: Pool } | undefined;

function joined(parts: readonly PoolPart[], real: Dataset): Pool {
  const sources = parts.flatMap(({ labels, files }, set) =>
    Array.from(labels, (_, image) => ({ set, image, ...(files && { file: files[image]! }) })),
  );
  const labels = Int32Array.from(parts.flatMap((part) => [...part.labels]));
  const dataset: Dataset = { ...real, name: "pool", pixels: joinedPixels(parts), labels };
  const sets = parts.map(({ path, labels: own, left }) => ({
    path,
    images: own.length,
    ...(left !== undefined && { left }),
  }));
  return {
    dataset,
    record: { ...recordOf("sets", dataset), sets },
    origin: (position) => sources[position]!,
  };
}

/** All one after another: bytes where all are, and otherwise numbers where white is 1. */
function joinedPixels(parts: readonly PoolPart[]): Pixels {
  const length = parts.reduce((sum, { pixels }) => sum + pixels.length, 0);
  const areBytes = parts.every(({ pixels }) => pixels instanceof Uint8Array);
  const all = areBytes ? new Uint8Array(length) : new Float32Array(length);
  let from = 0;
  for (const { pixels } of parts) {
    const isByte = pixels instanceof Uint8Array;
    all.set(isByte && !areBytes ? Float32Array.from(pixels, (byte) => byte / 255) : pixels, from);
    from += pixels.length;
  }
  return all;
}

function augmented(
  { perClass, augmentation, seed }: Extract<PoolChoice, { name: "augmented" }>,
  real: Dataset,
  engine: Engine,
): Pool {
  const strategy =
    augmentation === undefined ? usualAugmentation(wholeClassNames(real)) : parseStrategy(augmentation);
  const { dataset, positions } = augmentedPool(
    real,
    { perClass, strategy },
    engine,
    seeded(seed).stream("pool"),
  );
  return {
    dataset,
    record: recordOf("augmented", dataset),
    origin: (position) => ({ real: positions[position]! }),
  };
}

/** @throws InputError where a class has no image. */
function recordOf(name: PoolChoice["name"], dataset: Dataset): PoolRecord {
  const { pixels, labels, classNames } = dataset;
  const perClass = classCounts(dataset);
  const empty = perClass.indexOf(0);
  check(
    empty === -1,
    () =>
      `pool: class ${empty} (${classNames[empty]}): expected images of every class, got none; add a set that has some`,
  );
  return { name, images: labels.length, perClass, sha256: sha256(bytes(pixels), bytes(labels)) };
}
