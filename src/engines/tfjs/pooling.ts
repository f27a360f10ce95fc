import type { Shape } from "../../core/shape.ts";
import { checkWindows } from "../operations.ts";
import { step } from "./elementwise.ts";
import type { TfjsTensor } from "./tensor.ts";

/** Averaging over windows and spreading over them are each other's adjoints. */
export function avgPool(images: TfjsTensor, size: number): TfjsTensor {
  const x = images.float();
  checkWindows("avgPool", x.shape, size);
  const y = pooled("AvgPool", x, size);
  return x.engine.tape.record(y, [x], [(g) => spread(g, size, x.shape)]);
}

/** The gradient goes to the first maximum of each window: d max = Σ mask dx. */
export function maxPool(images: TfjsTensor, size: number): TfjsTensor {
  const x = images.float();
  checkWindows("maxPool", x.shape, size);
  const y = pooled("MaxPool", x, size);
  return x.engine.tape.record(
    y,
    [x],
    [(g) => spread(g, size, x.shape).mul(firstMaxima(x, size).mul(size * size))],
  );
}

/** Each pixel of y divided evenly over its window; zeros where the images `shape` end in part of a window. */
function spread(y: TfjsTensor, size: number, shape: Shape): TfjsTensor {
  const { engine } = y;
  const x = engine.constant(() => repeated(y.mul(1 / (size * size)), size, shape));
  return engine.tape.record(x, [y], [(g) => g.avgPool(size)]);
}

function repeated(y: TfjsTensor, size: number, shape: Shape): TfjsTensor {
  const [n, h, w, c] = y.shape as [number, number, number, number];
  const none = [0, 0] as const;
  return y
    .reshape([n, h, 1, w, 1, c])
    .broadcastTo([n, h, size, w, size, c])
    .reshape([n, h * size, w * size, c])
    .pad([none, [0, shape[1]! - h * size], [0, shape[2]! - w * size], none]);
}

/**
 * 1 at the first maximum of each window, else 0; a constant, arbitrary outside the windows. Backends differ in which of
 * several equal maxima their own gradient chooses. Here each maximum is ranked by its place, the first one highest, and
 * the highest rank of the window is kept.
 */
function firstMaxima(x: TfjsTensor, size: number): TfjsTensor {
  const { engine, shape } = x;
  const [, h, w] = shape as [number, number, number, number];
  return engine.constant(() => {
    const places = Array.from({ length: h * w }, (_, pixel) => {
      const place = (Math.floor(pixel / w) % size) * size + ((pixel % w) % size);
      return size * size - place;
    });
    const ranks = reaches(x, size).mul(engine.tensor([h, w, 1], places));
    return reaches(ranks, size);
  });
}

/** 1 where a pixel is not below its window's maximum, else 0. */
function reaches(x: TfjsTensor, size: number): TfjsTensor {
  const top = pooled("MaxPool", x, size);
  return step(repeated(top, size, x.shape).sub(x))
    .neg()
    .add(1);
}

/**
 * The pooling kernels, not recorded. In WebAssembly they take NaN for −∞, which the next relu would make an innocent 0;
 * adding 0 · y makes it NaN again, and ∞ with it.
 */
function pooled(kernel: "AvgPool" | "MaxPool", x: TfjsTensor, size: number): TfjsTensor {
  const { engine } = x;
  return engine.constant(() => {
    const sizes = { filterSize: [size, size], strides: [size, size] };
    const y = engine.run(kernel, { x: x.memory }, { ...sizes, pad: "valid", dimRoundingMode: "floor" });
    return engine.isWasm ? y.add(y.mul(0)) : y;
  });
}
