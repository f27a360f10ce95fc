import { check, InputError, oneOf } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Axes, Pooling, Values } from "./engine.ts";

// Native kernels are called without checks of their own, and some read outside their input when given a wrong shape.

/** A shape as messages show it. */
export function text(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** An axis counted from the front. */
export function axisOf(where: string, axis: number, shape: Shape): number {
  const count = shape.length;
  check(
    Number.isInteger(axis) && axis >= -count && axis < count,
    () => `${where}: expected an axis of ${text(shape)}, got ${axis}`,
  );
  return axis < 0 ? axis + count : axis;
}

/** Axes counted from the front, in ascending order; all where omitted. */
export function axesOf(where: string, axes: Axes | undefined, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, axis) => axis);
  if (typeof axes === "number") return [axisOf(where, axes, shape)];
  const along = axes.map((axis) => axisOf(where, axis, shape));
  check(new Set(along).size === along.length, () => `${where}: expected each axis once, got ${text(axes)}`);
  return along.sort((a, b) => a - b);
}

/** The shape with the given axes at length 1, or without them. */
export function reduced(shape: Shape, axes: readonly number[], keepAxes: boolean): number[] {
  return keepAxes
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** Checks that two shapes broadcast together, as in NumPy. */
export function checkBroadcast(where: string, left: Shape, right: Shape): void {
  const common = Math.min(left.length, right.length);
  for (let i = 1; i <= common; i++) {
    const a = left[left.length - i]!;
    const b = right[right.length - i]!;
    if (a !== b && a !== 1 && b !== 1) {
      throw new InputError(`${where}: expected shapes that broadcast, got ${text(left)} and ${text(right)}`);
    }
  }
}

/** The common shape of two operands, as in NumPy. */
export function broadcastShape(where: string, left: Shape, right: Shape): number[] {
  checkBroadcast(where, left, right);
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [a, b] = [left[axis - rank + left.length] ?? 1, right[axis - rank + right.length] ?? 1];
    return a === 1 ? b : a;
  });
}

/** @param axes their names, for the message. */
export function checkRank(
  where: string,
  { shape }: { readonly shape: Shape },
  rank: number,
  axes: string,
): void {
  check(shape.length === rank, () => `${where}: expected ${axes}, got shape ${text(shape)}`);
}

export function checkReshape(from: Shape, to: Shape): void {
  check(
    to.every((length) => Number.isInteger(length) && length >= 0) && sizeOf(from) === sizeOf(to),
    () => `reshape: expected a shape of ${sizeOf(from)} elements for ${text(from)}, got ${text(to)}`,
  );
}

/** Checks inner lengths, and that leading axes are equal or absent on one side. */
export function checkMatMul(left: Shape, right: Shape): void {
  const [leading, trailing] = [left.slice(0, -2), right.slice(0, -2)];
  const sameBatch =
    leading.length === 0 ||
    trailing.length === 0 ||
    (leading.length === trailing.length && leading.every((length, axis) => length === trailing[axis]));
  check(
    left.length >= 2 && right.length >= 2 && left.at(-1) === right.at(-2) && sameBatch,
    () => `matMul: expected [..., n, k] and [..., k, m], got ${text(left)} and ${text(right)}`,
  );
}

/** Checks images, scale and shift of `Tensor.instanceNormRelu`, and that pooling leaves a pixel. */
export function checkNormRelu(images: Shape, scale: Shape, shift: Shape, pooling: Pooling): void {
  const where = "instanceNormRelu";
  const channels = images[3];
  const fits = [scale, shift].every((shape) => shape.length === 1 && shape[0] === channels);
  check(
    images.length === 4 && fits,
    () =>
      `${where}: expected [n, h, w, c], [c] and [c], got ${text(images)}, ${text(scale)} and ${text(shift)}`,
  );
  const window = oneOf(`${where}.pooling`, windows, pooling);
  check(
    Math.min(images[1]!, images[2]!) >= window,
    () => `${where}: expected images of at least ${window}×${window} pixels, got shape ${text(images)}`,
  );
}

/** Side of the pooling windows. */
const windows: Readonly<Record<Pooling, number>> = { avg: 2, max: 2, none: 1 };

/** Least and largest of some positions; ∞ and −∞ where there are none. */
export type Range = readonly [least: number, largest: number];

export function rangeOf(positions: Values): Range {
  let [least, largest] = [Infinity, -Infinity];
  for (const position of positions) {
    if (position < least) least = position;
    if (position > largest) largest = position;
  }
  return [least, largest];
}

/**
 * Checks the indices of a gather, on the host: at a wrong one, a GPU gives zeros (TensorFlow.js) or refuses all work of
 * the process from then on (libtorch).
 */
export function checkRange([least, largest]: Range, length: number): void {
  const wrong = least < 0 ? least : largest;
  check(
    least >= 0 && largest < length,
    () => `gather: expected indices from 0 to ${length - 1}, got ${wrong}`,
  );
}
