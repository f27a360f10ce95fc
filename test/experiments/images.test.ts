import { expect, test } from "@jest/globals";
import sharp from "sharp";
import { type GridOptions, type ImageSet, imageGrid } from "../../experiments/images.ts";

/** Three gray images of 16 × 32 pixels, of classes 1, 0, 1: all black, all white, and one beyond white. */
const gray: ImageSet = {
  images: [0, 1, 3].flatMap((level) => Array<number>(16 * 32).fill((level - 0.5) / 0.25)),
  imageShape: [16, 32, 1],
  labels: [1, 0, 1],
  classes: 2,
  mean: [0.5],
  std: [0.25],
};

async function pixelsOf(set: ImageSet, options?: GridOptions) {
  const { data, info } = await sharp(await imageGrid(set, options))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): number[] => [
    ...data.subarray(4 * (y * info.width + x), 4 * (y * info.width + x) + 4),
  ];
  return { width: info.width, height: info.height, channels: info.channels, at };
}

test("rows are classes, columns images, tiles twice the size with a gap of two", async () => {
  const { width, height, channels } = await pixelsOf(gray);
  expect([width, height, channels]).toEqual([2 * 64 + 2, 2 * 32 + 2, 4]);
});

test("pixels are what the images say, cut at white, and gaps are transparent", async () => {
  const { at } = await pixelsOf(gray);
  expect(at(0, 0)).toEqual([255, 255, 255, 255]); // class 0
  expect(at(63, 31)).toEqual([255, 255, 255, 255]);
  expect(at(64, 0)).toEqual([0, 0, 0, 0]); // gap
  expect(at(66, 0)).toEqual([0, 0, 0, 0]); // class 0 has one image only
  expect(at(0, 34)).toEqual([0, 0, 0, 255]); // class 1, first image
  expect(at(66, 34)).toEqual([255, 255, 255, 255]); // class 1, second image
});

test("spread keeps values beyond white apart from white", async () => {
  const { at } = await pixelsOf(gray, { clip: "spread" });
  // Levels 0, 1, 3: mean 4/3, deviation √(14/9); shades (level − mean)/(5 deviation) + 1/2.
  const shade = (level: number): number =>
    Math.round(255 * ((level - 4 / 3) / (5 * Math.sqrt(14 / 9)) + 0.5));
  expect([at(0, 0)[0], at(0, 34)[0], at(66, 34)[0]]).toEqual([shade(1), shade(0), shade(3)]);
});

test("no more than the asked columns are drawn", async () => {
  expect((await pixelsOf(gray, { columns: 1 })).width).toBe(64);
});

test("colors stay in their channels and pixels in their places", async () => {
  const set: ImageSet = {
    // One image of two by two: red, green, blue, gray, normalized by channel.
    images: [1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5, 0.5, 0.5].map(
      (level, i) => (level - [0.1, 0.2, 0.3][i % 3]!) / 0.5,
    ),
    imageShape: [2, 2, 3],
    labels: [0],
    classes: 1,
    mean: [0.1, 0.2, 0.3],
    std: [0.5, 0.5, 0.5],
  };
  const { width, at } = await pixelsOf(set);
  expect(width).toBe(64);
  expect([at(0, 0), at(63, 0), at(0, 63), at(63, 63)]).toEqual([
    [255, 0, 0, 255],
    [0, 255, 0, 255],
    [0, 0, 255, 255],
    [128, 128, 128, 255],
  ]);
});

test("sets that do not fit are refused", async () => {
  await expect(imageGrid({ ...gray, labels: [0] })).rejects.toThrow(
    "imageGrid: expected 512 values, got 1536",
  );
  await expect(imageGrid({ ...gray, imageShape: [16, 16, 2] })).rejects.toThrow(
    "expected 1 or 3 channels, got 2",
  );
});
