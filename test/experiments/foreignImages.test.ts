import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import sharp from "sharp";
import { setOfImages } from "../../experiments/judge/foreignImages.ts";
import type { Dataset } from "../../src/datasets/index.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "distillery-foreign-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const real: Dataset = {
  name: "imageNet",
  classNames: ["tench", "English_springer"],
  classFolders: ["n01440764", "n02102040"],
  imageShape: [4, 4, 3],
  pixels: new Uint8Array(96),
  labels: Int32Array.of(0, 1),
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** A folder of one image of the given shade for each class folder. */
async function folderOf(name: string, shadesByClass: Readonly<Record<string, number>>): Promise<string> {
  for (const [folder, shade] of Object.entries(shadesByClass)) {
    mkdirSync(join(root, name, folder), { recursive: true });
    await sharp({
      create: { width: 4, height: 4, channels: 3, background: { r: shade, g: shade, b: shade } },
    })
      .png()
      .toFile(join(root, name, folder, "0.png"));
  }
  return join(root, name);
}

test.each([
  ["class names", { English_springer: 255, tench: 0 }],
  ["an export's names", { "00001_English_springer": 255, "00000_tench": 0 }],
  ["the folders of the real images", { n02102040: 255, n01440764: 0 }],
  ["numbers", { "1": 255, "0": 0 }],
])("folders are matched with classes by %s", async (name, shadesByClass) => {
  const { labels, images } = await setOfImages(await folderOf(name, shadesByClass), real, real);
  const shadeOf = (label: number): number => images[48 * labels.indexOf(label)]!;
  expect([shadeOf(0), shadeOf(1)]).toEqual([0, 1]);
});

test("a folder that is no class is an error that names the classes", async () => {
  await expect(setOfImages(await folderOf("other", { n00: 1, n01440764: 2 }), real, real)).rejects.toThrow(
    "expected folders named by class, or by its number, got n00; the classes are tench, English_springer",
  );
});
