import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { check } from "../../src/core/errors.ts";
import { parsed } from "../../src/core/parse.ts";
import { sortedKeys } from "../../src/core/sortedKeys.ts";
import { countOf, type Dataset } from "../../src/datasets/dataset.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import type { Gate } from "../../src/generation/index.ts";
import { channelsFirst } from "../../src/runs/space.ts";
import { type FileContent, writeFolderWhole } from "../export/files.ts";
import { pngFiles, pngFolder } from "../export/png.ts";
import { readJson } from "../files.ts";
import { imageGrid } from "../images.ts";
import type { Machine } from "../machine.ts";

/** The file by which a folder is known as a pool. */
export const POOL = "pool.json";
/** Version of its form. */
const FORMAT = "distillery-pool-1";

/** What is written of a pool beside its images. */
export interface PoolRecord {
  readonly name: string;
  /** Every option resolved. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly classNames: readonly string[];
  readonly imageShape: readonly number[];
  readonly imagesPerClass: number;
  /** Whether all gates were passed; a pool that fails one is only written where that is asked for. */
  readonly passed: boolean;
  readonly gates: readonly Gate[];
  /** The network that judged: its architecture, and its accuracy on real images, 0 to 1. */
  readonly judge: { readonly network: string; readonly trainAccuracy: number; readonly testAccuracy: number };
  /** The U-Net, its folder in `prepared`, and the last point of its loss; and the same of fine-tuning. */
  readonly models: readonly Readonly<Record<string, unknown>>[];
  /** Seconds that this command spent; 0 for what was there before. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly peakMegabytes: number;
  readonly machine: Machine;
}

/**
 * Writes a pool as a folder that appears whole:
 *
 *     data.safetensors             images_pixel [n, channels, height, width] from 0 to 1, and labels
 *     png/train/00000_NAME/*.png   the same in 8 bits, and metadata.csv with their labels
 *     images.png, real.png         the first images of each class, and as many real ones
 *     pool.json                    options, gates, machine, times
 *
 * @param pool pixels from 0 to 1.
 */
export async function writePool(
  path: string,
  { pool, real, record }: { readonly pool: Dataset; readonly real: Dataset; readonly record: PoolRecord },
): Promise<void> {
  const { imageShape, labels, classNames } = pool;
  const pixels = pool.pixels as Float32Array;
  const [height, width, channels] = imageShape;
  const shape = [countOf(pool), channels, height, width];
  const arrays = {
    images_pixel: { shape, data: channelsFirst(pixels, imageShape) },
    labels: { shape: [labels.length], data: BigInt64Array.from(labels, BigInt) },
  };
  const metadata = { format: FORMAT, name: record.name, classNames: JSON.stringify(classNames) };
  const files: FileContent[] = [
    ["data.safetensors", writeSafetensors(arrays, metadata)],
    [POOL, `${JSON.stringify({ format: FORMAT, ...record }, null, 2)}\n`],
    ["images.png", await grid(pool, pixels)],
    [
      "real.png",
      await grid(
        real,
        Float32Array.from(real.pixels, (value) => value / (real.pixels instanceof Uint8Array ? 255 : 1)),
      ),
    ],
  ];
  if (channels === 1 || channels === 3)
    files.push(...pngFolder(await pngFiles(pixels, imageShape, { labels, classNames }), classNames));
  writeFolderWhole(path, files);
}

/** Images of each class that a grid shows. */
const SHOWN = 10;

/** A row of images for each class. @param pixels from 0 to 1. */
function grid({ imageShape, labels, classNames }: Dataset, pixels: Float32Array): Promise<Buffer> {
  const plain = { mean: imageShape[2] === 1 ? [0] : [0, 0, 0], std: imageShape[2] === 1 ? [1] : [1, 1, 1] };
  return imageGrid(
    { images: pixels, imageShape, labels, classes: classNames.length, ...plain },
    { columns: SHOWN },
  );
}

const recordSchema = z.looseObject({
  format: z.literal(FORMAT),
  passed: z.boolean(),
  options: z.looseObject({}),
});

/** What a folder that may become a pool holds: nothing, this very pool, or something else. */
export type Found = "nothing" | "same" | "other";

/**
 * @param options of the pool that is to be written, resolved.
 * @throws InputError where there is something that is no pool.
 */
export function foundIn(path: string, options: Readonly<Record<string, unknown>>): Found {
  if (!existsSync(path) || readdirSync(path).length === 0) return "nothing";
  const file = join(path, POOL);
  check(
    existsSync(file),
    () =>
      `${path}: expected an image pool, with ${POOL} in it, or nothing, got something else; choose another --name`,
  );
  const record = parsed(file, recordSchema, readJson(file));
  const told = (given: unknown): string => JSON.stringify(sortedKeys(JSON.parse(JSON.stringify(given))));
  return told(record.options) === told(options) ? "same" : "other";
}
