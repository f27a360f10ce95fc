import { check } from "../core/errors.ts";
import type { ImageShape } from "../core/shape.ts";
import type { Pooling, Tensor } from "../engines/index.ts";
import { activations, type Activation, normEpsilon, poolings } from "./layers.ts";
import type { Body } from "./linearClassifier.ts";
import type { Parameters, ParameterSpec, Task } from "./network.ts";
import { type Norm, type NormName, normOf, type Pass } from "./norm.ts";
import { convolution } from "./probe.ts";

/** A convolution at stride 1, and what closes it. */
export interface ConvolutionOptions {
  /** Of its result. */
  readonly channels: number;
  /** Of the filters. Default 3. */
  readonly side?: number;
  /** Zeros on every side. Default 1. */
  readonly padding?: number;
  /** Default none. */
  readonly pooling?: Pooling;
}

/** What follows every convolution before it is pooled. */
export interface ConvolutionsOptions {
  /** Names the network, or the option of it that says how often it pools, in errors. */
  readonly where: string;
  readonly norm: NormName;
  readonly activation: Activation;
}

/** A convolution as it applies to images of a known size. */
interface Layer {
  readonly weight: ParameterSpec;
  readonly bias: ParameterSpec;
  readonly padding: number;
  readonly pooling: Pooling;
  readonly norm: Norm;
  /** Elements of the convolution's result. */
  readonly size: number;
}

/**
 * Convolutions one after another, as in the networks of dataset condensation (Zhao et al. 2021):
 *
 *     pool(activation(norm(conv x + bias)))
 *
 * Filters and biases start uniform on ±1/√fanIn, norms as the identity (PyTorch's defaults).
 *
 * @throws InputError for images that the poolings leave nothing of.
 */
export function convolutions(
  given: readonly ConvolutionOptions[],
  options: ConvolutionsOptions,
  { imageShape }: Task,
): Omit<Body, "name"> {
  const { layers, map } = layersOf(given, options, imageShape);
  const applied = layers.map((layer) => layerFunction(options, layer));
  const perLayer = parametersOf(layers[0]!).length;
  return {
    map,
    largest: Math.max(...layers.map(({ size }) => size)),
    parameters: layers.flatMap(parametersOf),
    statistics: layers.flatMap(({ norm }) => norm.statistics),
    featureMap: (values, images, pass) =>
      applied.reduce((x, layer, i) => layer(values.slice(i * perLayer, (i + 1) * perLayer), x, pass), images),
  };
}

function layersOf(
  given: readonly ConvolutionOptions[],
  { where, norm }: ConvolutionsOptions,
  imageShape: ImageShape,
): { layers: Layer[]; map: ImageShape } {
  let map = imageShape;
  const poolingsIn = (some: readonly ConvolutionOptions[]): number =>
    some.filter(({ pooling = "none" }) => pooling !== "none").length;
  const layers = given.map(({ channels, side = 3, padding = 1, pooling = "none" }, i): Layer => {
    const inputs = map[2];
    const [h, w] = map.slice(0, 2).map((length) => length + 2 * padding - side + 1) as [number, number];
    map = pooling === "none" ? [h, w, channels] : [Math.floor(h / 2), Math.floor(w / 2), channels];
    check(
      map[0] > 0 && map[1] > 0,
      () =>
        `${where}: expected images that ${poolingsIn(given)} poolings leave a pixel of, got ` +
        `${imageShape[0]}×${imageShape[1]}, which have room for ${poolingsIn(given.slice(0, i))}`,
    );
    const initial = { fanIn: side * side * inputs };
    return {
      weight: { name: `conv${i + 1}.weight`, shape: [channels, side, side, inputs], initial },
      bias: { name: `conv${i + 1}.bias`, shape: [channels], initial },
      padding,
      pooling,
      norm: normOf(norm, `norm${i + 1}`, [h, w, channels], i),
      size: h * w * channels,
    };
  });
  return { layers, map };
}

function parametersOf({ weight, bias, norm }: Layer): readonly ParameterSpec[] {
  return [weight, bias, ...norm.parameters];
}

type LayerFunction = (parameters: Parameters, x: Tensor, pass: Pass) => Tensor;

/** The function of a layer, chosen once: fused where the engine has it as one operation and nothing probes it. */
function layerFunction(
  { norm: name, activation }: ConvolutionsOptions,
  { padding, pooling, norm }: Layer,
): LayerFunction {
  const activate = activations[activation];
  const pool = poolings[pooling];
  const inSteps: LayerFunction = ([weight, bias, ...affine], x, pass) =>
    pool(activate(norm.apply(convolution(x, weight!, { bias, padding }, pass.mode), affine, pass)));
  if (name !== "instance" || activation !== "relu") return inSteps;
  return (parameters, x, pass) => {
    if (pass.mode.probe) return inSteps(parameters, x, pass);
    const [weight, bias, scale, shift] = parameters as [Tensor, Tensor, Tensor, Tensor];
    return x.convolvedBlock(weight, { bias, scale, shift, padding, epsilon: normEpsilon, pooling });
  };
}
