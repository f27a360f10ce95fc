import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../src/core/errors.ts";
import type { NamedArrays } from "../../src/formats/array.ts";
import { writeNpz } from "../../src/formats/npz.ts";
import { type LabeledFile, writeImageParquet } from "../../src/formats/parquet.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { readArtifact } from "../artifact.ts";
import type { Engine } from "../../src/engines/index.ts";
import { channelsFirst, toPixels } from "../../src/runs/space.ts";
import { arraysOf, decodedSet, type StoredSet } from "../../src/runs/storedSet.ts";
import type { Card, ExpectedAccuracy, PngAccuracies, PngLoss } from "../export/card.ts";
import { pngAccuracies } from "../export/checkPng.ts";
import { cardOf } from "../export/describe.ts";
import { CARD, checkFree, type FileContent, writeFolderWhole } from "../export/files.ts";
import { pngFiles, pngFolder, pngLoss } from "../export/png.ts";
import { PARQUET, readme } from "../export/readme.ts";
import { rowsOfRun } from "../gather.ts";
import { isDone, type RunFolder } from "../runFolder.ts";

/** What a result is written as; card.json and load.py always come along. */
export const exportFormats = ["safetensors", "npz", "png", "parquet"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportOptions {
  /** Folder to write; by default `export` in the run's. */
  readonly out?: string | undefined;
  readonly formats?: readonly ExportFormat[] | undefined;
  /** Under which the result may be used; nothing is known of it where it is not said. */
  readonly license?: string | undefined;
  /** Trains this many networks on the 8-bit images too, where it computes, and says both accuracies. */
  readonly checkPng?: { readonly engine: Engine; readonly networks: number } | undefined;
  /** Replaces an earlier export. */
  readonly force: boolean;
}

export interface Export {
  readonly path: string;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly card: Card;
}

/**
 * Writes a run's result in the formats that other programs read, as a folder that appears whole:
 *
 *     data.safetensors             images, images_pixel, labels, and what else was learned; the card in the metadata;
 *                                  of images that are mosaics the cells, and the mosaics beside them
 *     data.npz                     the same for NumPy
 *     png/train/00000_NAME/*.png   8-bit images, and metadata.csv with their labels
 *     train-00000-of-00001.parquet the same, for the Hugging Face hub, with README.md
 *     card.json                    all that is needed to train and test on it
 *     load.py                      reads data.npz, and converts it for other distillation code
 *
 * @throws InputError if the run is not done, or something is in the way.
 */
export async function exportRun(run: RunFolder, options: ExportOptions): Promise<Export> {
  const {
    out = join(run.path, "export"),
    formats = exportFormats,
    license = "unknown",
    checkPng,
    force,
  } = options;
  check(
    isDone(run),
    () => `${run.path}: expected a finished run; distil it first: distillery distill CONFIG`,
  );
  checkFree(out, force);
  const artifact = readArtifact(run);
  const set = decodedSet(artifact);
  const pixels = toPixels(set.images, set, set.imageShape);
  const arrays = { ...exportedArrays(set, pixels), ...mosaicsOf(artifact) };
  const accuracies = checkPng && (await pngAccuracies(run, checkPng.engine, checkPng.networks));
  const loss = pngLoss(pixels);
  const card: Card = {
    ...cardOf(run, artifact, { rows: rowsOfRun(run), arrays: Object.keys(arrays), license }),
    png: { ...loss, ...(accuracies && { accuracies }), note: pngNote(loss, accuracies) },
  };
  const files = await contents(formats, { set, pixels, arrays, card });
  writeFolderWhole(out, files);
  return {
    path: out,
    files: files.map(([path, content]) => ({ path, bytes: Buffer.byteLength(content) })),
    card,
  };
}

/** The set's arrays, and its images as pixels beside those in the space of training. */
function exportedArrays(set: StoredSet, pixels: Float32Array): NamedArrays {
  const { images, ...others } = arraysOf(set);
  const images_pixel = { shape: images!.shape, data: channelsFirst(pixels, set.imageShape) };
  return { images: images!, images_pixel, ...others };
}

/** Images that are mosaics, as they are stored; nothing where they are whole. */
function mosaicsOf(set: StoredSet): NamedArrays {
  const { mosaics } = arraysOf(set);
  return mosaics ? { mosaics } : {};
}

/** What PNG loses, in words. */
function pngNote({ outside, maxError, rmsError }: PngLoss, accuracies?: PngAccuracies): string {
  const lost =
    `PNG is lossy: ${(100 * outside).toFixed(1)} % of pixel values lie outside [0, 1] and are cut, the others are rounded ` +
    `to 8 bits. Where black is 0 and white 1, the largest error is ${maxError.toPrecision(2)} and the root of the mean ` +
    `square ${rmsError.toPrecision(2)}. The float32 arrays are the reference.`;
  if (!accuracies) return lost;
  const { float32, png } = accuracies;
  return (
    `${lost} Networks trained on them reach ${inPercent(float32)} %, those trained on the PNGs ${inPercent(png)} % ` +
    `(${png.networks} of each, ${png.protocol}).`
  );
}

/** "43.2 ± 0.5". */
function inPercent({ accuracy, std }: ExpectedAccuracy): string {
  return (100 * accuracy).toFixed(1) + (std === null ? "" : ` ± ${(100 * std).toFixed(1)}`);
}

interface Content {
  readonly set: StoredSet;
  readonly pixels: Float32Array;
  readonly arrays: NamedArrays;
  readonly card: Card;
}

async function contents(
  formats: readonly ExportFormat[],
  { set, pixels, arrays, card }: Content,
): Promise<FileContent[]> {
  const { labels, imageShape } = set;
  const { classNames } = card;
  const has = (format: ExportFormat): boolean => formats.includes(format);
  const json = `${JSON.stringify(card, null, 2)}\n`;
  const files: FileContent[] = [[CARD, json]];
  if (has("safetensors"))
    files.push(["data.safetensors", writeSafetensors(arrays, { card: JSON.stringify(card) })]);
  if (has("npz")) files.push(["data.npz", writeNpz(arrays)], ["load.py", loadPy()]);
  const images =
    has("png") || has("parquet") ? await pngFiles(pixels, imageShape, { labels, classNames }) : [];
  if (has("png")) files.push(...pngFolder(images, classNames));
  if (has("parquet")) files.push(...parquetFiles(images, card, files));
  return files;
}

function parquetFiles(
  images: readonly LabeledFile[],
  card: Card,
  others: readonly FileContent[],
): FileContent[] {
  const parquet = writeImageParquet(images, card.classNames);
  const text = readme({
    card,
    images: images.length,
    parquetBytes: parquet.length,
    imageBytes: images.reduce((sum, { bytes }) => sum + bytes.length, 0),
    beside: [...new Set(others.map(([path]) => path.split("/")[0]!))],
  });
  return [
    [PARQUET, parquet],
    ["README.md", text],
  ];
}

function loadPy(): string {
  return readFileSync(join(import.meta.dirname, "..", "export", "load.py"), "utf8");
}
