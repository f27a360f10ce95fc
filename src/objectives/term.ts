import { z } from "zod";
import type { Rng } from "../core/rng.ts";
import type { Tensor, Tree } from "../engines/index.ts";
import { column } from "../losses/segments.ts";
import type { MatchingNetworks } from "./networkSources/index.ts";
import type { Preparation, Source } from "./objective.ts";

/** Rows of some classes, class after class: embeddings, or images. */
export interface ClassRows {
  /** [Σ counts, …]. */
  readonly values: Tensor;
  /** Labels of the classes, ascending. */
  readonly classes: readonly number[];
  /** Rows of each of them, ≥ 1. */
  readonly counts: readonly number[];
}

/** Embeddings of images of some classes, [Σ counts, d]. */
export type ClassFeatures = ClassRows;

/** Synthetic images of some classes: their embeddings, and themselves. */
export interface SyntheticClasses extends ClassFeatures {
  /** What was embedded, augmented, [Σ counts, h, w, c], for terms that look by a network of their own. */
  readonly images: Tensor;
}

/** What a term compares the synthetic embeddings with, all of it constant in a step. */
export interface Comparison {
  /** Scalar: the sum over the classes that are given, which may be any; differentiable in embeddings and images. */
  loss(synthetic: SyntheticClasses): Tensor;
  /** The term's state after the step, given all classes' images as they are then. Absent: it stays as it is. */
  after?(synthetic: SyntheticClasses): Tree;
  /** Quantities worth a column in the log, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** Statistics of the real features that are taken in chunk by chunk, so that a step need not hold all features. */
export interface Fold<S = unknown> {
  /** Statistics of no features. */
  readonly start: S;
  /**
   * The statistics with a chunk's features taken in. A class may come in several chunks, and a chunk may have several
   * classes. A tree of tensors; of what is made here, only what is returned lives on.
   */
  add(statistics: S, features: ClassFeatures): S;
  /** Called once, with the statistics of all real features of the step. */
  comparison(statistics: S): Comparison;
}

/** What a term knows of a step's real images before it takes in their features. */
export interface RealImages {
  /** Where they were drawn from. */
  readonly source: Source;
  /** Images of each class. */
  readonly counts: readonly number[];
  /** Features of the images that the term picked, in its order, [picked, d]; of a term that picks none, none. */
  readonly picked: Tensor | undefined;
  /** The step's networks. */
  readonly networks: MatchingNetworks;
  /** The term's own state; null of a term without. */
  readonly state: Tree;
}

/**
 * A weighted loss between the embeddings of real and synthetic images. All dice are rolled in `pick` and `prepare`, which
 * get the same stream and tell their dice apart by name.
 */
export interface Term {
  /** Factor of the loss. */
  readonly weight: number;
  /** What must be there before the first step. */
  readonly preparations?: readonly Preparation[];
  /** The term's own state before the first step, for terms that learn something beside the images. Absent: it has none. */
  begin?(source: Source, rng: Rng): Tree;
  /**
   * Positions, among the step's `count` real images class after class, of those whose features `prepare` shall see. They
   * are embedded first, once, and taken in like all others. Absent: none.
   */
  pick?(count: number, rng: Rng): Int32Array;
  /** How its statistics of the real features are taken in; rolls its dice. */
  prepare(real: RealImages, rng: Rng): Fold;
}

/** The option that all terms have. */
export const termWeight = z.number().min(0).default(1).describe("Factor λ of the term; 0 leaves it out");

/** The fold of terms that do not look at real features. */
export function withoutReal(comparison: Comparison): Fold<null> {
  return { start: null, add: () => null, comparison: () => comparison };
}

/** The rows of each class by itself. */
export function eachClass({ values, classes, counts }: ClassRows): { label: number; values: Tensor }[] {
  const [, ...rest] = values.shape;
  const origin = rest.map(() => 0);
  let begin = 0;
  return classes.map((label, i) => {
    const count = counts[i]!;
    begin += count;
    return { label, values: values.slice([begin - count, ...origin], [count, ...rest]) };
  });
}

/**
 * The fold of statistics that are means over each class, such as a mean embedding or a characteristic function:
 *
 *     M_c = Σ_chunks (rows of c in the chunk)/n_c · (mean over them)
 *
 * It holds these means, [classes, …], and no features.
 *
 * @param counts n_c, of all classes.
 * @param meansOf means over the rows of each class of a chunk, by name, [classes of the chunk, …].
 */
export function foldedMeans<M extends Readonly<Record<keyof M, Tensor>>>(
  counts: readonly number[],
  meansOf: (features: ClassFeatures) => M,
  comparison: (means: M) => Comparison,
): Fold<M | undefined> {
  return {
    start: undefined,
    add(before, features) {
      const folded = Object.entries<Tensor>(meansOf(features)).map(([name, means]) => {
        const shared = inRowsOf(features, means, counts);
        return [name, before ? before[name as keyof M].add(shared) : shared];
      });
      return Object.fromEntries(folded) as M;
    },
    comparison: (means) => comparison(means!),
  };
}

/** Means of a chunk's classes, each times the chunk's share of its class, in the rows of all classes; 0 in the others. */
function inRowsOf(chunk: ClassFeatures, means: Tensor, totals: readonly number[]): Tensor {
  const { engine } = means;
  const { classes, counts } = chunk;
  const [, ...rest] = means.shape;
  const shares = classes.map((label, i) => counts[i]! / totals[label]!);
  const rows = new Int32Array(totals.length).fill(classes.length); // that of zeros
  classes.forEach((label, i) => (rows[label] = i));
  const withZeros = engine.concat([means.mul(column(means, shares)), engine.fill([1, ...rest], 0)]);
  return withZeros.gather(engine.indices(rows));
}

/** Rows of some classes out of statistics of all. */
export function rowsOf(statistics: Tensor, classes: readonly number[]): Tensor {
  return statistics.gather(statistics.engine.indices(classes));
}

/**
 * The fold of terms that need all features of a class together, such as a Gram matrix: it keeps them. Its memory grows
 * with the real images of a step.
 *
 * @param comparison is given the features of one class at a time, [n_c, d].
 */
export function keptFeatures(
  comparison: (real: (label: number) => Tensor) => Comparison,
): Fold<Readonly<Record<number, readonly Tensor[]>>> {
  return {
    start: {},
    add(kept, features) {
      const all: Record<number, readonly Tensor[]> = { ...kept };
      for (const { label, values } of eachClass(features)) all[label] = [...(kept[label] ?? []), values];
      return all;
    },
    comparison: (kept) =>
      comparison((label) => {
        const parts = kept[label]!;
        return parts[0]!.engine.concat(parts);
      }),
  };
}
