import type { Tensor } from "../engines/index.ts";

/** A convolution that images pass. */
export interface ProbedConvolution {
  /** Which layer it is. */
  readonly kind: "convolution";
  /** [n, h, w, inputs]. */
  readonly input: Tensor;
  /** Filters [outputs, fh, fw, inputs], and a bias [outputs] where it has one. */
  readonly parameters: readonly [filters: Tensor, bias?: Tensor];
  /** Step between windows, the same along both axes. */
  readonly stride: number;
  /** Zeros added on every side. */
  readonly padding: number;
}

/** Scale and shift of a norm that images pass. */
export interface ProbedAffine {
  /** Which layer it is. */
  readonly kind: "affine";
  /** Normalized feature map, [n, h, w, c]. */
  readonly input: Tensor;
  /** Both [c], or [h, w, c]. */
  readonly parameters: readonly [scale: Tensor, shift: Tensor];
}

/** A linear layer that images pass. */
export interface ProbedLinear {
  /** Which layer it is. */
  readonly kind: "linear";
  /** [n, inputs]. */
  readonly input: Tensor;
  /** Weight [outputs, inputs] and bias [outputs]. */
  readonly parameters: readonly [weight: Tensor, bias: Tensor];
}

/** A layer with parameters, which are the tensors that the network was given, and what images bring to it. */
export type ProbedLayer = ProbedConvolution | ProbedAffine | ProbedLinear;

/**
 * Sees every layer with parameters as images pass it, in order, and its result before the nonlinearity. Returns the result
 * to go on with, of the same shape: added to it, a zero that gradients are taken in has the layer's signal as its gradient.
 */
export type Probe = (layer: ProbedLayer, result: Tensor) => Tensor;

/** What shows a network's layers, where anything does: a `Mode`. */
export interface Probed {
  /** Called at every layer. */
  readonly probe?: Probe;
}

/** What a convolution has beside its filters. */
export interface ConvolutionLayer {
  /** [outputs]. */
  readonly bias?: Tensor | undefined;
  /** Default 1. */
  readonly stride?: number;
  /** Default 0. */
  readonly padding?: number;
}

/** Convolution of x [n, h, w, inputs] with filters [outputs, fh, fw, inputs]. */
export function convolution(x: Tensor, filters: Tensor, layer: ConvolutionLayer, { probe }: Probed): Tensor {
  const { bias, stride = 1, padding = 0 } = layer;
  const result = x.conv2d(filters, { ...(bias && { bias }), stride, padding });
  const parameters = bias ? ([filters, bias] as const) : ([filters] as const);
  return probe ? probe({ kind: "convolution", input: x, parameters, stride, padding }, result) : result;
}

/** scale · x + shift, of a normalized feature map x [n, h, w, c]. */
export function affine(x: Tensor, scale: Tensor, shift: Tensor, { probe }: Probed): Tensor {
  const result = x.mul(scale).add(shift);
  return probe ? probe({ kind: "affine", input: x, parameters: [scale, shift] }, result) : result;
}

/** x Wᵀ + b, of x [n, inputs] and W [outputs, inputs]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor, { probe }: Probed): Tensor {
  const result = x.matMul(weight.transpose()).add(bias);
  return probe ? probe({ kind: "linear", input: x, parameters: [weight, bias] }, result) : result;
}
