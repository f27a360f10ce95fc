import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { normalized } from "../../src/datasets/dataset.ts";
import { channelStatistics, normalization } from "../../src/datasets/statistics.ts";

test("two pixels of two channels by hand", () => {
  // Channel 0 holds 0 and 255: mean 1/2, deviation 1/2. Channel 1 holds 51 and 153: mean 102/255, deviation 51/255.
  const { mean, std } = channelStatistics(Uint8Array.of(0, 51, 255, 153), 2);
  expect(mean).toEqual([0.5, 0.4]);
  expect(std[0]).toBeCloseTo(0.5, 15);
  expect(std[1]).toBeCloseTo(0.2, 15);
});

test("pixels normalized by their own constants have mean 0 and deviation 1", () => {
  const pixels = Uint8Array.from({ length: 600 }, (_, i) => (i * i * 7 + i * 13) % 251);
  const { mean, std } = normalization("toy", pixels, 3);
  const dataset = {
    name: "toy",
    classNames: ["only"],
    imageShape: [10, 20, 3] as const,
    pixels,
    labels: Int32Array.of(0),
    mean,
    std,
  };
  const values = normalized(dataset, [0]);
  for (let c = 0; c < 3; c++) {
    const channel = [...values].filter((_, i) => i % 3 === c);
    const average = channel.reduce((sum, x) => sum + x, 0) / 200;
    const variance = channel.reduce((sum, x) => sum + (x - average) ** 2, 0) / 200;
    expect(average).toBeCloseTo(0, 6);
    expect(variance).toBeCloseTo(1, 5);
  }
});

test("the order of pixels does not matter", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), (bytes) => {
      expect(channelStatistics(bytes.slice().reverse(), 1)).toEqual(channelStatistics(bytes, 1));
    }),
    { seed: 1 },
  );
});

test("a constant channel cannot normalize", () => {
  expect(() => normalization("toy", Uint8Array.of(1, 9, 2, 9), 2)).toThrow(
    "toy: channel 1: expected pixels that vary, got 9 everywhere",
  );
});

test("pixels must divide into channels", () => {
  expect(() => channelStatistics(new Uint8Array(4), 3)).toThrow(
    "expected a multiple of 3 pixel values, got 4",
  );
  expect(() => channelStatistics(new Uint8Array(0), 3)).toThrow(
    "expected a multiple of 3 pixel values, got 0",
  );
});
