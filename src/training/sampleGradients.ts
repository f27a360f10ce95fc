import { check, wholeNumber } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { crossEntropies } from "../losses/crossEntropy.ts";
import { type Mode, mostAtOnce } from "../networks/network.ts";
import type { ProbedLayer } from "../networks/probe.ts";
import { squaredNorms, workspace } from "./layerGradients.ts";
import type { Model } from "./model.ts";
import { type Batch, partOf } from "./parameterGradient.ts";

/** What a model finds on each of n images by itself. */
export interface SampleGradients {
  /** ‖∇_θ ℓᵢ‖₂ over all parameters, [n]. */
  readonly norms: Float64Array;
  /** Squared norms of the part in each parameter tensor, [n] each, in the order of `Network.parameters`. */
  readonly squared: readonly Float64Array[];
  /** Cross-entropies ℓᵢ, [n]. */
  readonly losses: Float64Array;
  /** Class of the largest logit, [n]. */
  readonly predicted: Int32Array;
}

/** Labeled images, and how they go through the model. */
export interface SampleBatch extends Pick<Batch, "images" | "labels"> {
  /** Batch norm by running statistics, by default the model's. */
  readonly mode?: Mode;
  /** Images at once. Default: as many as 1 GiB takes, by the network's layers. */
  readonly atOnce?: number;
}

/**
 * Gradient norms of every image by itself, exactly and without a loop over images: one pass takes the signals δ of all
 * layers, as gradients of Σᵢ ℓᵢ in zeros added to their results, and each layer's norms follow from its signal and its input
 * (Goodfellow 2015; for convolutions the gradient itself or the product of two Gram matrices, whichever is smaller, as in
 * Bu et al. 2022). A convolution's bias before instance or batch norm is not left out: its part is 0 up to rounding.
 *
 * Equal to the norms of gradients taken image by image, to rounding. Any number of images, in chunks of bounded memory.
 *
 * @throws InputError for batch norm by the batch, where an image has no gradient of its own; for a network that does not
 *   show a probe each of its parameters once; and for labels that do not fit.
 */
export function sampleGradients(model: Model, batch: SampleBatch): SampleGradients {
  const { network, parameters, statistics } = model;
  const { images } = batch;
  const mode: Mode = batch.mode ?? { use: "running", statistics };
  check(
    network.statistics.length === 0 || mode.use === "running",
    () =>
      "sampleGradients.mode: expected batch norm by running statistics, got by the batch, where images share a gradient; " +
      "leave mode out to take the model's statistics",
  );
  const n = images.shape[0]!;
  check(n > 0, () => "sampleGradients.images: expected at least one image, got none");
  const { engine } = images;
  const layers = engine.scope(() => layersOf(model, partOf(batch, 0, 1).images, mode));
  const size = wholeNumber("sampleGradients.atOnce", batch.atOnce ?? imagesInBudget(layers), 1);
  const found: SampleGradients = {
    norms: new Float64Array(n),
    squared: parameters.map(() => new Float64Array(n)),
    losses: new Float64Array(n),
    predicted: new Int32Array(n),
  };
  for (let begin = 0; begin < n; begin += size) {
    const count = Math.min(size, n - begin);
    const chunk = engine.noGrad(() =>
      engine.scope(() => onChunk({ model, mode, layers }, partOf(batch, begin, count))),
    );
    found.squared.forEach((one, k) => {
      one.set(chunk.squared[k]!, begin);
    });
    found.losses.set(chunk.losses, begin);
    found.predicted.set(chunk.predicted, begin);
  }
  for (const one of found.squared) one.forEach((value, i) => (found.norms[i]! += value));
  return { ...found, norms: found.norms.map(Math.sqrt) };
}

/** The norms alone: ‖∇_θ ℓᵢ‖₂ of each image, batch norm by the model's running statistics. See `sampleGradients`. */
export function sampleGradientNorms(
  model: Model,
  images: Tensor,
  labels: SampleBatch["labels"],
): Float64Array {
  return sampleGradients(model, { images, labels }).norms;
}

