import { check, InputError, oneOf, shown, wholeNumber } from "../core/errors.ts";
import { bind, checkCounts, type Shape, sizeOf } from "../core/shape.ts";
import type { ConvolutionOptions, DType, InstanceNormReluOptions, Pooling, Values } from "./engine.ts";
import { checkList, checkObject, checkSize, integersOf, numberOf, shapeOf, text } from "./given.ts";
import { axisOf, broadcastShape, checkRank, reduced, sameShape } from "./shapes.ts";

// What the operations of the interface ask of their arguments, for all engines.

/** A tensor as far as rules ask. */
export interface Described {
  readonly shape: Shape;
  readonly dtype: DType;
}

export function reshapedShape(from: Shape, to: Shape): Shape {
  const shape = shapeOf("reshape", to);
  check(
    sizeOf(from) === sizeOf(shape),
    () => `reshape: expected a shape of ${sizeOf(from)} elements for ${text(from)}, got ${text(shape)}`,
  );
  return shape;
}

/** @returns the order, counted from the front. */
export function axisOrder(shape: Shape, order: readonly number[] | undefined): number[] {
  if (order === undefined) return shape.map((_, axis) => shape.length - 1 - axis);
  const axes = integersOf("transpose", order).map((axis) => axisOf("transpose", axis, shape));
  check(
    axes.length === shape.length && new Set(axes).size === axes.length,
    () => `transpose: expected every axis of ${text(shape)} once, got order ${shown(order)}`,
  );
  return axes;
}

export function broadcastTarget(from: Shape, to: Shape): Shape {
  const shape = shapeOf("broadcastTo", to);
  const fits = shape.length >= from.length && sameShape(broadcastShape("broadcastTo", from, shape), shape);
  check(fits, () => `broadcastTo: expected a shape that ${text(from)} broadcasts to, got ${text(shape)}`);
  return shape;
}

export function sliceBounds(shape: Shape, begin: Shape, size: Shape): { begin: number[]; size: number[] } {
  const [first, lengths] = [integersOf("slice", begin), integersOf("slice", size)];
  const inside = shape.every(
    (length, axis) => first[axis]! >= 0 && lengths[axis]! >= 0 && first[axis]! + lengths[axis]! <= length,
  );
  check(
    first.length === shape.length && lengths.length === shape.length && inside,
    () => `slice: expected a part of ${text(shape)}, got begin ${shown(begin)}, size ${shown(size)}`,
  );
  return { begin: first, size: lengths };
}

export type Margins = readonly (readonly [before: number, after: number])[];

export function padMargins(shape: Shape, margins: Margins): [number, number][] {
  checkList("pad", margins);
  const pairs = Array.from(margins, (pair) => integersOf("pad", pair));
  check(
    pairs.length === shape.length &&
      pairs.every((pair) => pair.length === 2 && pair.every((margin) => margin >= 0)),
    () => `pad: expected two margins >= 0 for every axis of ${text(shape)}, got ${shown(margins)}`,
  );
  const padded = shape.map((length, axis) => length + pairs[axis]![0]! + pairs[axis]![1]!);
  checkSize("pad", padded);
  return pairs as [number, number][];
}

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
 * Checks the indices on the host: at a wrong one, a GPU gives zeros (TensorFlow.js) or refuses all work of the process
 * from then on (libtorch).
 *
 * @param range of the positions, asked for only where they are known to be indices.
 * @returns the axis, counted from the front.
 */
export function gatherAxis(x: Described, indices: Described, axis: number, range: () => Range): number {
  const along = axisOf("gather", axis, x.shape);
  check(
    indices.dtype === "int32" && indices.shape.length === 1,
    () => `gather: expected int32 indices of shape [count], got ${indices.dtype} ${text(indices.shape)}`,
  );
  const count = x.shape[along]!;
  const [least, largest] = range();
  check(
    least >= 0 && largest < count,
    () => `gather: expected indices from 0 to ${count - 1}, got ${least < 0 ? least : largest}`,
  );
  checkSize(
    "gather",
    x.shape.map((length, i) => (i === along ? indices.shape[0]! : length)),
  );
  return along;
}

/** @returns the axis, counted from the front. */
export function concatAxis(parts: readonly Described[], axis: number): number {
  const first = parts[0];
  check(first !== undefined, () => "concat: expected at least one tensor, got none");
  const along = axisOf("concat", axis, first.shape);
  const others = reduced(first.shape, [along], true);
  for (const { shape, dtype } of parts) {
    check(
      sameShape(reduced(shape, [along], true), others) && dtype === first.dtype,
      () =>
        `concat: expected ${first.dtype} shapes equal to ${text(first.shape)} except along axis ${along}, ` +
        `got ${dtype} ${text(shape)}`,
    );
  }
  const total = parts.reduce((sum, { shape }) => sum + shape[along]!, 0);
  checkSize(
    "concat",
    first.shape.map((length, i) => (i === along ? total : length)),
  );
  return along;
}

