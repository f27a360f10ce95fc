import sharp from "sharp";
import { remembered } from "../remembered.ts";
import type { Picture } from "./pageData.ts";

/** Classes that a page shows of each grid at most, by how many grids it has; the files in figures/ hold all. */
export function rowsShown(grids: number): number {
  return grids > 16 ? 10 : 20;
}
/** Of WebP; below, single learned pixels run into each other. */
const QUALITY = 86;

/**
 * A grid of images, one row for each class, as small as a page with many of them wants it: the first rows, each learned
 * pixel once, as WebP, which is an eighth of the file.
 */
export const pictureOf = remembered(async (file: string, classes: number, most: number): Promise<Picture> => {
  const { data, info } = await sharp(file).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const rows = Math.min(most, classes);
  const shown = Math.round((height * rows) / classes);
  const scale = isDoubled(data, width, height) ? 2 : 1;
  const size = { width: Math.ceil(width / scale), height: Math.ceil(shown / scale) };
  const bytes = await sharp(data, { raw: { width, height, channels: 4 } })
    .extract({ left: 0, top: 0, width, height: shown })
    .resize({ ...size, fit: "fill", kernel: "nearest" })
    .webp({ quality: QUALITY })
    .toBuffer();
  return { ...size, rows, url: `data:image/webp;base64,${bytes.toString("base64")}` };
});

/** Whether each pixel of an RGBA image has its neighbors to the right and below as twins. */
function isDoubled(data: Buffer, width: number, height: number): boolean {
  const pixels = new Uint32Array(data.buffer, data.byteOffset, width * height);
  for (let y = 0; y + 1 < height; y += 2) {
    for (let x = 0; x + 1 < width; x += 2) {
      const at = y * width + x;
      if (pixels[at] !== pixels[at + 1] || pixels[at] !== pixels[at + width]) return false;
    }
  }
  return true;
}
