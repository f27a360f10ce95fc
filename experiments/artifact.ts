import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import type { Dataset } from "../src/datasets/dataset.ts";
import type { NamedArrays } from "../src/formats/array.ts";
import { readSafetensors, writeSafetensors } from "../src/formats/safetensors.ts";
import type { Network } from "../src/networks/index.ts";
import type { Learned } from "../src/objectives/objective.ts";
import { inFile, writeWhole } from "./files.ts";
import { type Machine, peakMegabytes } from "./machine.ts";
import { fileOf, type RunFolder } from "./runFolder.ts";
import type { Whitening } from "./space.ts";
import { arraysOf, setFrom, type StoredSet } from "./storedSet.ts";

/** A run's result, and what its file says of it. */
export interface Artifact extends StoredSet {
  readonly card: Readonly<Record<string, string>>;
}

/**
 * What methods learn beside images, by the names that objectives give it, and what it is to those who train on the set.
 * Anything else keeps its name.
 */
const plain = {
  /** Rows of probabilities, [n, classes]. */
  softLabels: (values: Float32Array) => ({ softLabels: values }),
  /** The same as logits, which a softmax in the method's loss takes to probabilities. */
  labelLogits: (values: Float32Array, classes: number) => ({ softLabels: softmax(values, classes) }),
  /** Learning rate of the networks trained on the set. */
  stepSize: ([learningRate]: Float32Array) => ({ learningRate: learningRate! }),
} satisfies Record<string, (values: Float32Array, classes: number) => Partial<StoredSet>>;

/** The synthetic set that a method has learned. */
export function learnedSet(
  { images, ...beside }: Learned,
  { real, labels, whitening }: { real: Dataset; labels: Int32Array; whitening?: Whitening | undefined },
): StoredSet {
  const { imageShape, classNames, mean, std } = real;
  const others: NamedArrays = {};
  let known: Partial<StoredSet> = {};
  for (const [name, tensor] of Object.entries(beside)) {
    const values = Float32Array.from(tensor.values());
    if (Object.hasOwn(plain, name)) {
      known = { ...known, ...plain[name as keyof typeof plain](values, classNames.length) };
    } else {
      others[name] = { shape: tensor.shape, data: values };
    }
  }
  return {
    images: Float32Array.from(images.values()),
    imageShape,
    labels,
    mean,
    std,
    whitening,
    others,
    ...known,
  };
}

/**
 * Writes a run's result: `images` f32 [n, channels, height, width] as trained on, `labels` i64, where they were learned
 * `soft_labels` f32 [n, classes] and `lr` f32 [1], where images are whitened `zca_mean`, `zca_matrix` and `zca_inverse`,
 * whatever else was learned under its own name, and a card in the metadata that says how to use them.
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
    /** Of the images, where they were learned so. */
    readonly whitening?: Whitening;
  },
): void {
  const { real, machine } = about;
  const { experiment, seed } = run;
  const card = {
    format: "distillery 1",
    space:
      "normalized: (pixel/255 - mean) / std per channel" +
      (about.whitening ? ", then (x - zca_mean) @ zca_matrix on rows of channels × height × width" : ""),
    mean: JSON.stringify(real.mean),
    std: JSON.stringify(real.std),
    classNames: JSON.stringify(real.classNames),
    config: stringify({ ...experiment, seeds: [seed] }),
    network: about.network.name,
    flattenOrder: about.network.flattenOrder,
    trainingImages: String(real.labels.length),
    trainingSha256: sha256(bytes(real.pixels), bytes(real.labels)),
    distillSeconds: about.seconds.toFixed(1),
    peakMegabytes: peakMegabytes().toFixed(0),
    engine: machine.engine,
    distillery: machine.distillery,
    commit: machine.commit,
  };
  writeWhole(fileOf(run, "synthetic"), writeSafetensors(arraysOf(learnedSet(learned, about)), card));
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
    ...setFrom(path, arrays, { mean: numbers("mean"), std: numbers("std") }),
    card: metadata,
  };
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

/** exp(xᵢ) / Σⱼ exp(xⱼ) in each row. */
function softmax(logits: Float32Array, classes: number): Float32Array {
  const result = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += classes) {
    const row = logits.subarray(from, from + classes);
    const most = Math.max(...row);
    const total = row.reduce((sum, value) => sum + Math.exp(value - most), 0);
    row.forEach((value, c) => (result[from + c] = Math.exp(value - most) / total));
  }
  return result;
}
