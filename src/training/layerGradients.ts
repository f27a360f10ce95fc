import { sizeOf } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import type { ProbedAffine, ProbedConvolution, ProbedLayer, ProbedLinear } from "../networks/probe.ts";

// Each function takes a layer as images passed it and the signal δ, the gradient of Σᵢ ℓᵢ in the layer's result, whose part
// i is sample i's own where samples do not interact. It gives the squared norm of every sample's gradient in each of the
// layer's parameters, [n] each, without forming those gradients for more than one window position at a time.

/** Squared norms in the parameters of any layer, in their order. */
export function squaredNorms(layer: ProbedLayer, signal: Tensor): Tensor[] {
  if (layer.kind === "convolution") return convolutionNorms(layer, signal);
  return layer.kind === "affine" ? affineNorms(layer, signal) : linearNorms(layer, signal);
}

/** Most elements that the norms of one sample take beside the layer's input and signal. */
export function workspace(layer: ProbedLayer, signal: Tensor): number {
  if (layer.kind !== "convolution") return sizeOf(layer.input.shape.slice(1));
  const [filters] = layer.parameters;
  const positions = positionsOf(signal).shape[1]!;
  const [, fh, fw, inputs] = filters.shape as [number, number, number, number];
  const windows = positions * fh * fw * inputs;
  return windows + (prefersGhost(layer, signal) ? 3 * positions ** 2 : 2 * filters.shape[0]! * inputs);
}

/** ‖δᵢ aᵢᵀ‖² = ‖δᵢ‖² ‖aᵢ‖² for the weight, ‖δᵢ‖² for the bias. */
function linearNorms({ input }: ProbedLinear, signal: Tensor): Tensor[] {
  const bias = squaredLength(signal);
  return [bias.mul(squaredLength(input)), bias];
}

/** ‖Σ_p δ_p ⊙ x̂_p‖² and ‖Σ_p δ_p‖², p over the axes that scale and shift are constant along. */
function affineNorms({ input, parameters: [scale] }: ProbedAffine, signal: Tensor): Tensor[] {
  const shared = input.shape.map((_, axis) => axis).slice(1, input.shape.length - scale.shape.length);
  return [signal.mul(input), signal].map((terms) => squaredLength(terms.sum(shared)));
}

function convolutionNorms(layer: ProbedConvolution, signal: Tensor): Tensor[] {
  const weight = (prefersGhost(layer, signal) ? ghostNorm : directNorm)(layer, signal);
  return layer.parameters[1] ? [weight, squaredLength(signal.sum([1, 2]))] : [weight];
}

/** Whether two Gram matrices of positions are smaller than a gradient of the filters. */
function prefersGhost({ parameters: [filters] }: ProbedConvolution, signal: Tensor): boolean {
  const [, h, w] = signal.shape as [number, number, number, number];
  return 2 * (h * w) ** 2 < sizeOf(filters.shape);
}

/** ‖Σ_p δ_p u_pᵀ‖², u_p the window of the input at position p, with the gradient itself as the result of one product. */
export function directNorm(layer: ProbedConvolution, signal: Tensor): Tensor {
  const transposed = positionsOf(signal).transpose([0, 2, 1]); // [n, outputs, positions]
  return total(windowsOf(layer, signal).map((window) => squaredLength(transposed.matMul(window))));
}

/**
 * The same as Σ_pq ⟨u_p, u_q⟩ ⟨δ_p, δ_q⟩, with products of positions alone: for small maps with many channels. Windows at
 * stride 1 share their inner products: with A the Gram matrix of the padded input's positions, ⟨u_p, u_q⟩ = Σ_t A(p+t, q+t)
 * over the taps t, first the rows of the filter, then its columns.
 */
export function ghostNorm(layer: ProbedConvolution, signal: Tensor): Tensor {
  const windows = layer.stride === 1 ? sharedGram(layer, signal) : tappedGram(layer, signal);
  return windows.mul(gram(positionsOf(signal))).sum([1, 2]);
}

