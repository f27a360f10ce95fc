import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import sharp from "sharp";
import { layouts } from "../../../experiments/data/imageFiles.ts";
import { keptImages } from "../../../experiments/data/keptPixels.ts";
import { loadData, parsedDatasetOptions } from "../../../experiments/data/load.ts";

let root: string;
let path: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "distillery-kept-"));
  path = join(root, ".distillery/set.pixels");
  for (const [i, className] of ["cat", "cat", "dog"].entries()) await picture(className, i, 50 * i);
});
afterEach(() => rmSync(root, { recursive: true }));

async function picture(className: string, number: number, shade: number, side = 4): Promise<void> {
  mkdirSync(join(root, className), { recursive: true });
  const background = { r: shade, g: 255 - shade, b: 2 * shade };
  await sharp({ create: { width: side, height: side, channels: 3, background } })
    .png()
    .toFile(join(root, className, `${number}.png`));
}

/** Reads all images, and says how many were decoded, and the first value of each. */
async function read(selection: { side?: number; channels?: 1 | 3 } = {}) {
  let decoded = 0;
  const files = layouts.classFolders({ name: "folder", root }).train;
  const { images, note } = await keptImages(
    files,
    { channels: 3, ...selection },
    { path, least: 1, onProgress: () => decoded++ },
  );
  return { decoded, note, images, shades: images.map(({ pixels }) => pixels[0]) };
}

test("images are decoded once, and are the same the second time", async () => {
  const first = await read();
  expect([first.decoded, first.note]).toEqual([3, `kept decoded in ${path}`]);
  const second = await read();
  expect([second.decoded, second.note]).toEqual([0, `as decoded before, in ${path}`]);
  expect(second.images).toEqual(
    first.images.map((image) => ({ ...image, pixels: Uint8Array.from(image.pixels) })),
  );
  expect(second.shades).toEqual([0, 50, 100]);
  expect(readdirSync(join(root, ".distillery"))).toEqual(["set.pixels"]);
});

test("an image that changes, comes or goes is seen", async () => {
  await read();
  await picture("cat", 1, 70);
  expect(await read()).toMatchObject({ decoded: 3, shades: [0, 70, 100] });
  await picture("dog", 7, 90);
  expect(await read()).toMatchObject({ decoded: 4, shades: [0, 70, 100, 90] });
  rmSync(join(root, "cat/0.png"));
  expect(await read()).toMatchObject({ decoded: 3, shades: [70, 100, 90] });
  expect((await read()).decoded).toBe(0);
  const later = statSync(join(root, "cat/1.png")).mtimeMs / 1000 + 10;
  utimesSync(join(root, "cat/1.png"), later, later);
  expect((await read()).decoded).toBe(3);
});

test("images decoded in another way are not those kept", async () => {
  await read();
  const resized = await read({ side: 8 });
  expect([resized.decoded, resized.images[0]!.shape]).toEqual([3, [8, 8, 3]]);
  expect((await read({ channels: 1 })).decoded).toBe(3);
});

test.each([
  ["cut off", (bytes: Buffer) => bytes.subarray(0, -1)],
  [
    "changed in one pixel",
    (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 600 ? byte ^ 1 : byte))),
  ],
  ["of another kind", () => Buffer.from("{something else")],
  ["empty", () => Buffer.alloc(0)],
])("a file that is %s is made anew", async (_, damaged) => {
  await read();
  writeFileSync(path, damaged(readFileSync(path)));
  expect(await read()).toMatchObject({ decoded: 3, shades: [0, 50, 100] });
  expect((await read()).decoded).toBe(0);
});

test("where nothing can be written, images are decoded all the same", async () => {
  writeFileSync(join(root, ".distillery"), "a file where the folder would be");
  const { note, shades } = await read();
  expect(note).toMatch(/^not kept decoded: .*(EEXIST|ENOTDIR)/);
  expect(shades).toEqual([0, 50, 100]);
});

test("images of several sizes are not kept", async () => {
  await picture("dog", 2, 100, 5);
  expect((await read()).note).toBe("");
  expect(existsSync(path)).toBe(false);
});

test("of a few images, as most folders have, nothing is kept", async () => {
  await picture("dog", 3, 100);
  await loadData(parsedDatasetOptions({ name: "folder", root, testFraction: 0.5 }));
  expect(existsSync(join(root, ".distillery"))).toBe(false);
});
