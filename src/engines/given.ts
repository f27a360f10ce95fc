import { totalmem } from "node:os";
import { check, InputError, oneOf, shown } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { DType, Engine, Precision, Values } from "./engine.ts";
import { isTensor } from "./tree.ts";

// Types are gone when the program runs, and a cast gets past them: what is given is looked at before native code sees it.
// Lists are copied, so that they stay as they were when looked at.

/** Most axes of a tensor: TensorFlow.js has no kernels for more. */
const mostAxes = 6;
/** Longest axis: native code counts positions along it in int32. */
const longestAxis = 2 ** 31 - 1;
/** Most elements of a tensor: as many float32 as fill this machine's memory, which systems that overcommit promise away. */
const mostElements = Math.min(totalmem() / 4, 2 ** 40);

/** A shape as messages show it. */
export function text(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Checks that a tensor of this shape can exist. */
export function checkSize(where: string, shape: Shape): void {
  // An axis of length 0 counts as 1, because the steps between elements are products of the other lengths all the same.
  const size = shape.reduce((product, length) => product * Math.max(length, 1), 1);
  check(
    shape.length <= mostAxes && size <= mostElements && shape.every((length) => length <= longestAxis),
    () =>
      `${where}: expected at most ${mostAxes} axes, each at most ${longestAxis} long, and elements that fit this ` +
      `machine's memory, got shape ${shown(shape)}`,
  );
}

/** A list of whole numbers, of either sign. */
export function integersOf(where: string, list: readonly number[]): number[] {
  const copy: unknown[] = Array.isArray(list) ? Array.from(list) : [NaN];
  check(
    copy.every(Number.isSafeInteger),
    () => `${where}: expected a list of whole numbers, got ${shown(list)}`,
  );
  return copy as number[];
}

/** A list of whole numbers that a tensor can have as its shape. */
export function shapeOf(where: string, shape: Shape): number[] {
  const copy = integersOf(where, shape);
  check(
    copy.every((length) => length >= 0),
    () => `${where}: expected whole lengths >= 0, got shape ${shown(shape)}`,
  );
  checkSize(where, copy);
  return copy;
}

/** A number, which may be infinite or NaN. */
export function numberOf(where: string, value: number): number {
  check(typeof value === "number", () => `${where}: expected a number, got ${shown(value)}`);
  return value;
}

export function flagOf(where: string, value: boolean): boolean {
  check(typeof value === "boolean", () => `${where}: expected true or false, got ${shown(value)}`);
  return value;
}

/** Where a value comes from that is no tensor of an engine. */
export function originOf(value: unknown): string {
  if (!isTensor(value)) return shown(value);
  const name: unknown = (value.engine as Engine | undefined)?.name;
  return `one of another engine, ${typeof name === "string" ? name : shown(name)}`;
}

export function checkFunction(where: string, f: unknown): void {
  check(typeof f === "function", () => `${where}: expected a function, got ${shown(f)}`);
}

/** Checks what has named members, such as options. */
export function checkObject(where: string, value: unknown): void {
  check(
    typeof value === "object" && value !== null,
    () => `${where}: expected an object, got ${shown(value)}`,
  );
}

export function checkList(where: string, value: unknown): void {
  check(Array.isArray(value), () => `${where}: expected a list, got ${shown(value)}`);
}

export function checkPrecision(precision: Precision): void {
  oneOf("noGrad.precision", { full: true, bf16: true }, precision);
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array };
/** Tags of typed arrays, by which they are known in any realm, whose every number is one of the type. */
const exactly: Readonly<Record<DType, RegExp>> = {
  float32: /^(Float|Int|Uint)\d+(Clamped)?Array$/,
  float64: /^(Float|Int|Uint)\d+(Clamped)?Array$/,
  int32: /^(Int8|Uint8|Uint8Clamped|Int16|Uint16|Int32)Array$/,
};

/**
 * The numbers as a typed array: the same array where its type fits, otherwise a new one.
 *
 * @param shape of the tensor that they are to fill, where there is one already.
 */
export function numbersOf(where: string, values: ArrayLike<number>, type: DType, shape?: Shape): Values {
  const list = typeof values === "object" && values !== null && Number.isSafeInteger(values.length);
  check(list, () => `${where}: expected a list of numbers, got ${shown(values)}`);
  const { length } = values;
  check(
    shape === undefined || length === sizeOf(shape),
    () => `${where}: expected ${sizeOf(shape!)} values for shape ${text(shape!)}, got ${length}`,
  );
  const tag = ArrayBuffer.isView(values) ? String(values[Symbol.toStringTag as never]) : "";
  if (tag === arrays[type].name) return values as Values;
  const copy = allocated(where, type, length);
  if (exactly[type].test(tag)) copy.set(values);
  else for (let i = 0; i < length; i++) copy[i] = entryOf(where, values, i, type);
  return copy;
}

function entryOf(where: string, values: ArrayLike<number>, i: number, type: DType): number {
  const value: unknown = values[i];
  const fits = typeof value === "number" && (type !== "int32" || (value | 0) === value);
  if (fits) return value;
  const expected = type === "int32" ? "whole numbers of 32 bits" : "numbers";
  throw new InputError(`${where}: expected ${expected}, got ${shown(value)} at position ${i}`);
}

/** A new array on the host. */
export function allocated(where: string, type: DType, length: number): Values {
  try {
    return new arrays[type](length);
  } catch {
    throw new InputError(
      `${where}: expected an array that fits this machine's memory, got one of ${length} numbers`,
    );
  }
}