/** Checks inner lengths, and that leading axes are equal or absent on one side. */
export function productShape(left: Shape, right: Shape): Shape {
  const [leading, trailing] = [left.slice(0, -2), right.slice(0, -2)];
  const sameBatch = leading.length === 0 || trailing.length === 0 || sameShape(leading, trailing);
  check(
    left.length >= 2 && right.length >= 2 && left.at(-1) === right.at(-2) && sameBatch,
    () => `matMul: expected [..., n, k] and [..., k, m], got ${text(left)} and ${text(right)}`,
  );
  const shape = [...(leading.length > 0 ? leading : trailing), left.at(-2)!, right.at(-1)!];
  checkSize("matMul", shape);
  return shape;
}

export interface Geometry {
  readonly stride: number;
  readonly padding: number;
  /** Of the result. */
  readonly shape: Shape;
}

/** @returns stride and padding with their defaults; a stride beyond the padded images, as one that just leaves them. */
export function convolutionGeometry(
  where: string,
  images: Shape,
  filters: Shape,
  options: ConvolutionOptions,
): Geometry {
  const [n, h, w, inputs] = images as [number, number, number, number];
  const [outputs, fh, fw] = filters as [number, number, number];
  check(
    images.length === 4 && filters.length === 4 && inputs === filters[3] && sizeOf(filters) > 0 && h * w > 0,
    () =>
      `${where}: expected [n, h, w, inputs] and [outputs, fh, fw, inputs], of which n alone may be 0, ` +
      `got ${text(images)} and ${text(filters)}`,
  );
  const { bias, stride = 1, padding = 0 } = options;
  check(
    bias === undefined || sameShape(bias.shape, [outputs]),
    () => `${where}.bias: expected shape ${text([outputs])}, got ${text(bias!.shape)}`,
  );
  wholeNumber(`${where}.stride`, stride, 1);
  wholeNumber(`${where}.padding`, padding);
  const [high, wide] = [h + 2 * padding, w + 2 * padding];
  check(
    high >= fh && wide >= fw,
    () =>
      `${where}: filters ${text(filters)} are larger than the images ${text(images)} with padding ${padding}`,
  );
  const places = (length: number, window: number): number => Math.floor((length - window) / stride) + 1;
  const shape = [n, places(high, fh), places(wide, fw), outputs];
  checkSize(where, [n, high, wide, inputs]);
  checkSize(where, shape);
  return { stride: Math.min(stride, Math.max(high, wide)), padding, shape };
}

/** Checks images and window of `Tensor.avgPool` and `Tensor.maxPool`. */
export function checkWindows(where: string, images: Shape, size: number): void {
  checkRank(where, images, 4, "[n, h, w, c]");
  wholeNumber(`${where}.size`, size, 1);
  check(
    Math.min(images[1]!, images[2]!) >= size && images[3]! > 0,
    () => `${where}: expected images of at least ${size}×${size} pixels, got shape ${text(images)}`,
  );
}

/** Side of the pooling windows. */
const windows: Readonly<Record<Pooling, number>> = { avg: 2, max: 2, none: 1 };

/** Checks images, [scale, shift] and options of `Tensor.instanceNormRelu`, and that pooling leaves a pixel. */
export function checkNormRelu(
  where: string,
  images: Shape,
  parameters: readonly Shape[],
  options: InstanceNormReluOptions,
): void {
  const channels = images[3];
  const fits = parameters.every((shape) => shape.length === 1 && shape[0] === channels);
  check(
    images.length === 4 && fits && channels !== 0,
    () => `${where}: expected [n, h, w, c], [c] and [c], got ${[images, ...parameters].map(text).join(", ")}`,
  );
  checkObject(where, options);
  const epsilon = numberOf(`${where}.epsilon`, options.epsilon);
  check(
    epsilon >= 0 && epsilon < Infinity,
    () => `${where}.epsilon: expected a finite number >= 0, got ${epsilon}`,
  );
  const window = oneOf(`${where}.pooling`, windows, options.pooling);
  check(
    Math.min(images[1]!, images[2]!) >= window,
    () => `${where}: expected images of at least ${window}×${window} pixels, got shape ${text(images)}`,
  );
}

/** Checks that there is an element to take the largest of. */
export function checkNotEmpty(where: string, shape: Shape, axes: readonly number[]): void {
  if (axes.every((axis) => shape[axis]! > 0)) return;
  throw new InputError(`${where}: expected elements along the reduced axes, got shape ${text(shape)}`);
}

/** Checks features, frequencies and counts of `Tensor.characteristic`. */
export function characteristicCounts(features: Described, frequencies: Described, counts: Shape): number[] {
  const where = "characteristic";
  const { n } = bind(where, [features, "n d"], [frequencies, "f d"]);
  const groups = integersOf(`${where}.counts`, counts);
  checkCounts(where, groups, n!);
  return groups;
}
