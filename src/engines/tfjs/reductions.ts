import { type Shape, sizeOf } from "../../core/shape.ts";
import type { Axes } from "../engine.ts";
import { broadcastTo, sumTo } from "./layout.ts";
import { flagOf } from "../given.ts";
import { checkNotEmpty, productShape } from "../operations.ts";
import { axesOf, axisOf, reduced } from "../shapes.ts";
import type { TfjsTensor } from "./tensor.ts";

export function sum(input: TfjsTensor, axes: Axes | undefined, keepAxes: boolean): TfjsTensor {
  const x = input.float();
  const over = axesOf("sum", axes, x.shape);
  flagOf("sum", keepAxes);
  const kept = reduced(x.shape, over, true);
  const shape = reduced(x.shape, over, keepAxes);
  const y = x.engine.unlessEmpty({ shape, dtype: "float32" }, [x], () =>
    x.engine.constant(() => total(x, over).reshape(shape)),
  );
  return x.engine.tape.record(y, [x], [(g) => broadcastTo(g.reshape(kept), x.shape)]);
}

export function mean(x: TfjsTensor, axes: Axes | undefined, keepAxes: boolean): TfjsTensor {
  const over = axesOf("mean", axes, x.shape);
  flagOf("mean", keepAxes);
  const count = over.reduce((product, axis) => product * x.shape[axis]!, 1);
  return sum(x, over, keepAxes).div(count);
}

/** A constant. */
export function max(x: TfjsTensor, axes: Axes | undefined, keepAxes: boolean): TfjsTensor {
  const over = axesOf("max", axes, x.shape);
  flagOf("max", keepAxes);
  checkNotEmpty("max", x.shape, over);
  const result = { shape: reduced(x.shape, over, keepAxes), dtype: "float32" } as const;
  return x.engine.unlessEmpty(result, [x], () =>
    x.engine.run("Max", { x: x.float().memory }, { reductionIndices: over, keepDims: keepAxes }),
  );
}

export function argmax(x: TfjsTensor, axis: number): TfjsTensor {
  const along = axisOf("argmax", axis, x.shape);
  checkNotEmpty("argmax", x.shape, [along]);
  const result = { shape: reduced(x.shape, [along], false), dtype: "int32" } as const;
  return x.engine.unlessEmpty(result, [x], () => x.engine.run("ArgMax", { x: x.memory }, { axis: along }));
}

/** z − log Σ exp z with z = x − max x; the maximum cancels, so it needs no derivative. */
export function logSoftmax(x: TfjsTensor): TfjsTensor {
  axisOf("logSoftmax", -1, x.shape);
  if (sizeOf(x.shape) === 0) return x.float().alias();
  const z = x.sub(x.max(-1, true));
  return z.sub(z.exp().sum(-1, true).log());
}

/** d(AB) = dA B + A dB. */
export function matMul(left: TfjsTensor, right: TfjsTensor): TfjsTensor {
  const [a, b] = [left.float(), right.float()];
  const shape = productShape(a.shape, b.shape);
  const rows = a.shape.slice(0, -1);
  // One large product in place of a batch of small ones with the same right side.
  if (a.shape.length > 2 && b.shape.length === 2) {
    const flat = a.reshape([sizeOf(rows), a.shape.at(-1)!]);
    return matMul(flat, b).reshape([...rows, b.shape[1]!]);
  }
  const y = a.engine.unlessEmpty({ shape, dtype: "float32" }, [a, b], () =>
    a.engine.run("BatchMatMul", { a: a.memory, b: b.memory }, { transposeA: false, transposeB: false }),
  );
  return a.engine.tape.record(
    y,
    [a, b],
    [(g) => sumTo(g.matMul(swapped(b)), a.shape), (g) => sumTo(swapped(a).matMul(g), b.shape)],
  );
}

/** The last two axes exchanged. The kernel's own transposition takes 75 times as long in WebAssembly. */
function swapped(x: TfjsTensor): TfjsTensor {
  const order = [...x.shape.keys()];
  return x.transpose([...order.slice(0, -2), order.at(-1)!, order.at(-2)!]);
}

/** Sum over axes, in any shape of the right size. */
function total(x: TfjsTensor, axes: readonly number[]): TfjsTensor {
  const { engine } = x;
  const block = engine.isWasm ? asBlock(x.shape, axes) : undefined;
  if (block === undefined || block.inner === 1) {
    return engine.run("Sum", { x: x.memory }, { axis: [...axes], keepDims: false });
  }
  // In WebAssembly the Sum kernel transposes first, unless it sums over the last axes. An average over a whole image
  // does not, and times a power of two it is the sum exactly; but it takes NaN for −∞. A product with ones is always
  // right, and no slower than the Sum kernel.
  const { outer, count, inner } = block;
  if (Number.isInteger(Math.log2(count))) {
    const image = x.reshape([outer, count, 1, inner]);
    const window = { filterSize: [count, 1], strides: [1, 1], pad: "valid", dimRoundingMode: "floor" };
    const average = engine.run("AvgPool", { x: image.memory }, window);
    if (!average.values().includes(-Infinity)) return average.mul(count);
  }
  return engine.fill([outer, 1, count], 1).matMul(x.reshape([outer, count, inner]));
}

/** The shape as [outer, count, inner] where the summed axes stand together, else undefined. */
function asBlock(
  shape: Shape,
  axes: readonly number[],
): { outer: number; count: number; inner: number } | undefined {
  const first = axes[0];
  const last = axes.at(-1);
  if (first === undefined || last === undefined || last - first + 1 !== axes.length) return undefined;
  return {
    outer: sizeOf(shape.slice(0, first)),
    count: sizeOf(shape.slice(first, last + 1)),
    inner: sizeOf(shape.slice(last + 1)),
  };
}
