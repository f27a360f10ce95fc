import { check, InputError, wholeNumber } from "./errors.ts";

/** Sizes of an array's axes, outermost first. */
export type Shape = readonly number[];

/** Height, width and channels of an image. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** Number of elements of an array of this shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * Binds named dimensions to shapes and returns them, so that the line that documents shapes checks them:
 *
 *     const { n, d } = bind("covariance", [features, "n d"], [mean, "d"]);
 *     // → "covariance: d is both 64 and 128"
 *
 * A dimension written as a number must have that length; `_` matches anything.
 *
 * @throws InputError where an array has another number of axes, or a name is bound to two lengths.
 */
export function bind(
  where: string,
  ...arrays: readonly (readonly [{ readonly shape: Shape }, string])[]
): Record<string, number> {
  const bound: Record<string, number> = {};
  for (const [array, names] of arrays) {
    const axes = names.split(" ").filter((name) => name !== "");
    if (axes.length !== array.shape.length) {
      throw new InputError(
        `${where}: expected ${axes.length} axes (${axes.join(", ")}), got shape [${array.shape.join(", ")}]`,
      );
    }
    axes.forEach((name, axis) => {
      const length = array.shape[axis]!;
      if (name === "_") return;
      if (/^\d+$/.test(name)) {
        if (Number(name) !== length) {
          throw new InputError(`${where}: expected length ${name} along axis ${axis}, got ${length}`);
        }
        return;
      }
      const expected = (bound[name] ??= length);
      if (expected !== length) throw new InputError(`${where}: ${name} is both ${expected} and ${length}`);
    });
  }
  return bound;
}

/** Checks that rows stacked group after group are what the counts of the groups say: each ≥ 1, of this sum. */
export function checkCounts(where: string, counts: readonly number[], rows: number): void {
  const total = counts.reduce((sum, count) => sum + wholeNumber(`${where}.counts`, count, 1), 0);
  check(
    counts.length > 0 && total === rows,
    () =>
      `${where}: expected ${rows} rows as the features have, got counts [${counts.join(", ")}] of sum ${total}`,
  );
}
