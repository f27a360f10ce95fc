import type { Shape } from "../../core/shape.ts";
import { axisOrder, broadcastTarget, concatAxis, gatherAxis, padMargins } from "../operations.ts";
import { type Margins, rangeOf, reshapedShape, sliceBounds } from "../operations.ts";
import { sameShape } from "../shapes.ts";
import type { TfjsEngine } from "./index.ts";
import type { TfjsTensor } from "./tensor.ts";

export function reshape(x: TfjsTensor, to: Shape): TfjsTensor {
  const y = x.engine.run("Reshape", { x: x.memory }, { shape: reshapedShape(x.shape, to) });
  return x.engine.tape.record(y, [x], [(g) => g.reshape(x.shape)]);
}

export function transpose(x: TfjsTensor, order?: readonly number[]): TfjsTensor {
  const perm = axisOrder(x.shape, order);
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  const result = { shape: perm.map((axis) => x.shape[axis]!), dtype: x.dtype };
  const y = x.engine.unlessEmpty(result, [x], () => x.engine.run("Transpose", { x: x.memory }, { perm }));
  return x.engine.tape.record(y, [x], [(g) => g.transpose(inverse)]);
}

/** Broadcasting and summing over the broadcast axes are each other's adjoints. */
export function broadcastTo(x: TfjsTensor, to: Shape): TfjsTensor {
  const shape = broadcastTarget(x.shape, to);
  // Times ones, because the Tile kernel takes 80 times as long in WebAssembly.
  const y = x.engine.constant(() => {
    const ones = x.engine.run("Fill", {}, { shape, value: 1, dtype: x.dtype });
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

/** Cutting out and padding with zeros are each other's adjoints. The kernels leave the result of a scalar unwritten. */
export function slice(x: TfjsTensor, from: Shape, lengths: Shape): TfjsTensor {
  const { begin, size } = sliceBounds(x.shape, from, lengths);
  if (sameShape(size, x.shape)) return x.alias();
  const margins = x.shape.map((length, axis) => {
    const before = begin[axis]!;
    return [before, length - before - size[axis]!] as const;
  });
  const y = x.engine.unlessEmpty({ shape: size, dtype: x.dtype }, [x], () =>
    x.engine.run("Slice", { x: x.memory }, { begin, size }),
  );
  return x.engine.tape.record(y, [x], [(g) => g.pad(margins)]);
}

export function pad(x: TfjsTensor, margins: Margins): TfjsTensor {
  const paddings = padMargins(x.shape, margins);
  const shape = x.shape.map((length, axis) => length + paddings[axis]![0] + paddings[axis]![1]);
  if (sameShape(shape, x.shape)) return x.alias();
  const before = paddings.map((margin) => margin[0]);
  const y = x.engine.unlessEmpty({ shape, dtype: x.dtype }, [x], () =>
    x.engine.run("PadV2", { x: x.memory }, { paddings, constantValue: 0 }),
  );
  return x.engine.tape.record(y, [x], [(g) => g.slice(before, x.shape)]);
}

export function concat(engine: TfjsEngine, parts: readonly TfjsTensor[], along: number): TfjsTensor {
  const axis = concatAxis(parts, along);
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
  const axis = gatherAxis(x, indices, along, () => rangeOf(indices.values()));
  const length = x.shape[axis]!;
  const shape = x.shape.map((size, i) => (i === axis ? indices.shape[0]! : size));
  const y = x.engine.unlessEmpty({ shape, dtype: x.dtype }, [x], () =>
    x.engine.run("GatherV2", { x: x.memory, indices: indices.memory }, { axis, batchDims: 0 }),
  );
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
  const shape = [length, ...rows.shape.slice(1)];
  const y = engine.unlessEmpty({ shape, dtype: rows.dtype }, [rows], () =>
    engine.constant(() => {
      const positions = indices.reshape([...indices.shape, 1]);
      return engine.run("ScatterNd", { indices: positions.memory, updates: rows.memory }, { shape });
    }),
  );
  return engine.tape.record(y, [rows, indices], [(g) => g.gather(indices), unreachable]);
}

/** Indices are constants: nothing asks for their gradient. */
function unreachable(): never {
  throw new Error("internal: gradient of indices");
}
