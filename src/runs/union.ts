import { check } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import { decodedSet, type StoredSet } from "./storedSet.ts";

/** A synthetic set of some classes of a data set, as one step of class-incremental learning leaves it. */
export interface Memory {
  /** Its labels count its own classes: 0, 1, … */
  readonly set: StoredSet;
  /** Labels of these classes in the data set, the first of class 0: those that `classSubset` was given. */
  readonly labels: readonly number[];
}

/**
 * The union of synthetic sets of different classes as a set of the whole data set's labels, to train a network on all classes
 * so far: class after class in label order, of mosaics their cells. Soft labels get a column for every class, with 0 for those
 * that their set does not know. A learning rate that was learned with each set is one for all in the union: the geometric mean,
 * as rates are factors; no published protocol says which.
 *
 * @param memories one or more, of one method and one data set.
 * @param classes of the whole data set.
 * @throws InputError for whitened sets, each of which has a space of its own, for sets that are not normalized alike, and for
 *   labels that do not fit.
 */
export function unionOf(memories: readonly Memory[], classes: number): StoredSet {
  check(memories.length > 0, () => "unionOf: expected at least one memory, got none");
  const sets = memories.map((memory) => widened(memory, classes));
  const [first] = sets as [StoredSet];
  for (const set of sets) checkAlike(first, set);
  const labels = Int32Array.from(sets.flatMap((set) => Array.from(set.labels)));
  const order = Array.from(labels.keys()).sort((a, b) => labels[a]! - labels[b]! || a - b);
  const joined = (key: "images" | "softLabels", width: number): Float32Array =>
    inOrder(
      sets.map((set) => set[key]!),
      order,
      width,
    );
  return {
    mean: first.mean,
    std: first.std,
    imageShape: first.imageShape,
    images: joined("images", sizeOf(first.imageShape)),
    labels: Int32Array.from(order, (i) => labels[i]!),
    softLabels: first.softLabels && joined("softLabels", classes),
    learningRate: rateOf(sets),
    others: {},
  };
}

/** Decoded, with the labels of the whole data set. */
function widened({ set, labels }: Memory, classes: number): StoredSet {
  const decoded = decodedSet(set);
  const { softLabels, whitening } = decoded;
  check(
    whitening === undefined,
    () =>
      "unionOf: expected images normalized by channel, got whitened ones; each step has a whitening of its own, and no network " +
      "can be tested in several spaces: distil without zca",
  );
  const outside = [...labels, ...decoded.labels.map((label) => labels[label] ?? -1)].find(
    (label) => !Number.isInteger(label) || label < 0 || label >= classes,
  );
  check(
    outside === undefined && new Set(labels).size === labels.length,
    () =>
      `unionOf: expected a label below ${classes} for every class of a memory, each once, got [${labels.join(", ")}] ` +
      `for labels up to ${decoded.labels.reduce((a, b) => Math.max(a, b), 0)}`,
  );
  const n = decoded.labels.length;
  check(
    softLabels === undefined || softLabels.length === n * labels.length,
    () =>
      `unionOf: expected soft labels of ${labels.length} columns, one for each class of the memory, got ${softLabels!.length / n}`,
  );
  const soft = softLabels && new Float32Array(n * classes);
  softLabels?.forEach((weight, at) => {
    const row = Math.floor(at / labels.length);
    soft![row * classes + labels[at % labels.length]!] = weight;
  });
  return { ...decoded, labels: decoded.labels.map((label) => labels[label]!), softLabels: soft };
}

function checkAlike(one: StoredSet, other: StoredSet): void {
  const told = ({ imageShape, mean, std, softLabels, learningRate }: StoredSet): string =>
    `images of ${imageShape.join("×")} by mean ${mean.join(" ")} and std ${std.join(" ")}, ` +
    `${softLabels ? "soft" : "hard"} labels, ${learningRate === undefined ? "no" : "a"} learning rate`;
  check(
    told(one) === told(other),
    () => `unionOf: expected memories of one kind, got ${told(one)} and ${told(other)}`,
  );
}

/** Rows of `width` values of all arrays, at these places of one after another. */
function inOrder(arrays: readonly Float32Array[], order: readonly number[], width: number): Float32Array {
  const rows = arrays.flatMap((array) =>
    Array.from({ length: array.length / width }, (_, i) => array.subarray(i * width, (i + 1) * width)),
  );
  const result = new Float32Array(order.length * width);
  order.forEach((from, to) => result.set(rows[from]!, to * width));
  return result;
}

function rateOf(sets: readonly StoredSet[]): number | undefined {
  const rates = sets.flatMap(({ learningRate }) => learningRate ?? []);
  if (rates.length === 0) return undefined;
  if (rates.length === 1) return rates[0];
  return Math.exp(rates.reduce((sum, rate) => sum + Math.log(rate), 0) / rates.length);
}