/** ⟨x_p, x_q⟩ of [n, positions, channels]. */
const gram = (x: Tensor): Tensor => x.matMul(x.transpose([0, 2, 1]));

const total = (terms: readonly Tensor[]): Tensor => terms.reduce((sum, term) => sum.add(term));

/** ⟨u_p, u_q⟩ by products of the windows, tap by tap. */
function tappedGram(layer: ProbedConvolution, signal: Tensor): Tensor {
  return total(windowsOf(layer, signal).map(gram));
}

/** ⟨u_p, u_q⟩ at stride 1, by sums along the diagonals of the positions' Gram matrix. */
function sharedGram(layer: ProbedConvolution, signal: Tensor): Tensor {
  const [n, h, w] = signal.shape as [number, number, number, number];
  const [, fh, fw] = layer.parameters[0].shape as [number, number, number, number];
  const padded = paddedFor(layer, signal);
  const [height, width] = [h + fh - 1, w + fw - 1];
  const positions = gram(positionsOf(padded.slice([0, 0, 0, 0], [n, height, width, padded.shape[3]!])));
  const all = positions.reshape([n, height, width, height, width]);
  const rows = total(steps(fh).map((t) => all.slice([0, t, 0, t, 0], [n, h, width, h, width])));
  const both = total(steps(fw).map((t) => rows.slice([0, 0, t, 0, t], [n, h, w, h, w])));
  return both.reshape([n, h * w, h * w]);
}

const steps = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A feature map as [n, positions, channels]. */
function positionsOf(x: Tensor): Tensor {
  const [n, h, w, channels] = x.shape as [number, number, number, number];
  return x.reshape([n, h * w, channels]);
}

/** Products of fewer columns than this are slow: windows of few channels are joined. */
const fewColumns = 64;

/**
 * What each filter tap meets at the positions of the result, [n, positions, inputs] each, or several side by side where
 * there are few inputs: together the columns of the unfolded input.
 */
function windowsOf(layer: ProbedConvolution, result: Tensor): Tensor[] {
  const [, fh, fw, inputs] = layer.parameters[0].shape as [number, number, number, number];
  const padded = paddedFor(layer, result);
  const taps: Tensor[] = [];
  for (let row = 0; row < fh; row++) {
    for (let column = 0; column < fw; column++) taps.push(tapOf(padded, [row, column], layer.stride, result));
  }
  const together = Math.max(1, Math.floor(fewColumns / inputs));
  if (together === 1) return taps;
  return Array.from({ length: Math.ceil(taps.length / together) }, (_, i) =>
    result.engine.concat(taps.slice(i * together, (i + 1) * together), 2),
  );
}

/** The input with its padding, and as many zeros below and right as `stride` windows of every tap need. */
function paddedFor(
  { input, padding, stride, parameters: [filters] }: ProbedConvolution,
  result: Tensor,
): Tensor {
  const margins = [1, 2].map((axis): [number, number] => {
    const needed = filters.shape[axis]! - 1 + result.shape[axis]! * stride;
    return [padding, Math.max(padding, needed - input.shape[axis]! - padding)];
  });
  return input.pad([[0, 0], ...margins, [0, 0]]);
}

/** The input at one tap of every window, [n, positions, inputs]: every `stride`-th row and column from that tap on. */
function tapOf(
  padded: Tensor,
  [row, column]: readonly [number, number],
  stride: number,
  result: Tensor,
): Tensor {
  const [n, h, w] = result.shape as [number, number, number];
  const inputs = padded.shape[3]!;
  const tap = padded.slice([0, row, column, 0], [n, h * stride, w * stride, inputs]);
  if (stride === 1) return tap.reshape([n, h * w, inputs]);
  return tap
    .reshape([n, h, stride, w, stride, inputs])
    .slice([0, 0, 0, 0, 0, 0], [n, h, 1, w, 1, inputs])
    .reshape([n, h * w, inputs]);
}

/** Sum of squares of each sample, [n]. */
function squaredLength(x: Tensor): Tensor {
  return x.square().sum(x.shape.map((_, axis) => axis).slice(1));
}
