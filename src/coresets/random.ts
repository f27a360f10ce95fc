import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";

/** What to do where a class has fewer real images than are asked for. */
export const scarcityPolicies = ["duplicate", "error"] as const;
/** Name of a policy of `scarcityPolicies`. */
export type Scarcity = (typeof scarcityPolicies)[number];

/**
 * Random real images of each class without replacement, class-major: the baseline of every table, and the usual start of
 * a distillation.
 *
 * @param classes positions of each class's images.
 * @param perClass images to take of each: for mosaics, one for each cell of each.
 * @param scarcity for a class with fewer: `duplicate` goes through it again in the same random order (LTDD's default),
 *   `error` refuses.
 * @returns perClass positions for class 0, then for class 1, …
 * @throws InputError where a class is too small and the policy is `error`.
 */
export function randomCoreset(
  classes: readonly Int32Array[],
  perClass: number,
  scarcity: Scarcity,
  rng: Rng,
): Int32Array {
  const chosen = new Int32Array(classes.length * perClass);
  classes.forEach((members, label) => {
    check(
      scarcity === "duplicate" || members.length >= perClass,
      () =>
        `class ${label}: expected at least ${perClass} real images, one for each synthetic one or for each of its cells, got ${members.length}; ` +
        "lower imagesPerClass, or set scarcity to duplicate",
    );
    const order = rng.stream(`class/${label}`).permutation(members.length);
    for (let i = 0; i < perClass; i++) {
      chosen[label * perClass + i] = members[order[i % members.length]!]!;
    }
  });
  return chosen;
}
