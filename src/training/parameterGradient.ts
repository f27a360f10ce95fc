import { disposeExcept, isTensor, type Tensor, type ValueAndGradients } from "../engines/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import type { ParameterGradient } from "../losses/gradientDistance.ts";
import { imagesAtOnce, type Mode, type Network, type Parameters } from "../networks/network.ts";

/** Labeled images that a gradient is taken on. */
export interface Batch {
  /** Normalized, [n, h, w, c]. */
  readonly images: Tensor;
  /** Hard ones, n whole numbers; or soft ones, [n, classes]. */
  readonly labels: Int32Array | Tensor;
  /** How batch norm normalizes. Default: by the batch. */
  readonly mode?: Mode;
  /** Is given the logits of the images on the way, chunk after chunk, as constants. */
  readonly onLogits?: (logits: Tensor) => void;
}

/**
 * ∇_θ ℓ(θ; x, y), ℓ the mean cross-entropy, in one pass. Inside `engine.gradients` it is differentiable in θ, images and
 * soft labels.
 */
export function differentiableGradient(network: Network, theta: Parameters, batch: Batch): ParameterGradient {
  return batch.images.engine.gradients(lossOn(network, batch), theta).gradients;
}

/**
 * ℓ(θ; x, y) and ∇_θ ℓ, ℓ the mean cross-entropy, as constants. Any number of images: they go through the network in
 * chunks, whose losses and gradients are added up by their share of the images.
 */
export function lossGradient(network: Network, theta: Parameters, batch: Batch): ValueAndGradients {
  const { engine } = batch.images;
  const chunks = chunksOf(network, batch);
  return engine.noGrad(() => {
    // One chunk has no scope of its own: what it updates of batch norm's statistics lives on.
    if (chunks.length === 1) return engine.gradients(lossOn(network, batch), theta);
    let total: ValueAndGradients | undefined;
    for (const chunk of chunks) {
      const next = engine.scope(() => {
        const part = engine.gradients(lossOn(network, chunk, chunk.share), theta);
        if (total === undefined) return part;
        return {
          value: total.value.add(part.value),
          gradients: accumulated(total.gradients, part.gradients),
        };
      });
      disposeExcept(total, next);
      total = next;
    }
    return total!;
  });
}

/** The gradient alone. */
export function parameterGradient(network: Network, theta: Parameters, batch: Batch): ParameterGradient {
  return batch.images.engine.scope(() => lossGradient(network, theta, batch).gradients);
}

/** The mean cross-entropy on a batch, times the batch's share of a larger one. */
function lossOn(
  network: Network,
  { images, labels, mode, onLogits }: Batch,
  share = 1,
): (...theta: Tensor[]) => Tensor {
  return (...theta) => {
    const logits = network.logits(theta, images, mode);
    onLogits?.(logits.detach());
    const loss = crossEntropy(logits, labels);
    return share === 1 ? loss : loss.mul(share);
  };
}

/** Some of a batch's images, and what share of all they are. */
export interface Chunk extends Batch {
  readonly share: number;
}

/** The batch in parts to take at once; in one part where batch norm ties its images together. */
export function chunksOf(network: Network, batch: Batch): Chunk[] {
  const { images, labels, mode } = batch;
  const n = images.shape[0]!;
  const tied = network.statistics.length > 0 && mode?.use !== "running";
  const size = imagesAtOnce(network);
  if (tied || n <= size) return [{ ...batch, share: 1 }];
  return Array.from({ length: Math.ceil(n / size) }, (_, i) => {
    const begin = i * size;
    const count = Math.min(size, n - begin);
    return { ...batch, ...partOf({ images, labels }, begin, count), share: count / n };
  });
}

/** Sums term by term; `total` is absent where the first one is added. */
export function accumulated(
  total: ParameterGradient | undefined,
  terms: ParameterGradient,
): ParameterGradient {
  return total === undefined ? terms : total.map((part, i) => part.add(terms[i]!));
}

/** ⟨a, b⟩ over all parameters. */
export function dot(a: ParameterGradient, b: ParameterGradient): Tensor {
  return a.map((part, i) => part.mul(b[i]!).sum()).reduce((total, part) => total.add(part));
}

/** Some consecutive images and their labels. */
export function partOf(
  { images, labels }: Pick<Batch, "images" | "labels">,
  begin: number,
  count: number,
): Pick<Batch, "images" | "labels"> {
  return {
    images: rows(images, begin, count),
    labels: isTensor(labels) ? rows(labels, begin, count) : labels.subarray(begin, begin + count),
  };
}

function rows(x: Tensor, begin: number, count: number): Tensor {
  const [, ...rest] = x.shape;
  return x.slice([begin, ...rest.map(() => 0)], [count, ...rest]);
}