/** A layer as one image passes it. */
interface Layer {
  /** Of its result, without the axis of images. */
  readonly shape: Shape;
  /** Positions of its parameters among the network's. */
  readonly parameters: readonly number[];
  /** Elements that its norms take beside input and signal. */
  readonly workspace: number;
}

function layersOf({ network, parameters }: Model, image: Tensor, mode: Mode): Layer[] {
  const { engine } = image;
  const position = new Map(parameters.map((parameter, k) => [parameter, k]));
  const layers: Layer[] = [];
  engine.noGrad(() =>
    network.logits(parameters, image, {
      ...mode,
      probe: (layer, result) => {
        const own = layer.parameters.map((parameter) => position.get(parameter!)!);
        layers.push({ shape: result.shape.slice(1), parameters: own, workspace: workspace(layer, result) });
        return result;
      },
    }),
  );
  const seen = layers.flatMap((layer) => layer.parameters);
  parameters.forEach((_, k) => {
    const times = seen.filter((one) => one === k).length;
    check(
      times === 1,
      () =>
        `sampleGradients: expected ${network.name} to show a probe each of its parameters once, got ` +
        `${network.parameters[k]!.name} ${times} times; build its layers from those of networks/probe.ts`,
    );
  });
  return layers;
}

/** Elements of all that is held for an image at a time: 1 GiB in float32. */
const mostElements = 2 ** 28;
/** Tensors of a layer's size that its pass leaves behind: its result, what norm and nonlinearity save, and gradients. */
const tensorsPerLayer = 8;

function imagesInBudget(layers: readonly Layer[]): number {
  const passed = layers.reduce((sum, { shape }) => sum + tensorsPerLayer * sizeOf(shape), 0);
  const most = Math.max(...layers.map((layer) => layer.workspace));
  return Math.max(1, Math.min(mostAtOnce, Math.floor(mostElements / (passed + most))));
}

interface Passing {
  readonly model: Model;
  readonly mode: Mode;
  readonly layers: readonly Layer[];
}

/** A layer that images have passed, and their signals in its result. */
interface Passed {
  readonly layer: ProbedLayer;
  readonly signal: Tensor;
}

function onChunk(passing: Passing, batch: Pick<Batch, "images" | "labels">): Omit<SampleGradients, "norms"> {
  const { engine } = batch.images;
  const { logits, losses, passed } = engine.scope(() => signals(passing, batch));
  const squared: Tensor[] = [];
  passed.forEach(({ layer, signal }, l) => {
    const norms = engine.scope(() => squaredNorms(layer, signal));
    norms.forEach((norm, i) => (squared[passing.layers[l]!.parameters[i]!] = norm));
  });
  const n = batch.images.shape[0]!;
  // All at once, since that waits for the device.
  const values = Float64Array.from(engine.concat([...squared, losses]).values());
  return {
    // Rounding leaves sums of signed products, and a bias before a norm, within an ulp or so below 0.
    squared: squared.map((_, k) => values.subarray(k * n, (k + 1) * n).map((value) => Math.max(0, value))),
    losses: values.subarray(squared.length * n),
    predicted: Int32Array.from(logits.argmax(1).values()),
  };
}

/** Inputs and signals of all layers, from one pass forward and back. */
function signals(
  { model: { network, parameters }, mode, layers }: Passing,
  { images, labels }: Pick<Batch, "images" | "labels">,
): { logits: Tensor; losses: Tensor; passed: Passed[] } {
  const { engine } = images;
  const n = images.shape[0]!;
  const zeros = layers.map(({ shape }) => engine.fill([], 0).broadcastTo([n, ...shape]));
  const seen: ProbedLayer[] = [];
  let logits: Tensor | undefined;
  let losses: Tensor | undefined;
  const { gradients } = engine.gradients((...variables) => {
    const found = network.logits(parameters, images, {
      ...mode,
      probe: (layer, result) => {
        const variable = variables[seen.length]!;
        seen.push({ ...layer, input: layer.input.detach() });
        return result.add(variable);
      },
    });
    const each = crossEntropies(found, labels);
    [logits, losses] = [found.detach(), each.detach()];
    return each.sum();
  }, zeros);
  return {
    logits: logits!,
    losses: losses!,
    passed: seen.map((layer, l) => ({ layer, signal: gradients[l]! })),
  };
}
