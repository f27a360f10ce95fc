import type { Dataset } from "../../src/datasets/dataset.ts";
import {
  type ClassGeometry,
  classGeometry,
  type LabeledPoints,
  meanGeometry,
} from "../../src/evaluation/maps/index.ts";
import { type ChosenImages, randomDraws } from "./images.ts";
import type { MapSubject } from "./record.ts";

/** Real images, and what turns images of a data set into points. */
export interface RealSide {
  readonly real: Dataset;
  readonly chosen: ChosenImages;
  readonly embed: (dataset: Dataset, positions: ArrayLike<number>) => LabeledPoints;
}

/** What is found of one set. */
type Measured = Pick<MapSubject, "geometry" | "random">;

/**
 * How the classes of each set lie beside the real ones, and the same of as many random real images.
 *
 * @param sets all images of each set. @param counts of each class, set by set.
 */
export function measuredSets(
  sets: readonly LabeledPoints[],
  counts: readonly (readonly number[])[],
  { real, chosen, embed }: RealSide,
): Measured[] {
  const geometryOf = classGeometry(embed(real, chosen.measured), real.classNames.length);
  const known = new Map<string, Measured["random"]>(); // sets of equal sizes have one
  return sets.map((set, i) => {
    const key = counts[i]!.join();
    if (!known.has(key)) {
      const draws = randomDraws(chosen.spare, counts[i]!);
      const geometries = draws.map((positions): ClassGeometry => geometryOf(embed(real, positions)));
      const isThere = geometries.length > 0;
      known.set(key, isThere ? { draws: geometries.length, geometry: meanGeometry(geometries) } : null);
    }
    return { geometry: geometryOf(set), random: known.get(key)! };
  });
}
