import { afterAll, expect, test } from "@jest/globals";
import {
  distillationOf,
  evaluationOf,
  type InMemoryOptions,
  pixelsOf,
  selectEngine,
  trackingOf,
  whitenedDataset,
  zcaWhitening,
} from "../../src/index.ts";
import { finished } from "../../src/training/train.ts";
import { toyDataset } from "../support/toy.ts";

const { engine } = await selectEngine("auto", { threads: 1 });
afterAll(() => engine.close());

const train = toyDataset();
const whitening = finished(zcaWhitening(train, engine));
const whitened = whitenedDataset(train, whitening, engine);
const options = {
  engine,
  objective: { name: "dm", realBatch: 4 },
  network: { name: "convNet", depth: 1, width: 4 },
  imagesPerClass: 2,
  steps: 2,
} as const satisfies InMemoryOptions;

test("a run that whitens its images is one on images that were whitened before", () => {
  const run = distillationOf(train, { ...options, zca: true });
  const set = run.finish();
  const before = distillationOf(whitened, options);
  expect(set.whitening).toEqual(whitening);
  expect(before.finish()).toMatchObject({ images: set.images, whitening });
  expect([set.mean, set.std]).toEqual([
    [0, 0, 0],
    [1, 1, 1],
  ]);
  expect(distillationOf(train, options).finish().images).not.toEqual(set.images);
});

test("it goes on from a checkpoint to the same images", () => {
  const run = distillationOf(train, { ...options, zca: true });
  for (const { step } of run) if (step === 1) break;
  const checkpoint = run.checkpoint();
  const resumed = distillationOf(train, { ...options, zca: true, checkpoint });
  expect(resumed.step).toBe(1);
  expect(resumed.finish().images).toEqual(run.finish().images);
});

test("its images are looked at as pixels: at step 0 the bytes of real ones", () => {
  const { network, imagesPerClass } = options;
  const initial = { engine, network, imagesPerClass, steps: 0 };
  const [shown, expected] = [true, false].map((zca) =>
    pixelsOf(distillationOf(train, { ...initial, zca }).synthetic()),
  );
  const most = shown!.reduce((worst, byte, i) => Math.max(worst, Math.abs(byte - expected![i]!)), 0);
  expect(most).toBeLessThanOrEqual(1); // bytes are cut here, not rounded
});

test("bounds of pixels and mosaics are refused, whoever has whitened the images", () => {
  for (const change of [{ range: "pixels" }, { partition: {} }] as const) {
    const message = /^distillationOf\.(range: expected free|partition: expected none) beside zca, got/;
    expect(() => distillationOf(train, { ...options, ...change, zca: true })).toThrow(message);
    expect(() => distillationOf(whitened, { ...options, ...change })).toThrow(message);
  }
  expect(() => distillationOf(whitened, { ...options, zca: true })).toThrow(
    "expected images of toy as pixels, got whitened ones; whiten them once",
  );
});

test("sets are tracked beside real images of their space, and tested on pixels", () => {
  const set = distillationOf(train, { ...options, zca: true }).synthetic();
  const { network } = options;
  expect(trackingOf(whitened, { engine, network, models: 1 })(set).difficulty).toBeGreaterThan(0);
  expect(() => trackingOf(train, { engine, network, models: 1 })(set)).toThrow(
    "tracking: expected images that are not whitened, as the real ones are, got whitened images",
  );
  expect(() => evaluationOf(set, whitened, { engine, protocol: "quick", networks: 1 })).toThrow(
    "evaluationOf: expected test images as pixels, got whitened ones",
  );
});
