import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { InputError } from "../../src/core/errors.ts";
import { normalized, subset } from "../../src/datasets/dataset.ts";
import { datasetOf, type OwnImages } from "../../src/datasets/own.ts";
import { channelStatistics } from "../../src/datasets/statistics.ts";

/** Two images of 1×2 with two channels, of two classes. */
const bytes: OwnImages = {
  pixels: Uint8Array.of(0, 255, 51, 0, 102, 51, 255, 204),
  imageShape: [1, 2, 2],
  labels: [1, 0],
};

test("bytes are used as they are, and normalized by their own mean and deviation", () => {
  const dataset = datasetOf(bytes);
  expect(dataset).toMatchObject({ name: "own", classNames: ["class 0", "class 1"], imageShape: [1, 2, 2] });
  expect(dataset.pixels).toBe(bytes.pixels);
  expect([...dataset.labels]).toEqual([1, 0]);
  // First channel: 0, 51, 102, 255 of 255 are 0, 0.2, 0.4, 1.
  expect(dataset.mean[0]).toBeCloseTo(0.4, 12);
  expect(dataset.std[0]).toBeCloseTo(Math.sqrt((0.16 + 0.04 + 0 + 0.36) / 4), 12);
});

test("floats give the batches of the bytes they were divided from, and are not rounded to bytes", () => {
  const pixels = Float32Array.from(bytes.pixels, (byte) => byte / 255);
  const floats = datasetOf({ ...bytes, pixels });
  const batch = normalized(floats, [1, 0]);
  normalized(datasetOf(bytes), [1, 0]).forEach((value, i) => expect(batch[i]).toBeCloseTo(value, 5));
  expect([...subset(floats, [1]).pixels]).toEqual([...pixels.subarray(4)]);

  const fine = datasetOf({ ...bytes, pixels: pixels.map((pixel) => pixel / 1000) });
  normalized(fine, [1, 0]).forEach((value, i) => expect(value).toBeCloseTo(batch[i]!, 3));
});

test("mean and deviation of floats keep their digits where they vary little", () => {
  const pixels = Float32Array.from({ length: 1000 }, (_, i) => 100 + (i % 2) * 0.25);
  const { mean, std } = channelStatistics(pixels, 1);
  expect(mean[0]).toBeCloseTo(100.125, 9);
  expect(std[0]).toBeCloseTo(0.125, 9);
});

test("channels first are put last", () => {
  const shapes = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 3 }),
  );
  fc.assert(
    fc.property(shapes, ([height, width, channels]) => {
      const count = 2;
      const at = (i: number, y: number, x: number, c: number): number => 50 * i + 12 * y + 3 * x + c;
      const places = [...Array(count).keys()].flatMap((i) =>
        [...Array(channels).keys()].flatMap((c) =>
          [...Array(height).keys()].flatMap((y) =>
            [...Array(width).keys()].map((x) => [i, y, x, c] as const),
          ),
        ),
      );
      const pixels = Uint8Array.from(places, (place) => at(...place));
      const dataset = datasetOf({
        pixels,
        imageShape: [height, width, channels],
        layout: "chw",
        labels: [0, 1],
      });
      for (const [i, y, x, c] of places) {
        expect(dataset.pixels[((i * height + y) * width + x) * channels + c]).toBe(at(i, y, x, c));
      }
    }),
    { seed: 1, numRuns: 30 },
  );
});

test("test images take class names and normalization of the training images", () => {
  const { classNames, mean, std } = datasetOf({ ...bytes, classNames: ["cat", "dog"] });
  const held = datasetOf({ ...bytes, labels: [0, 1], classNames, mean, std });
  expect(held).toMatchObject({ classNames: ["cat", "dog"], mean, std });
});

describe("what is wrong is said with its place and what to do", () => {
  test.each<[string, Partial<OwnImages>, string]>([
    [
      "a length",
      { labels: [0, 1, 0] },
      "own.pixels: expected 3 × 4 numbers, for 3 labels and images of 1×2×2, got 8",
    ],
    [
      "a shape",
      { imageShape: [2, 4] as never },
      "own.imageShape: expected [height, width, channels], got [2, 4]",
    ],
    ["a side", { imageShape: [1, 0, 2] }, "own.imageShape[1]: expected a whole number >= 1, got 0"],
    ["no labels", { labels: [], pixels: new Uint8Array(0) }, "own.labels: expected at least 1, got none"],
    ["a label", { labels: [0, 0.5] }, "own.labels[1]: expected a whole number >= 0, got 0.5"],
    [
      "a label without a name",
      { classNames: ["cat"] },
      "own.labels[0]: expected 0 to 0, as there are 1 class names, got 1",
    ],
    [
      "a class without images",
      { labels: [0, 2] },
      "own: class 1 (class 1): expected at least 1 image, got none",
    ],
    [
      "bytes in floats",
      { pixels: Float32Array.from(bytes.pixels) },
      "own.pixels: expected floats on a scale where white is 1, got whole numbers up to 255; " +
        "divide by 255, or give the bytes as a Uint8Array",
    ],
    [
      "no number",
      { pixels: Float32Array.of(0, 0.5, NaN, 0, 0, 0, 0, 0) },
      "own.pixels[2]: expected a finite number, got NaN",
    ],
    [
      "a plain array",
      { pixels: [0, 1, 2, 3, 4, 5, 6, 7] as never },
      "own.pixels: expected a Uint8Array or a Float32Array, got [0, 1, 2, 3, 4, 5, 6, 7]",
    ],
    ["a layout", { layout: "nhwc" as never }, 'own.layout: expected "hwc" or "chw", got "nhwc"'],
    [
      "a mean without a deviation",
      { mean: [0, 0] },
      "own.std: expected 2 finite numbers > 0, one for each channel, as mean and std come together, got undefined",
    ],
    [
      "a channel without contrast",
      { pixels: Uint8Array.of(0, 7, 1, 7, 2, 7, 3, 7) },
      "own: channel 1: expected pixels that vary, got 7 everywhere",
    ],
  ])("%s", (_, change, message) => {
    expect(() => datasetOf({ ...bytes, ...change })).toThrow(new InputError(message));
  });
});
