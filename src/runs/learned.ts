import type { Dataset } from "../datasets/dataset.ts";
import type { Partition } from "../datasets/partition.ts";
import type { NamedArrays } from "../formats/array.ts";
import type { Learned } from "../objectives/objective.ts";
import type { StoredSet } from "./storedSet.ts";

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

/** What a set is learned from and by, as far as it says so itself. */
export interface LearnedFrom {
  readonly real: Dataset;
  readonly labels: Int32Array;
  readonly partition?: Partition | undefined;
}

/** The synthetic set that a method has learned. */
export function learnedSet(
  { images, ...beside }: Learned,
  { real, labels, partition }: LearnedFrom,
): StoredSet {
  const { imageShape, classNames, mean, std, whitening } = real;
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
    partition,
    labels,
    mean,
    std,
    whitening,
    others,
    ...known,
  };
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
