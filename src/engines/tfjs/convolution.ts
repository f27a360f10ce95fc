import { check, wholeNumber } from "../../core/errors.ts";
import type { ConvolutionOptions } from "../engine.ts";
import {
  convolve,
  filterGradientByConvolution,
  filterGradientByKernel,
  type Geometry,
  imageGradientByConvolution,
  imageGradientByKernel,
} from "./convolutionKernels.ts";
import { checkRank, text } from "../shapes.ts";
import type { TfjsTensor } from "./tensor.ts";

export function conv2d(images: TfjsTensor, weights: TfjsTensor, options: ConvolutionOptions): TfjsTensor {
  const [x, filters] = [images.float(), weights.float()];
  const stride = wholeNumber("conv2d.stride", options.stride ?? 1, 1);
  const padding = wholeNumber("conv2d.padding", options.padding ?? 0);
  checkOperands(x, filters, padding);
  // TensorFlow.js keeps filters as [h, w, inputs, outputs].
  const w = filters.transpose([1, 2, 3, 0]);
  const y = correlate(x, w, { stride, padding, images: x.shape, filters: w.shape });
  if (options.bias === undefined) return y;
  const bias = x.engine.own("conv2d.bias", options.bias);
  check(
    bias.shape.length === 1 && bias.shape[0] === filters.shape[0],
    () => `conv2d.bias: expected shape ${text([filters.shape[0]!])}, got ${text(bias.shape)}`,
  );
  return y.add(bias);
}

function checkOperands(x: TfjsTensor, filters: TfjsTensor, padding: number): void {
  checkRank("conv2d", x, 4, "[n, h, w, inputs]");
  checkRank("conv2d", filters, 4, "filters [outputs, h, w, inputs]");
  check(
    x.shape[3] === filters.shape[3],
    () => `conv2d: inputs is both ${x.shape[3]} (images) and ${filters.shape[3]} (filters)`,
  );
  check(
    x.shape[1]! + 2 * padding >= filters.shape[1]! && x.shape[2]! + 2 * padding >= filters.shape[2]!,
    () =>
      `conv2d: filters ${text(filters.shape)} are larger than the images ${text(x.shape)} with padding ${padding}`,
  );
}

// The three bilinear forms of a convolution are each other's derivatives, so they close under differentiation. With
// ⟨correlate(x, w), y⟩ = ⟨x, imageGradient(y, w)⟩ = ⟨w, filterGradient(x, y)⟩, and g the gradient at the output:
//
//     correlate(x, w)          x ← imageGradient(g, w)     w ← filterGradient(x, g)
//     imageGradient(y, w)      y ← correlate(g, w)         w ← filterGradient(g, y)
//     filterGradient(x, y)     x ← imageGradient(y, g)     y ← correlate(x, g)

/** y[n, i, j, o] = Σ x[n, i s + a − p, j s + b − p, c] w[a, b, c, o], over a, b, c. */
function correlate(x: TfjsTensor, w: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { padding: p, stride } = geometry;
  return x.engine.tape.record(
    convolve(x, w, { stride, margins: { before: [p, p], after: [p, p] } }),
    [x, w],
    [(g) => imageGradient(g, w, geometry), (g) => filterGradient(x, g, geometry)],
  );
}

function imageGradient(y: TfjsTensor, w: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { engine } = y;
  const compute = engine.isWasm ? imageGradientByConvolution : imageGradientByKernel;
  return engine.tape.record(
    engine.constant(() => compute(y, w, geometry)),
    [y, w],
    [(g) => correlate(g, w, geometry), (g) => filterGradient(g, y, geometry)],
  );
}

function filterGradient(x: TfjsTensor, y: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { engine } = x;
  const compute = engine.isWasm ? filterGradientByConvolution : filterGradientByKernel;
  return engine.tape.record(
    engine.constant(() => compute(x, y, geometry)),
    [x, y],
    [(g) => imageGradient(y, g, geometry), (g) => correlate(x, g, geometry)],
  );
}
