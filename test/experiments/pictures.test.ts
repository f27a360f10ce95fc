import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import sharp from "sharp";
import { selectEngine } from "../../src/engines/index.ts";
import type { Engine, Tensor } from "../../src/engines/index.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { interimImages, writeRealImages } from "../../experiments/pictures.ts";
import { fileOf, type RunFolder } from "../../experiments/runFolder.ts";
import { toySource } from "../support/toy.ts";

let engine: Engine;
let run: RunFolder;
beforeEach(async () => {
  ({ engine } = await selectEngine("tfjs"));
  run = { path: mkdtempSync(join(tmpdir(), "pictures-")) } as RunFolder;
});
afterEach(() => {
  rmSync(run.path, { recursive: true });
});

/** Six toy images that are all of one value after normalizing. */
const gray = (value: number): Tensor => {
  const shape = [6, 8, 8, 3];
  return engine.tensor(shape, new Float32Array(sizeOf(shape)).fill(value));
};
const topLeft = async (file: "images" | "real"): Promise<number[]> =>
  Array.from(
    (
      await sharp(readFileSync(fileOf(run, file)))
        .raw()
        .toBuffer()
    ).subarray(0, 3),
  );

test("images of a run under way are written, and again when that is a hundredth of the time since", async () => {
  const source = toySource(engine);
  let ticks = 0;
  // The picture takes 0.5 s by this clock: it is read before and after.
  const show = interimImages(run, source, () => (ticks++ % 2 === 1 ? 0.5 : 0) + clock);
  let clock = 0;
  await show(gray(0));
  expect(await topLeft("images")).toEqual([128, 128, 128]); // mean 0.5
  const written = statSync(fileOf(run, "images")).ino;
  for (clock = 1; clock < 50; clock += 7) {
    ticks = 0;
    await show(gray(1));
  }
  expect(statSync(fileOf(run, "images")).ino).toBe(written);
  clock = 51;
  ticks = 0;
  await show(gray(1));
  expect(await topLeft("images")).toEqual([179, 179, 179]); // 0.5 + 0.2
});

test("real images are the first of each class", async () => {
  const source = toySource(engine);
  await writeRealImages(run, source);
  expect(await topLeft("real")).toEqual(Array.from(source.real.pixels.subarray(0, 3)));
});
