import { check } from "../core/errors.ts";
import type { Pooling, Tensor } from "../engines/index.ts";

/** Added to variances, as in PyTorch's normalization layers. */
export const normEpsilon = 1e-5;

/** Share of the new batch in batch norm's running statistics, as in PyTorch. */
export const runningMomentum = 0.1;

/** Groups of group norm, as in the networks of dataset condensation (Zhao et al. 2021). */
export const normGroups = 4;

/** Elementwise nonlinearities by name. */
export const activations = {
  /** max(x, 0) */
  relu: (x) => x.relu(),
  /** 1 / (1 + e⁻ˣ) */
  sigmoid: (x) => x.sigmoid(),
  /** max(x, 0) + 0.01 min(x, 0) */
  leakyRelu: (x) => x.relu().sub(x.neg().relu().mul(0.01)),
  /** x / (1 + e⁻ˣ) */
  swish: (x) => x.mul(x.sigmoid()),
} as const satisfies Record<string, (x: Tensor) => Tensor>;

export type Activation = keyof typeof activations;

/** What halves a feature map, by name: 2×2 windows at stride 2. */
export const poolings = {
  avg: (x) => x.avgPool(2),
  max: (x) => x.maxPool(2),
  none: (x) => x,
} as const satisfies Record<Pooling, (x: Tensor) => Tensor>;

/**
 * Norms that look at one sample alone, by name: the feature map [n, h, w, c] shifted and scaled to mean 0 and variance 1
 * over a group of its elements, with the biased variance:
 *
 *     (x − mean) / √(variance + 10⁻⁵)
 */
export const sampleNorms = {
  /** Over the positions of one channel. */
  instance: (x) => standardized(x, [1, 2]),
  /** Over the positions and channels of a quarter of the channels. */
  group: (x) => {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    return standardized(x.reshape([n, h * w, normGroups, c / normGroups]), [1, 3]).reshape(x.shape);
  },
  /** Over the whole feature map. */
  layer: (x) => standardized(x, [1, 2, 3]),
} as const satisfies Record<string, (x: Tensor) => Tensor>;

function standardized(x: Tensor, axes: readonly number[]): Tensor {
  const centered = x.sub(x.mean(axes, true));
  const variance = centered.square().mean(axes, true);
  return centered.mul(variance.add(normEpsilon).rsqrt());
}

/** A feature map normalized by its batch, and the batch's statistics. */
export interface BatchNorm {
  readonly output: Tensor;
  /** Constants, [c]; the variance is the unbiased one. */
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * Batch norm by the batch's own statistics (Ioffe & Szegedy 2015): each channel of [n, h, w, c] to mean 0 and biased
 * variance 1 over samples and positions.
 *
 * @throws InputError if a channel has one value only, which has no variance.
 */
export function batchNorm(x: Tensor): BatchNorm {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const values = n * h * w;
  check(values > 1, () => "batch norm: expected more than one value per channel, got 1; use a larger batch");
  const axes = [0, 1, 2];
  const mean = x.mean(axes, true); // [1, 1, 1, c]
  const centered = x.sub(mean);
  const variance = centered.square().mean(axes, true);
  return {
    output: centered.mul(variance.add(normEpsilon).rsqrt()),
    mean: mean.detach().reshape([c]),
    variance: variance
      .detach()
      .reshape([c])
      .mul(values / (values - 1)),
  };
}

/** A running statistic after a batch, r ← 0.9 r + 0.1 batch, as in PyTorch. */
export function runningStatistic(before: Tensor, batch: Tensor): Tensor {
  return before.mul(1 - runningMomentum).add(batch.mul(runningMomentum));
}

/** Batch norm by given statistics, [c]: every channel of [n, h, w, c] centered and scaled by constants. */
export function frozenBatchNorm(x: Tensor, mean: Tensor, variance: Tensor): Tensor {
  return x.sub(mean).mul(variance.add(normEpsilon).rsqrt());
}

/** A feature map [n, h, w, c] as one vector of each image, [n, c·h·w], channel by channel as in PyTorch. */
export function flattened(map: Tensor): Tensor {
  const [n, h, w, c] = map.shape as [number, number, number, number];
  return map.transpose([0, 3, 1, 2]).reshape([n, c * h * w]);
}
