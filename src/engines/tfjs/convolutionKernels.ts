import type { Shape } from "../../core/shape.ts";
import type { TfjsTensor } from "./tensor.ts";

/** What a convolution's three forms share. */
export interface Geometry {
  readonly stride: number;
  readonly padding: number;
  /** [n, h, w, inputs]. */
  readonly images: Shape;
  /** [h, w, inputs, outputs]. */
  readonly filters: Shape;
}

/** Rows and columns of zeros to add; where negative, rows and columns to leave out. */
interface Margins {
  readonly before: readonly [rows: number, columns: number];
  readonly after: readonly [rows: number, columns: number];
}

interface Window {
  readonly stride: number;
  /** Distance between the pixels that a filter's neighbors see. Default 1. */
  readonly dilation?: number;
  readonly margins: Margins;
}

/** The forward kernel, not recorded: x [n, h, w, inputs] with filters w [h, w, inputs, outputs]. */
export function convolve(x: TfjsTensor, w: TfjsTensor, window: Window): TfjsTensor {
  const { engine } = x;
  const { stride, dilation = 1, margins } = window;
  const [top, left] = margins.before;
  const [bottom, right] = margins.after;
  const added = (before: number, after: number): number[] => [Math.max(before, 0), Math.max(after, 0)];
  return engine.constant(() =>
    engine.run(
      "Conv2D",
      { x: cropped(x, margins).memory, filter: w.memory },
      {
        strides: [stride, stride],
        dilations: [dilation, dilation],
        pad: [[0, 0], added(top, bottom), added(left, right), [0, 0]],
        dimRoundingMode: "floor",
        dataFormat: "NHWC",
      },
    ),
  );
}

/**
 * The gradient at the images from the one at the output: a convolution of the output's gradient, zeros between its
 * pixels where the stride leaves gaps, by the filters turned by 180°, inputs and outputs exchanged. WebAssembly's own
 * kernel for it takes ten times as long.
 */
export function imageGradientByConvolution(y: TfjsTensor, w: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { stride, padding, images, filters } = geometry;
  const turned = w.engine.run("Reverse", { x: w.memory }, { dims: [0, 1] }).transpose([0, 1, 3, 2]);
  const spread = withGaps(y, stride);
  const before = (axis: number): number => filters[axis]! - 1 - padding;
  const after = (axis: number): number => images[axis + 1]! - spread.shape[axis + 1]! + padding;
  return convolve(spread, turned, {
    stride: 1,
    margins: { before: [before(0), before(1)], after: [after(0), after(1)] },
  });
}

/**
 * The gradient at the filters from the one at the output: a convolution of the images by the output's gradient, with
 * samples in the place of channels, and the stride as dilation. WebAssembly has no kernel of its own for it.
 */
export function filterGradientByConvolution(x: TfjsTensor, y: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { stride, padding: p, filters } = geometry;
  const [h, w, inputs, outputs] = filters as [number, number, number, number];
  const channelsFirst = x.transpose([3, 1, 2, 0]); // [inputs, h, w, n]
  const asFilters = y.transpose([1, 2, 0, 3]); // [h', w', n, outputs]
  const margins: Margins = { before: [p, p], after: [p, p] };
  // Pixels that no window reached give rows and columns too many.
  return convolve(channelsFirst, asFilters, { stride: 1, dilation: stride, margins })
    .slice([0, 0, 0, 0], [inputs, h, w, outputs])
    .transpose([1, 2, 0, 3]);
}

export function imageGradientByKernel(y: TfjsTensor, w: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { stride, padding: p, images } = geometry;
  const [n, height, width, inputs] = images as [number, number, number, number];
  const inputShape = [n, height + 2 * p, width + 2 * p, inputs];
  return y.engine
    .run(
      "Conv2DBackpropInput",
      { dy: y.memory, filter: w.memory },
      { strides: [stride, stride], pad: "valid", dataFormat: "NHWC", inputShape },
    )
    .slice([0, p, p, 0], images);
}

export function filterGradientByKernel(x: TfjsTensor, y: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { stride, padding: p, filters } = geometry;
  // Padded beforehand: TensorFlow's binding takes no margins for this kernel.
  const padded = x.pad([
    [0, 0],
    [p, p],
    [p, p],
    [0, 0],
  ]);
  return x.engine.run(
    "Conv2DBackpropFilter",
    { x: padded.memory, dy: y.memory },
    { strides: [stride, stride], pad: "valid", dataFormat: "NHWC", filterShape: [...filters] },
  );
}

/** [n, h, w, c] with stride − 1 zeros after each row and column. */
function withGaps(y: TfjsTensor, stride: number): TfjsTensor {
  if (stride === 1) return y;
  const [n, h, w, c] = y.shape as [number, number, number, number];
  const gap = [0, stride - 1] as const;
  const none = [0, 0] as const;
  return y
    .reshape([n, h, 1, w, 1, c])
    .pad([none, none, gap, none, gap, none])
    .reshape([n, h * stride, w * stride, c]);
}

function cropped(x: TfjsTensor, { before, after }: Margins): TfjsTensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [top, left] = before.map((margin) => Math.max(-margin, 0)) as [number, number];
  const [bottom, right] = after.map((margin) => Math.max(-margin, 0)) as [number, number];
  if (top + left + bottom + right === 0) return x;
  return x.slice([0, top, left, 0], [n, h - top - bottom, w - left - right, c]);
}
