import { check } from "../../src/core/errors.ts";
import { seeded } from "../../src/core/rng.ts";
import { classIndices, type Dataset } from "../../src/datasets/dataset.ts";
import { MOST_MEASURED, MOST_SHOWN, type MapOptions } from "./options.ts";

/** Real images of a map, as positions in their split, and what each is for. */
export interface ChosenImages {
  /** On the map: class after class. */
  readonly shown: Int32Array;
  /** That sets are measured against, those shown among them. */
  readonly measured: Int32Array;
  /** That stand for as many random ones, class by class, in random order; none of them is measured against. */
  readonly spare: readonly Int32Array[];
}

/** Draws of random real images to compare a set with, at most. */
const DRAWS = 5;

/**
 * Random real images of each class, without replacement: some to show, more to measure against, and others to compare sets
 * with; of small classes half of the images are for the latter.
 *
 * @param most images of a class in any of the sets. @throws InputError where a class has fewer than 2.
 */
export function chosenImages(real: Dataset, { images }: MapOptions, most: number): ChosenImages {
  const classes = classIndices(real);
  const few = classes.findIndex((members) => members.length < 2);
  check(
    few < 0,
    () =>
      `map: ${real.name}, ${images.split}: expected at least 2 real images of each class, got ${classes[few]!.length} of ` +
      `class ${few} (${real.classNames[few]}); take the other split, or a less long tail`,
  );
  const limit = (asked: number, all: number, least: number): number =>
    Math.max(least, Math.min(asked, Math.floor(all / classes.length)));
  const shownEach = limit(images.perClass, MOST_SHOWN, 1);
  const measuredEach = Math.max(shownEach, limit(images.measuredPerClass, MOST_MEASURED, 2));
  const rng = seeded(images.seed).stream("map/real");
  const orders = classes.map((members, label) =>
    rng
      .stream(String(label))
      .permutation(members.length)
      .map((at) => members[at]!),
  );
  const spared = orders.map((order) =>
    Math.min(DRAWS * most, measuredEach, Math.floor(order.length / 2), order.length - 2),
  );
  const others = orders.map((order, label) => order.subarray(0, order.length - spared[label]!));
  const upTo = (count: number): Int32Array =>
    Int32Array.from(others.flatMap((order) => Array.from(order.subarray(0, count))));
  return {
    shown: upTo(shownEach),
    measured: upTo(measuredEach),
    spare: orders.map((order, label) => order.subarray(order.length - spared[label]!)),
  };
}

/**
 * Positions of as many images of each class as a set has, once for each draw that the spare ones are enough for in every class,
 * at most five.
 *
 * @param counts images of each class in the set.
 */
export function randomDraws(spare: readonly Int32Array[], counts: readonly number[]): Int32Array[] {
  const possible = counts.map((count, label) =>
    count === 0 ? DRAWS : Math.floor(spare[label]!.length / count),
  );
  const draws = Math.min(DRAWS, ...possible);
  return Array.from({ length: draws }, (_, draw) =>
    Int32Array.from(
      counts.flatMap((count, label) => Array.from(spare[label]!.subarray(draw * count, (draw + 1) * count))),
    ),
  );
}

/** Positions of the synthetic images that are shown, in the set's order: of classes with more than asked for, random ones. */
export function shownOf(dataset: Dataset, { images }: MapOptions): Int32Array {
  const rng = seeded(images.seed).stream("map/synthetic");
  const chosen = classIndices(dataset).flatMap((members, label) => {
    const order = rng.stream(String(label)).permutation(members.length);
    return Array.from(order.subarray(0, images.syntheticPerClass), (at) => members[at]!);
  });
  return Int32Array.from(chosen).sort();
}
