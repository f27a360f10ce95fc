import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import type { Dataset } from "../src/datasets/dataset.ts";
import type { Partition } from "../src/datasets/partition.ts";
import { readSafetensors, writeSafetensors } from "../src/formats/safetensors.ts";
import type { Network } from "../src/networks/index.ts";
import type { Learned } from "../src/objectives/objective.ts";
import { learnedSet } from "../src/runs/learned.ts";
import type { Space } from "../src/runs/space.ts";
import { arraysOf, setFrom, type StoredSet } from "../src/runs/storedSet.ts";
import { inFile, writeWhole } from "./files.ts";
import { type Machine, peakMegabytes } from "./machine.ts";
import { fileOf, type RunFolder } from "./runFolder.ts";

/** A run's result, and what its file says of it. */
export interface Artifact extends StoredSet {
  readonly card: Readonly<Record<string, string>>;
}

/**
 * Writes a run's result: `images` f32 [n, channels, height, width] as trained on, or `mosaics` of them, `labels` i64, where they were learned
 * `soft_labels` f32 [n, classes] and `lr` f32 [1], where images are whitened `zca_mean`, `zca_matrix` and `zca_inverse`,
 * whatever else was learned under its own name, and a card in the metadata that says how to use them.
 */
export function writeArtifact(
  run: RunFolder,
  learned: Learned,
  about: {
    /** Real images in the space that was learned in. */
    readonly real: Dataset;
    /** The same as they were read: the file names them by their hash. */
    readonly train: Dataset;
    readonly labels: Int32Array;
    readonly network: Network;
    readonly machine: Machine;
    readonly seconds: number;
  },
): void {
  const { real, train, machine } = about;
  const { experiment, seed } = run;
  const set = learnedSet(learned, { ...about, partition: experiment.partition });
  const card = {
    format: "distillery 1",
    space: spaceText(set),
    mean: JSON.stringify(real.mean),
    std: JSON.stringify(real.std),
    ...(set.partition && { partition: JSON.stringify(decodingOf(set.partition)) }),
    classNames: JSON.stringify(real.classNames),
    ...(real.wholeClassNames && { wholeClassNames: JSON.stringify(real.wholeClassNames) }),
    config: stringify({ ...experiment, seeds: [seed] }),
    network: about.network.name,
    flattenOrder: about.network.flattenOrder,
    trainingImages: String(real.labels.length),
    trainingSha256: sha256(bytes(train.pixels), bytes(train.labels)),
    distillSeconds: about.seconds.toFixed(1),
    peakMegabytes: peakMegabytes().toFixed(0),
    engine: machine.engine,
    distillery: machine.distillery,
    commit: machine.commit,
  };
  writeWhole(fileOf(run, "synthetic"), writeSafetensors(arraysOf(set), card));
}

/** How images of a space come of pixels, in words. */
function spaceText({ mean, std, whitening }: Space): string {
  const isPixel = mean.every((center) => center === 0) && std.every((scale) => scale === 1);
  const normalized = isPixel ? "pixel/255" : "(pixel/255 - mean) / std per channel";
  if (!whitening) return `normalized: ${normalized}`;
  return `whitened: (x - zca_mean) @ zca_matrix on rows x of ${normalized}, channels × height × width`;
}

/**
 * Reads a run's result.
 *
 * @throws InputError if the file is damaged or holds no images and labels.
 */
export function readArtifact(run: RunFolder): Artifact {
  const path = fileOf(run, "synthetic");
  const { arrays, metadata } = inFile(path, () => readSafetensors(readFileSync(path)));
  const numbers = (key: string): number[] => JSON.parse(metadata[key] ?? "[]") as number[];
  return {
    ...setFrom(path, arrays, {
      mean: numbers("mean"),
      std: numbers("std"),
      partition: partitionIn(metadata),
    }),
    card: metadata,
  };
}

/** A partition and how its cells become images, as cards say it. */
export function decodingOf({ factor, order }: Partition) {
  const place =
    order === "columns" ? "down each column, columns from the left" : "along each row, rows from the top";
  return {
    factor,
    order,
    decoding:
      `each mosaic holds ${factor} × ${factor} cells, in order ${place}; each cell is enlarged to the mosaic's size, ` +
      "bilinear with align_corners=False, and all cells of a mosaic come before those of the next",
  };
}

/** The partition that the metadata of a run's result says; none where images are whole. */
export function partitionIn({ partition }: Readonly<Record<string, string>>): Partition | undefined {
  if (partition === undefined) return undefined;
  const { factor, order } = JSON.parse(partition) as Partition;
  return { factor, order };
}

/** SHA-256 of byte arrays one after another, in hexadecimal. */
export function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** The bytes of an array as they lie in memory: of whole numbers, four each, little-endian. */
export function bytes(numbers: ArrayBufferView): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
