import { check } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { batchNorm, frozenBatchNorm, normGroups, runningStatistic, sampleNorms } from "./layers.ts";
import type { Mode, Parameters, ParameterSpec } from "./network.ts";
import { affine } from "./probe.ts";

/** Norms by name; "none" leaves a feature map as it is. */
export const normNames = ["batch", "none", "instance", "group", "layer"] as const;

export type NormName = (typeof normNames)[number];

/**
 * Checks that group norm can split the channels of a network.
 *
 * @param multiple what its width has to be a multiple of, for all its layers. @throws InputError naming the option.
 */
export function checkGroups(where: string, norm: NormName, width: number, multiple = normGroups): void {
  check(
    norm !== "group" || width % multiple === 0,
    () => `${where}: expected a multiple of ${multiple} for group norm, got ${width}`,
  );
}

/** What a pass through a network hands from layer to layer beside the feature map. */
export interface Pass {
  readonly mode: Mode;
  /** Running statistics of batch norm after this pass, in the order of `Network.statistics`. */
  readonly statistics: Tensor[];
}

/** A normalization layer with a scale and a shift of its own. */
export interface Norm {
  /** Scale and shift, which start as the identity; empty for "none". */
  readonly parameters: readonly ParameterSpec[];
  /** Running mean and variance; empty but for batch norm. */
  readonly statistics: readonly ParameterSpec[];
  /** scale · normalized(x) + shift, of x [n, h, w, c]. */
  apply(x: Tensor, parameters: Parameters, pass: Pass): Tensor;
}

/**
 * The norm of a name for feature maps of a shape.
 *
 * @param layer its name, as in "norm1". @param index norms before it in the network.
 */
export function normOf(
  norm: NormName,
  layer: string,
  [h, w, c]: readonly [height: number, width: number, channels: number],
  index: number,
): Norm {
  if (norm === "none") return { parameters: [], statistics: [], apply: (x) => x };
  const shape: Shape = norm === "layer" ? [h, w, c] : [c];
  const normalized =
    norm === "batch"
      ? (x: Tensor, pass: Pass) => batchNormed(x, index, pass)
      : (x: Tensor) => sampleNorms[norm](x);
  return {
    parameters: [
      { name: `${layer}.scale`, shape, initial: { constant: 1 } },
      { name: `${layer}.shift`, shape, initial: { constant: 0 } },
    ],
    statistics:
      norm !== "batch"
        ? []
        : [
            { name: `${layer}.mean`, shape: [c], initial: { constant: 0 } },
            { name: `${layer}.variance`, shape: [c], initial: { constant: 1 } },
          ],
    apply: (x, [scale, shift], pass) => affine(normalized(x, pass), scale!, shift!, pass.mode),
  };
}

function batchNormed(x: Tensor, index: number, { mode, statistics }: Pass): Tensor {
  const given = mode.use === "running" ? mode.statistics : mode.update?.statistics;
  const [mean, variance] = (given ?? []).slice(2 * index, 2 * index + 2);
  if (mode.use === "running") return frozenBatchNorm(x, mean!, variance!);
  const batch = batchNorm(x);
  if (given !== undefined) {
    statistics[2 * index] = runningStatistic(mean!, batch.mean);
    statistics[2 * index + 1] = runningStatistic(variance!, batch.variance);
  }
  return batch.output;
}
