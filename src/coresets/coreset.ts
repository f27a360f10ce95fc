import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { classIndices, type Dataset } from "../datasets/dataset.ts";
import type { Preparation, Source } from "../objectives/objective.ts";

/** What to do where a class has fewer images than are asked for. */
export const scarcityPolicies = ["duplicate", "error"] as const;
/** Name of a policy of `scarcityPolicies`: go through the class again in the same order, or refuse. */
export type Scarcity = (typeof scarcityPolicies)[number];

/** How many images to choose. */
export interface Asked {
  /** Images of each class: of mosaics, one for each cell of each. */
  readonly perClass: number;
  /** For a class with fewer. */
  readonly scarcity: Scarcity;
}

/** Images that were chosen. */
export interface CoresetSelection {
  /** Positions in the candidates: `perClass` of class 0, then of class 1, … */
  readonly positions: Int32Array;
  /** How they were chosen, as plain data that is worth keeping with the images. */
  readonly record?: Readonly<Record<string, unknown>>;
}

/** A way to choose some images of each class. */
export interface Coreset {
  /** What must be made before: networks that are trained on the real images, scores. */
  readonly preparations?: readonly Preparation[];
  /**
   * Chooses among `candidatesOf(source)`.
   *
   * @throws InputError where a class is too small and the policy is `error`.
   */
  choose(source: Source, asked: Asked, rng: Rng): CoresetSelection;
}

/** Images that can be chosen. */
export interface Candidates {
  /** All of them. */
  readonly dataset: Dataset;
  /** Positions of each class's images in it. */
  readonly classes: readonly Int32Array[];
}

/** The images of the run's pool, or the real ones where it has none. */
export function candidatesOf({ pool, real, classes }: Source): Candidates {
  return pool ? { dataset: pool, classes: classIndices(pool) } : { dataset: real, classes };
}

/** The first images of an order of a class; of a class with fewer the same again, where the policy allows. */
export function firstOf(order: ArrayLike<number>, label: number, { perClass, scarcity }: Asked): Int32Array {
  check(
    order.length > 0 && (scarcity === "duplicate" || order.length >= perClass),
    () =>
      `class ${label}: expected at least ${scarcity === "error" ? perClass : 1} images to choose from, one for each synthetic ` +
      `one or for each of its cells, got ${order.length}; lower imagesPerClass` +
      (order.length > 0 ? ", or set scarcity to duplicate" : ", or bring images of every class"),
  );
  return Int32Array.from({ length: perClass }, (_, i) => order[i % order.length]!);
}

/**
 * A selection that is made class by class, each from dice of its own.
 *
 * @param ordered positions of a class's candidates, those to take first in front; as many as are asked for, or all.
 */
export function eachClassIn(
  source: Source,
  asked: Asked,
  ordered: (members: Int32Array, label: number) => ArrayLike<number>,
): Int32Array {
  const { classes } = candidatesOf(source);
  const chosen = new Int32Array(classes.length * asked.perClass);
  classes.forEach((members, label) => {
    chosen.set(firstOf(ordered(members, label), label, asked), label * asked.perClass);
  });
  return chosen;
}
