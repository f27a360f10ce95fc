import { check } from "../../src/core/errors.ts";
import type { Dataset, Pixels } from "../../src/datasets/dataset.ts";

/** Images of a pool that come from one place. */
export interface PoolPart {
  /** Where they are from, as the config says it. */
  readonly path: string;
  readonly pixels: Pixels;
  /** In the order of the real data set's classes, [n]. */
  readonly labels: Int32Array;
  /** The file of each image, where each is one. */
  readonly files?: readonly string[];
  /** What of the set is left behind, in words. */
  readonly left?: string;
}

/** @throws InputError unless a set has the classes of the real data set, in its order. */
export function checkClasses(path: string, classNames: readonly string[], real: Dataset): void {
  check(
    JSON.stringify(classNames) === JSON.stringify(real.classNames),
    () =>
      `${path}: expected the classes of ${real.name}, ${shortened(real.classNames)}, got ${shortened(classNames)}; it is a ` +
      "set of another data set",
  );
}

function shortened(names: readonly string[]): string {
  return names.length <= 10 ? names.join(", ") : `${names.slice(0, 8).join(", ")}, … (${names.length})`;
}
