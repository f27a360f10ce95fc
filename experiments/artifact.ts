import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import { check } from "../src/core/errors.ts";
import type { ImageShape } from "../src/core/shape.ts";
import type { Dataset } from "../src/datasets/dataset.ts";
import type { Network } from "../src/networks/index.ts";
import type { Learned } from "../src/objectives/objective.ts";
import { type HostArray } from "../src/formats/array.ts";
import { type NamedArrays, readSafetensors, writeSafetensors } from "../src/formats/safetensors.ts";
import { inFile, writeWhole } from "./files.ts";
import { type Machine, peakMegabytes } from "./machine.ts";
import { fileOf, type RunFolder } from "./runFolder.ts";

/** A synthetic set as evaluation needs it. */
export interface Artifact {
  /** Normalized pixels, [n, height, width, channels]. */
  readonly images: Float32Array;
  readonly imageShape: ImageShape;
  readonly labels: Int32Array;
  readonly card: Readonly<Record<string, string>>;
}

/**
 * Writes a run's result: `images` f32 [n, channels, height, width] as trained on (normalized), `labels` i64, whatever
 * else was learned under its own name, and a card in the metadata that says how to use them.
 */
export function writeArtifact(
  run: RunFolder,
  learned: Learned,
  about: {
    readonly real: Dataset;
    readonly labels: Int32Array;
    readonly network: Network;
    readonly machine: Machine;
    readonly seconds: number;
  },
): void {
  const { real, labels } = about;
  const { images, ...others } = learned;
  const arrays: NamedArrays = {
    images: {
      shape: channelsFirst(images.shape),
      data: transposed(Float32Array.from(images.values()), real.imageShape),
    },
    labels: { shape: [labels.length], data: BigInt64Array.from(labels, BigInt) },
  };
  for (const [name, tensor] of Object.entries(others)) {
    arrays[name] = { shape: tensor.shape, data: Float32Array.from(tensor.values()) };
  }
  const { experiment, seed } = run;
  const card = {
    format: "distillery 1",
    space: "normalized: (pixel/255 - mean) / std per channel",
    mean: JSON.stringify(real.mean),
    std: JSON.stringify(real.std),
    classNames: JSON.stringify(real.classNames),
    config: stringify({ ...experiment, seeds: [seed] }),
    network: about.network.name,
    flattenOrder: about.network.flattenOrder,
    distillSeconds: about.seconds.toFixed(1),
    peakMegabytes: peakMegabytes().toFixed(0),
    engine: about.machine.engine,
    distillery: about.machine.distillery,
    commit: about.machine.commit,
  };
  writeWhole(fileOf(run, "synthetic"), writeSafetensors(arrays, card));
}

/**
 * Reads a run's result.
 *
 * @throws InputError if the file is damaged or holds no images and labels.
 */
export function readArtifact(run: RunFolder): Artifact {
  const path = fileOf(run, "synthetic");
  const { arrays, metadata } = inFile(path, () => readSafetensors(readFileSync(path)));
  const { images, labels } = arrays;
  check(
    images?.data instanceof Float32Array &&
      images.shape.length === 4 &&
      labels?.data instanceof BigInt64Array,
    () =>
      `${path}: expected images [n, c, h, w] and labels, got ${Object.keys(arrays).join(", ")}; distil again`,
  );
  const [, channels, height, width] = (images as HostArray).shape as [number, number, number, number];
  const imageShape: ImageShape = [height, width, channels];
  return {
    images: transposed(images.data as Float32Array, imageShape, "toChannelsLast"),
    imageShape,
    labels: Int32Array.from(labels.data as BigInt64Array, Number),
    card: metadata,
  };
}

function channelsFirst([n, height, width, channels]: readonly number[]): number[] {
  return [n!, channels!, height!, width!];
}

/** Pixels with channels moved first in each image, or back last. */
function transposed(
  pixels: Float32Array,
  [height, width, channels]: ImageShape,
  direction: "toChannelsFirst" | "toChannelsLast" = "toChannelsFirst",
): Float32Array {
  const area = height * width;
  const result = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    const channel = i % channels;
    const position = ((i - channel) / channels) % area;
    const first = i - (i % (area * channels)) + channel * area + position;
    if (direction === "toChannelsFirst") result[first] = pixels[i]!;
    else result[i] = pixels[first]!;
  }
  return result;
}
