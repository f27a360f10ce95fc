import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, relative } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { z } from "zod";
import { type ImageShape, sizeOf } from "../../src/core/shape.ts";
import type { DecodedImage, ImageSelection } from "../../src/datasets/index.ts";
import type { ImageFile } from "./imageFiles.ts";
import { decodedImages } from "./images.ts";

/** Fewer images are decoded faster than one would notice. */
const LEAST = 10_000;
/** Length of the header: JSON, filled up with spaces. */
const HEADER = 512;
/** Bytes read and written at a time: a single call is limited to 2 GiB. */
const CHUNK = 2 ** 26;
/** Files asked for their size and time at a time. */
const ASKED_AT_ONCE = 256;

const headerSchema = z.object({
  /** Changes with the files, with how they are decoded, and with this format. */
  key: z.string(),
  shape: z.tuple([z.int(), z.int(), z.int()]),
  /** Checksum of the pixels. */
  crc32: z.int(),
});
type Header = z.output<typeof headerSchema>;

export interface KeepOptions {
  /** Where to keep the pixels. */
  readonly path: string;
  /** Called with the number of images decoded so far. */
  readonly onProgress?: (done: number) => void;
  /** Number of images from which on they are kept. */
  readonly least?: number;
}

export interface KeptImages {
  readonly images: DecodedImage[];
  /** What became of the file, in words; empty for few images. */
  readonly note: string;
}

/**
 * The images of the files, decoded once: their pixels are kept in a file, and taken from there as long as no image file has
 * another size or time of change, and they would be decoded in the same way. Images of several sizes are not kept.
 *
 * @throws InputError as `decodedImages` does; a file of pixels that is damaged is made anew.
 */
export async function keptImages(
  files: readonly ImageFile[],
  selection: ImageSelection,
  { path, onProgress, least = LEAST }: KeepOptions,
): Promise<KeptImages> {
  if (files.length < least) return { images: await decodedImages(files, selection, onProgress), note: "" };
  const key = await keyOf(files, selection, path);
  const kept = existsSync(path) ? await readPixels(path, key, files.length) : undefined;
  if (kept !== undefined) {
    const { shape, pixels } = kept;
    const size = sizeOf(shape);
    const images = files.map((file, i) => ({
      ...file,
      shape,
      pixels: pixels.subarray(i * size, (i + 1) * size),
    }));
    return { images, note: `as decoded before, in ${path}` };
  }
  const images = await decodedImages(files, selection, onProgress);
  return { images, note: await written(path, key, images) };
}

/** Hash of everything that the pixels depend on. */
async function keyOf(
  files: readonly ImageFile[],
  { side, channels }: ImageSelection,
  path: string,
): Promise<string> {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(["distillery-pixels-1", side, channels, sharp.versions]));
  for (let from = 0; from < files.length; from += ASKED_AT_ONCE) {
    const some = files.slice(from, from + ASKED_AT_ONCE);
    const facts = await Promise.all(some.map((file) => stat(file.path)));
    facts.forEach(({ size, mtimeMs }, i) => {
      hash.update(`\n${relative(dirname(path), some[i]!.path)}\t${size}\t${mtimeMs}`);
    });
  }
  return hash.digest("hex");
}

/** The pixels in a file, if it is whole and of this key. */
async function readPixels(
  path: string,
  key: string,
  count: number,
): Promise<{ shape: ImageShape; pixels: Uint8Array } | undefined> {
  const file = await open(path);
  try {
    const start = Buffer.alloc(HEADER);
    await file.read(start, 0, HEADER, 0);
    const header = headerIn(start.toString("latin1"));
    if (header?.key !== key) return undefined;
    const pixels = new Uint8Array(count * sizeOf(header.shape));
    for (let at = 0; at < pixels.length;) {
      const { bytesRead } = await file.read(pixels, at, Math.min(CHUNK, pixels.length - at), HEADER + at);
      if (bytesRead === 0) return undefined;
      at += bytesRead;
    }
    return checksum(pixels) === header.crc32 ? { shape: header.shape, pixels } : undefined;
  } finally {
    await file.close();
  }
}

function headerIn(text: string): Header | undefined {
  if (!/^\{.*\} *$/.test(text)) return undefined;
  return headerSchema.safeParse(JSON.parse(text)).data;
}

function checksum(pixels: Uint8Array): number {
  let value = 0;
  for (let at = 0; at < pixels.length; at += CHUNK) value = crc32(pixels.subarray(at, at + CHUNK), value);
  return value;
}

/** Writes the pixels under a name of its own first. Where that fails, as on a full disk, nothing is lost but time. */
async function written(path: string, key: string, images: readonly DecodedImage[]): Promise<string> {
  const [{ shape, pixels: first }] = images as [DecodedImage];
  const size = sizeOf(shape);
  if (!images.every(({ pixels }) => pixels.buffer === first.buffer && pixels.length === size)) return "";
  const pixels = new Uint8Array(first.buffer, first.byteOffset, images.length * size);
  const header: Header = { key, shape: [...shape], crc32: checksum(pixels) };
  const partial = `${path}.${hostname()}.${process.pid}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(partial, "w");
    try {
      await writeAll(file, Buffer.from(JSON.stringify(header).padEnd(HEADER), "latin1"));
      await writeAll(file, pixels);
    } finally {
      await file.close();
    }
    await rename(partial, path);
    return `kept decoded in ${path}`;
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    return `not kept decoded: ${(error as Error).message}`;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(CHUNK, bytes.length - at));
    at += bytesWritten;
  }
}
