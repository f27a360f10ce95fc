import sharp from "sharp";
import { stringify } from "csv-stringify/sync";
import { check } from "../../src/core/errors.ts";
import { type ImageShape, sizeOf } from "../../src/core/shape.ts";
import type { LabeledFile } from "../../src/formats/parquet.ts";
import type { PngLoss } from "./card.ts";
import type { FileContent } from "./files.ts";

/** Digits of class and image numbers, so that names sort as numbers do; more where there are more. */
const DIGITS = 5;
/** Letters of a class name that a folder's name keeps. */
const NAME_LENGTH = 60;

/** Pixels in [0, 1] as bytes; those beyond are cut. */
export function eightBit(pixels: Float32Array): Uint8Array {
  return Uint8Array.from(pixels, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}

/** What is lost between pixels and their bytes. */
export function pngLoss(pixels: Float32Array): PngLoss {
  const kept = eightBit(pixels);
  let outside = 0;
  let maxError = 0;
  let squares = 0;
  pixels.forEach((value, i) => {
    const error = Math.abs(value - kept[i]! / 255);
    if (value < 0 || value > 1) outside++;
    maxError = Math.max(maxError, error);
    squares += error * error;
  });
  return { outside: outside / pixels.length, maxError, rmsError: Math.sqrt(squares / pixels.length) };
}

/**
 * PNG files of labeled images, CLASS/NUMBER.png each.
 *
 * @param pixels black 0 and white 1, [n, h, w, c].
 * @throws InputError unless images have one or three channels.
 */
export async function pngFiles(
  pixels: Float32Array,
  shape: ImageShape,
  { labels, classNames }: { readonly labels: Int32Array; readonly classNames: readonly string[] },
): Promise<LabeledFile[]> {
  const [height, width, channels] = shape;
  check(
    channels === 1 || channels === 3,
    () => `export: expected images of 1 or 3 channels for PNG, got ${channels}; leave out png and parquet`,
  );
  const size = sizeOf(shape);
  const all = eightBit(pixels);
  const raw = { width, height, channels } as const;
  const seen = classNames.map(() => 0);
  const files: LabeledFile[] = [];
  for (const [i, label] of labels.entries()) {
    const image = sharp(all.subarray(i * size, (i + 1) * size), { raw });
    const bytes = await image
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .png({ compressionLevel: 9 })
      .toBuffer();
    const path = `${folderName(label, classNames[label]!)}/${numbered(seen[label]!++)}.png`;
    files.push({ path, bytes, label });
  }
  return files;
}

/** The folder png/ of a set: train/CLASS/NUMBER.png, and metadata.csv with each file's label. */
export function pngFolder(files: readonly LabeledFile[], classNames: readonly string[]): FileContent[] {
  const rows = files.map(({ path, label }) => [path, label, classNames[label]]);
  return [
    ...files.map(({ path, bytes }) => [`png/train/${path}`, bytes] as const),
    ["png/train/metadata.csv", stringify([["file_name", "label", "class_name"], ...rows])],
  ];
}

/** "00003_cat": sorts by label whatever the name, and is a folder's name on every system. */
export function folderName(label: number, className: string): string {
  const safe = className
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}+-]+/gu, "_")
    .replace(/^_+|_+$/g, "");
  const kept = Array.from(safe).slice(0, NAME_LENGTH).join("");
  return kept === "" ? numbered(label) : `${numbered(label)}_${kept}`;
}

function numbered(number: number): string {
  return String(number).padStart(DIGITS, "0");
}
