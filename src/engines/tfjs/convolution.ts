import type { ConvolutionOptions, Tensor } from "../engine.ts";
import { checkObject } from "../given.ts";
import { convolutionGeometry } from "../operations.ts";
import {
  convolve,
  filterGradientByConvolution,
  filterGradientByKernel,
  type Geometry,
  imageGradientByConvolution,
  imageGradientByKernel,
} from "./convolutionKernels.ts";
import type { TfjsTensor } from "./tensor.ts";

/** See `Tensor.conv2d`. */
export function conv2d(
  where: string,
  images: TfjsTensor,
  given: Tensor,
  options: ConvolutionOptions,
): TfjsTensor {
  const { engine } = images;
  const [x, filters] = [images.float(), engine.own(where, given).float()];
  checkObject(where, options);
  const bias = options.bias === undefined ? undefined : engine.own(`${where}.bias`, options.bias);
  const { stride, padding } = convolutionGeometry(where, x.shape, filters.shape, options);
  // TensorFlow.js keeps filters as [h, w, inputs, outputs].
  const w = filters.transpose([1, 2, 3, 0]);
  const y = correlate(x, w, { stride, padding, images: x.shape, filters: w.shape });
  return bias === undefined ? y : y.add(bias);
}

// The three bilinear forms of a convolution are each other's derivatives, so they close under differentiation. With
// ⟨correlate(x, w), y⟩ = ⟨x, imageGradient(y, w)⟩ = ⟨w, filterGradient(x, y)⟩, and g the gradient at the output:
//
//     correlate(x, w)          x ← imageGradient(g, w)     w ← filterGradient(x, g)
//     imageGradient(y, w)      y ← correlate(g, w)         w ← filterGradient(g, y)
//     filterGradient(x, y)     x ← imageGradient(y, g)     y ← correlate(x, g)

/** y[n, i, j, o] = Σ x[n, i s + a − p, j s + b − p, c] w[a, b, c, o], over a, b, c. */
function correlate(x: TfjsTensor, w: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { padding: p, stride, images, filters } = geometry;
  const places = (axis: 0 | 1): number =>
    Math.floor((images[axis + 1]! + 2 * p - filters[axis]!) / stride) + 1;
  const shape = [images[0]!, places(0), places(1), filters[3]!];
  return x.engine.tape.record(
    x.engine.unlessEmpty({ shape, dtype: "float32" }, [x, w], () =>
      convolve(x, w, { stride, margins: { before: [p, p], after: [p, p] } }),
    ),
    [x, w],
    [(g) => imageGradient(g, w, geometry), (g) => filterGradient(x, g, geometry)],
  );
}

function imageGradient(y: TfjsTensor, w: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { engine } = y;
  const compute = engine.isWasm ? imageGradientByConvolution : imageGradientByKernel;
  return engine.tape.record(
    engine.unlessEmpty({ shape: geometry.images, dtype: "float32" }, [y, w], () =>
      engine.constant(() => compute(y, w, geometry)),
    ),
    [y, w],
    [(g) => correlate(g, w, geometry), (g) => filterGradient(g, y, geometry)],
  );
}

function filterGradient(x: TfjsTensor, y: TfjsTensor, geometry: Geometry): TfjsTensor {
  const { engine } = x;
  const compute = engine.isWasm ? filterGradientByConvolution : filterGradientByKernel;
  return engine.tape.record(
    engine.unlessEmpty({ shape: geometry.filters, dtype: "float32" }, [x, y], () =>
      engine.constant(() => compute(x, y, geometry)),
    ),
    [x, y],
    [(g) => imageGradient(y, g, geometry), (g) => correlate(x, g, geometry)],
  );
}
