import { isTensor, type Tensor } from "../engines/index.ts";
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
}

/**
 * ∇_θ ℓ(θ; x, y), ℓ the mean cross-entropy, in one pass. Inside `engine.gradients` it is differentiable in θ, images and
 * soft labels.
 */
export function differentiableGradient(
  network: Network,
  theta: Parameters,
  { images, labels, mode }: Batch,
): ParameterGradient {
  const loss = (...parameters: Tensor[]): Tensor =>
    crossEntropy(network.logits(parameters, images, mode), labels);
  return images.engine.gradients(loss, theta).gradients;
}

/**
 * ∇_θ ℓ(θ; x, y), ℓ the mean cross-entropy, as a constant. Any number of images: they go through the network in chunks,
 * whose gradients are averaged by size.
 */
export function parameterGradient(network: Network, theta: Parameters, batch: Batch): ParameterGradient {
  const { engine } = batch.images;
  let total: ParameterGradient | undefined;
  return engine.noGrad(() =>
    engine.scope(() => {
      for (const chunk of chunksOf(network, batch)) {
        total = engine.scope(() => {
          const gradient = differentiableGradient(network, theta, chunk);
          return chunk.share === 1
            ? gradient
            : accumulated(
                total,
                gradient.map((part) => part.mul(chunk.share)),
              );
        });
      }
      return total!;
    }),
  );
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
    return {
      ...batch,
      images: rows(images, begin, count),
      labels: isTensor(labels) ? rows(labels, begin, count) : labels.subarray(begin, begin + count),
      share: count / n,
    };
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

function rows(x: Tensor, begin: number, count: number): Tensor {
  const [, ...rest] = x.shape;
  return x.slice([begin, ...rest.map(() => 0)], [count, ...rest]);
}
