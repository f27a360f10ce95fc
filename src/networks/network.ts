import type { Rng } from "../core/rng.ts";
import { type ImageShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Engine, Tensor } from "../engines/index.ts";
import type { Probed } from "./probe.ts";

/** What a classifier is for. */
export interface Task {
  /** Height, width and channels of the images. */
  readonly imageShape: ImageShape;
  /** Number of classes. */
  readonly classes: number;
}

/** A network's trainable tensors, in the order of `Network.parameters`. */
export type Parameters = readonly Tensor[];

/** Running mean and variance of every batch-norm layer, in the order of `Network.statistics`. */
export type Statistics = readonly Tensor[];

/** Name, shape and initial law of one tensor of a network. */
export interface ParameterSpec {
  /** Layer and role, as in "conv1.weight". */
  readonly name: string;
  /** Filters are [outputs, h, w, inputs], matrices [outputs, inputs], scales, shifts and biases [channels]. */
  readonly shape: Shape;
  /**
   * Initial law: uniform on ±1/√fanIn (PyTorch's default for convolution and linear layers), normal of mean 0 and a
   * standard deviation, or a constant.
   */
  readonly initial:
    { readonly fanIn: number } | { readonly deviation: number } | { readonly constant: number };
}

/**
 * How batch-norm layers normalize: by their batch (optionally reporting its statistics), or by running statistics; and what
 * sees every layer with parameters, if anything does. With a probe, engines fuse no layers.
 */
export type Mode = Probed &
  (
    | { readonly use: "batch"; readonly update?: { statistics: Statistics } }
    | { readonly use: "running"; readonly statistics: Statistics }
  );

/**
 * A feature extractor with a linear classifier on top, as pure functions of its parameters.
 * Images are normalized, [n, height, width, channels].
 */
export interface Network {
  /** Architecture with all that distinguishes it, as in "convNet-d3-w128-relu-instance-avg". */
  readonly name: string;
  /** Height, width and channels of the images it takes. */
  readonly imageShape: ImageShape;
  /** Logits of an image. */
  readonly classes: number;
  /** Length of the embedding. */
  readonly width: number;
  /** Channels of the last feature map; `width` is a multiple, and an embedding's shape is also [channels, positions]. */
  readonly channels: number;
  /** Elements of the largest intermediate result of one image. */
  readonly largest: number;
  /** Order in which the last feature map is flattened; channel-major, as in PyTorch. */
  readonly flattenOrder: "chw";
  /** Names, shapes and initial laws of its trainable tensors. */
  readonly parameters: readonly ParameterSpec[];
  /** Shapes and initial values (0 for means, 1 for variances) of batch-norm statistics; empty without batch norm. */
  readonly statistics: readonly ParameterSpec[];
  /** Last feature map, [n, h, w, c]; where linear layers come before the classifier, the last of them, as one position. */
  featureMap(parameters: Parameters, images: Tensor, mode?: Mode): Tensor;
  /** Input of the classifier, [n, width]. */
  embed(parameters: Parameters, images: Tensor, mode?: Mode): Tensor;
  /** Linear classifier on embeddings, [n, classes]. */
  classify(parameters: Parameters, embeddings: Tensor, mode?: Probed): Tensor;
  /** classify(embed(images)), [n, classes]. */
  logits(parameters: Parameters, images: Tensor, mode?: Mode): Tensor;
}

/** Whether a value that may be a choice of `networks` is a network itself. */
export function isNetwork(given: unknown): given is Network {
  return typeof given === "object" && given !== null && "embed" in given;
}

/** Batches of about so many images convolve fastest: the most that any network takes at once where their number is free. */
export const mostAtOnce = 256;

/**
 * Images to send through the network together where their number is free. Larger feature maps take fewer than
 * `mostAtOnce`, so that no buffer passes 256 MiB, which malloc keeps from step to step and caches still help.
 */
export function imagesAtOnce({ largest }: Network): number {
  return Math.max(1, Math.min(mostAtOnce, Math.floor(2 ** 26 / largest)));
}

/** Fresh tensors for `specs`, each from a stream of its own name. */
export function initialTensors(specs: readonly ParameterSpec[], engine: Engine, rng: Rng): Tensor[] {
  return specs.map((spec) => {
    const { shape, initial } = spec;
    return "constant" in initial
      ? engine.fill(shape, initial.constant)
      : engine.tensor(shape, initialValues(spec, rng));
  });
}

/** Fresh values of a tensor, row-major, from the stream of its name. */
export function initialValues({ name, shape, initial }: ParameterSpec, rng: Rng): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if ("constant" in initial) return values.fill(initial.constant);
  const dice = rng.stream(name);
  if ("deviation" in initial) return dice.fillNormal(values).map((value) => value * initial.deviation);
  const bound = 1 / Math.sqrt(initial.fanIn);
  return dice.fillUniform(values, -bound, bound);
}
