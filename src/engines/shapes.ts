import { check, InputError, shown } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { Axes } from "./engine.ts";
import { checkSize, integersOf, text } from "./given.ts";

// Native kernels are called without checks of their own, and some read outside their input when given a wrong shape.

export { text } from "./given.ts";

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** An axis counted from the front. */
export function axisOf(where: string, axis: number, shape: Shape): number {
  const count = shape.length;
  check(
    Number.isInteger(axis) && axis >= -count && axis < count,
    () => `${where}: expected an axis of ${text(shape)}, got ${shown(axis)}`,
  );
  return axis < 0 ? axis + count : axis;
}

/** Axes counted from the front, in ascending order; all where omitted. */
export function axesOf(where: string, axes: Axes | undefined, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, axis) => axis);
  if (!Array.isArray(axes)) return [axisOf(where, axes as number, shape)];
  const along = integersOf(where, axes).map((axis) => axisOf(where, axis, shape));
  check(new Set(along).size === along.length, () => `${where}: expected each axis once, got ${shown(axes)}`);
  return along.sort((a, b) => a - b);
}

/** The shape with the given axes at length 1, or without them. */
export function reduced(shape: Shape, axes: readonly number[], keepAxes: boolean): number[] {
  return keepAxes
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** The common shape of two operands, as in NumPy. */
export function broadcastShape(where: string, left: Shape, right: Shape): Shape {
  if (sameShape(left, right)) return left;
  const rank = Math.max(left.length, right.length);
  const shape = Array.from({ length: rank }, (_, axis) => {
    const [a, b] = [left[axis - rank + left.length] ?? 1, right[axis - rank + right.length] ?? 1];
    if (a !== b && a !== 1 && b !== 1) {
      throw new InputError(`${where}: expected shapes that broadcast, got ${text(left)} and ${text(right)}`);
    }
    return a === 1 ? b : a;
  });
  checkSize(where, shape);
  return shape;
}

/** @param axes their names, for the message. */
export function checkRank(where: string, shape: Shape, rank: number, axes: string): void {
  check(shape.length === rank, () => `${where}: expected ${axes}, got shape ${text(shape)}`);
}
