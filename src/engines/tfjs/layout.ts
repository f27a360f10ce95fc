import { check } from "../../core/errors.ts";
import type { Shape } from "../../core/shape.ts";
import { axisOf, broadcastShape, checkRange, checkRank, checkReshape } from "../shapes.ts";
import { rangeOf, reduced, sameShape, text } from "../shapes.ts";
import type { TfjsEngine } from "./index.ts";
import type { TfjsTensor } from "./tensor.ts";

export function reshape(x: TfjsTensor, shape: Shape): TfjsTensor {
  checkReshape(x.shape, shape);
  const y = x.engine.run("Reshape", { x: x.memory }, { shape: [...shape] });
  return x.engine.tape.record(y, [x], [(g) => g.reshape(x.shape)]);
}

export function transpose(x: TfjsTensor, order?: readonly number[]): TfjsTensor {
  const rank = x.shape.length;
  const perm = order === undefined ? [...x.shape.keys()].reverse() : [...order];
  check(
    perm.length === rank && [...perm].sort((a, b) => a - b).every((axis, i) => axis === i),
    () => `transpose: expected each axis of ${text(x.shape)} once, got ${text(perm)}`,
  );
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  const y = x.engine.run("Transpose", { x: x.memory }, { perm });
  return x.engine.tape.record(y, [x], [(g) => g.transpose(inverse)]);
}

/** Broadcasting and summing over the broadcast axes are each other's adjoints. */
export function broadcastTo(x: TfjsTensor, shape: Shape): TfjsTensor {
  const common = broadcastShape("broadcastTo", x.shape, shape);
  check(
    sameShape(common, shape),
    () => `broadcastTo: expected a shape that ${text(x.shape)} broadcasts to, got ${text(shape)}`,
  );
  // Times ones, because the Tile kernel takes 80 times as long in WebAssembly.
  const y = x.engine.constant(() => {
    const ones = x.engine.run("Fill", {}, { shape: [...shape], value: 1, dtype: x.dtype });
    return x.engine.run("Multiply", { a: ones.memory, b: x.memory });
  });
  return x.engine.tape.record(y, [x], [(g) => sumTo(g, x.shape)]);
}

/** Sums over the axes along which `shape` was broadcast to the shape of `x`. */
export function sumTo(x: TfjsTensor, shape: Shape): TfjsTensor {
  if (sameShape(x.shape, shape)) return x;
  const extra = x.shape.length - shape.length;
  const axes = [...x.shape.keys()].filter(
    (axis) => axis < extra || (shape[axis - extra] === 1 && x.shape[axis] !== 1),
  );
  return x.sum(axes, true).reshape(shape);
}

/** Cutting out and padding with zeros are each other's adjoints. */
export function slice(x: TfjsTensor, begin: Shape, size: Shape): TfjsTensor {
  const inside = x.shape.every(
    (length, axis) => begin[axis]! >= 0 && size[axis]! >= 0 && begin[axis]! + size[axis]! <= length,
  );
  check(
    begin.length === x.shape.length && size.length === x.shape.length && inside,
    () => `slice: expected a block inside ${text(x.shape)}, got begin ${text(begin)}, size ${text(size)}`,
  );
  const margins = x.shape.map((length, axis) => {
    const before = begin[axis]!;
    return [before, length - before - size[axis]!] as const;
  });
  const y = x.engine.run("Slice", { x: x.memory }, { begin: [...begin], size: [...size] });
  return x.engine.tape.record(y, [x], [(g) => g.pad(margins)]);
}

export function pad(
  x: TfjsTensor,
  margins: readonly (readonly [before: number, after: number])[],
): TfjsTensor {
  check(
    margins.length === x.shape.length &&
      margins.flat().every((margin) => Number.isInteger(margin) && margin >= 0),
    () => `pad: expected ${x.shape.length} pairs of margins >= 0, got ${JSON.stringify(margins)}`,
  );
  const before = margins.map((margin) => margin[0]);
  const y = x.engine.run(
    "PadV2",
    { x: x.memory },
    { paddings: margins.map((pair) => [...pair]), constantValue: 0 },
  );
  return x.engine.tape.record(y, [x], [(g) => g.slice(before, x.shape)]);
}

export function concat(engine: TfjsEngine, parts: readonly TfjsTensor[], along: number): TfjsTensor {
  check(parts.length > 0, () => "concat: expected at least one tensor, got none");
  const first = parts[0]!;
  const axis = axisOf("concat", along, first.shape);
  const others = reduced(first.shape, [axis], true);
  for (const { shape, dtype } of parts) {
    check(
      sameShape(reduced(shape, [axis], true), others) && dtype === first.dtype,
      () =>
        `concat: expected ${first.dtype} of shape ${text(first.shape)} except along axis ${axis}, got ${dtype} of ${text(shape)}`,
    );
  }
  const y = engine.run(
    "Concat",
    parts.map((part) => part.memory),
    { axis },
  );
  let end = 0;
  const rules = parts.map(({ shape }) => {
    const begin = shape.map((_, i) => (i === axis ? end : 0));
    end += shape[axis]!;
    return (g: TfjsTensor) => g.slice(begin, shape);
  });
  return engine.tape.record(y, parts, rules);
}

/** Reading and adding at positions are each other's adjoints; what repeats is added up. */
export function gather(x: TfjsTensor, indices: TfjsTensor, along: number): TfjsTensor {
  const axis = axisOf("gather", along, x.shape);
  const length = x.shape[axis]!;
  checkIndices(indices, length);
  const y = x.engine.run("GatherV2", { x: x.memory, indices: indices.memory }, { axis, batchDims: 0 });
  // The axis and the first one change places: their exchange is its own inverse.
  const exchange = [...x.shape.keys()].map((i) => (i === 0 ? axis : i === axis ? 0 : i));
  const rule = (g: TfjsTensor): TfjsTensor =>
    axis === 0
      ? addAt(g, indices, length)
      : addAt(g.transpose(exchange), indices, length).transpose(exchange);
  return x.engine.tape.record(y, [x, indices], [rule, unreachable]);
}

/** [length, ...] with row i of `rows` added at row indices[i]. */
function addAt(rows: TfjsTensor, indices: TfjsTensor, length: number): TfjsTensor {
  const { engine } = rows;
  const y = engine.constant(() => {
    const positions = indices.reshape([...indices.shape, 1]);
    const shape = [length, ...rows.shape.slice(1)];
    return engine.run("ScatterNd", { indices: positions.memory, updates: rows.memory }, { shape });
  });
  return engine.tape.record(y, [rows, indices], [(g) => g.gather(indices), unreachable]);
}

function checkIndices(indices: TfjsTensor, length: number): void {
  checkRank("gather", indices, 1, "a vector of indices");
  check(indices.dtype === "int32", () => `gather: expected int32 indices, got ${indices.dtype}`);
  checkRange(rangeOf(indices.values()), length);
}

/** Indices are constants: nothing asks for their gradient. */
function unreachable(): never {
  throw new Error("internal: gradient of indices");
}
