import { check } from "../../core/errors.ts";
import type { Shape } from "../../core/shape.ts";
import type { Axes } from "../engine.ts";
import type { TfjsTensor } from "./tensor.ts";

// Kernels are called without the checks of TensorFlow.js's own functions, and some read outside their input when given
// a wrong shape. The checks are here.

/** [2, 3] as text. */
export const show = (shape: Shape): string => `[${shape.join(", ")}]`;

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((length, axis) => length === b[axis]);

/** One axis, counted from the start. */
export function axisOf(where: string, axis: number, rank: number): number {
  check(
    Number.isInteger(axis) && axis >= -rank && axis < rank,
    () => `${where}: expected an axis from ${-rank} to ${rank - 1}, got ${axis}`,
  );
  return axis < 0 ? axis + rank : axis;
}

/** Axes counted from the start, in ascending order; all where omitted. */
export function axesOf(where: string, axes: Axes | undefined, rank: number): number[] {
  const listed = axes ?? Array.from({ length: rank }, (_, axis) => axis);
  const found = (typeof listed === "number" ? [listed] : listed).map((axis) => axisOf(where, axis, rank));
  check(new Set(found).size === found.length, () => `${where}: expected each axis once, got ${show(found)}`);
  return found.sort((a, b) => a - b);
}

/** The shape with the given axes at length 1, or without them. */
export function reduced(shape: Shape, axes: readonly number[], keepAxes: boolean): number[] {
  return keepAxes
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** The common shape of two operands, as in NumPy. */
export function broadcastShape(where: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    check(
      left === right || left === 1 || right === 1,
      () => `${where}: shapes ${show(a)} and ${show(b)} do not broadcast`,
    );
    return left === 1 ? right : left;
  });
}

export function checkRank(where: string, x: TfjsTensor, rank: number, axes: string): void {
  check(x.shape.length === rank, () => `${where}: expected ${axes}, got shape ${show(x.shape)}`);
}
