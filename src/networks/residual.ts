import type { Tensor } from "../engines/index.ts";
import { normEpsilon } from "./layers.ts";
import type { Body } from "./linearClassifier.ts";
import type { Parameters, ParameterSpec, Task } from "./network.ts";
import { type Norm, type NormName, normOf, type Pass } from "./norm.ts";
import { convolution } from "./probe.ts";

/** What a residual network is made of. */
export interface ResidualOptions {
  /** Blocks of each stage. Every stage after the first halves the map and doubles the channels. */
  readonly blocks: readonly number[];
  /** Channels of the first stage. */
  readonly width: number;
  readonly norm: NormName;
  /** How a map is halved: by convolutions at stride 2, or at stride 1 with 2×2 average pooling after them. */
  readonly downsampling: "stride" | "avg";
  /** The first convolution: side of its filters, and of the windows whose means follow it. Default 3, and none. */
  readonly stem?: { readonly side: number; readonly pooling: number };
  /** Standard deviation of a fresh filter of some side and outputs, drawn from a normal law. Default: uniform. */
  readonly deviation?: (side: number, outputs: number) => number;
}

type Size = readonly [height: number, width: number];

/** A convolution without bias, and its norm. */
interface Layer {
  readonly name: string;
  readonly weight: ParameterSpec;
  readonly norm: Norm;
  readonly stride: number;
  readonly padding: number;
  /** Position of the weight among the network's parameters; scale and shift follow. */
  readonly first: number;
  /** Height and width of the convolution's result. */
  readonly size: Size;
}

/** Two layers, and what is added to them: the block's input, or a layer on it where the shape changes. */
interface Block {
  readonly main: readonly [Layer, Layer];
  readonly shortcut: Layer | undefined;
  /** Whether the first layer's result and the shortcut's are pooled. */
  readonly pooled: boolean;
}

/**
 * Stages of residual blocks with two convolutions each (He et al. 2016) after one convolution at stride 1, as for small
 * images:
 *
 *     block(x) = relu( norm(conv(relu(norm(conv x)))) + shortcut(x) )
 *
 * where the shortcut is x, or norm(conv₁ₓ₁ x) where height, width or channels change. Every convolution has a norm and no
 * bias. With average pooling, that comes after the first ReLU and between the shortcut's convolution and norm.
 */
export function residual(options: ResidualOptions, { imageShape }: Task): Omit<Body, "name"> {
  const layers: Layer[] = [];
  const layer = layersOf(options, layers);
  const { side, pooling } = options.stem ?? { side: 3, pooling: 1 };
  const stem = layer("stem", { side, stride: 1, from: imageShape, channels: options.width });
  const blocks: Block[] = [];
  const [height, wide] = stem.size.map((length) => Math.floor(length / pooling)) as [number, number];
  let map: readonly [number, number, number] = [height, wide, options.width];
  options.blocks.forEach((count, stage) => {
    for (let i = 0; i < count; i++) {
      const channels = options.width * 2 ** stage;
      const block = blockOf(layer, `stage${stage + 1}.block${i + 1}`, {
        from: map,
        channels,
        halving: stage > 0 && i === 0 ? options.downsampling : undefined,
      });
      map = [...block.main[1].size, channels];
      blocks.push(block);
    }
  });
  return {
    map,
    largest: Math.max(...layers.map(({ size: [h, w], weight }) => h * w * weight.shape[0]!)),
    parameters: layers.flatMap(({ weight, norm }) => [weight, ...norm.parameters]),
    statistics: layers.flatMap(({ norm }) => norm.statistics),
    featureMap: (values, images, pass) => {
      const applied = { norm: options.norm, values, pass };
      const first = activated(stem, images, applied);
      const pooled = pooling === 1 ? first : first.avgPool(pooling);
      return blocks.reduce((x, block) => blockResult(block, x, applied), pooled);
    },
  };
}

interface LayerOptions {
  /** Of the filters. */
  readonly side: number;
  readonly stride: number;
  /** Shape of its input. */
  readonly from: readonly [height: number, width: number, channels: number];
  /** Of its result. */
  readonly channels: number;
  /** Whether 2×2 pooling comes between convolution and norm. */
  readonly pooled?: boolean;
}

type NewLayer = (name: string, options: LayerOptions) => Layer;

/** Makes layers one after another, each added to `layers`. */
function layersOf({ norm, deviation }: ResidualOptions, layers: Layer[]): NewLayer {
  return (name, { side, stride, from: [h, w, inputs], channels, pooled = false }) => {
    const size = [h, w].map((length) => Math.ceil(length / stride)) as [number, number];
    const normed = pooled ? halved(size) : size;
    const last = layers.at(-1);
    const made: Layer = {
      name,
      weight: {
        name: `${name}.weight`,
        shape: [channels, side, side, inputs],
        initial: deviation ? { deviation: deviation(side, channels) } : { fanIn: side * side * inputs },
      },
      norm: normOf(norm, name, [...normed, channels], layers.length),
      stride,
      padding: (side - 1) / 2,
      first: last ? last.first + 1 + last.norm.parameters.length : 0,
      size,
    };
    layers.push(made);
    return made;
  };
}

const halved = ([h, w]: Size): Size => [Math.floor(h / 2), Math.floor(w / 2)];

interface BlockOptions extends Pick<LayerOptions, "from" | "channels"> {
  readonly halving: ResidualOptions["downsampling"] | undefined;
}

function blockOf(layer: NewLayer, name: string, { from, channels, halving }: BlockOptions): Block {
  const stride = halving === "stride" ? 2 : 1;
  const pooled = halving === "avg";
  const first = layer(`${name}.conv1`, { side: 3, stride, from, channels });
  const between = pooled ? halved(first.size) : first.size;
  const second = layer(`${name}.conv2`, { side: 3, stride: 1, from: [...between, channels], channels });
  const changes = halving !== undefined || from[2] !== channels;
  const shortcut = changes
    ? layer(`${name}.shortcut`, { side: 1, stride, from, channels, pooled })
    : undefined;
  return { main: [first, second], shortcut, pooled };
}

/** What of a network's pass its layers need. */
interface Applied {
  readonly norm: NormName;
  readonly values: Parameters;
  readonly pass: Pass;
}

function blockResult(
  { main: [first, second], shortcut, pooled }: Block,
  x: Tensor,
  applied: Applied,
): Tensor {
  const inner = activated(first, x, applied, pooled);
  const added = normed(second, inner, applied);
  return added.add(shortcut ? normed(shortcut, x, applied, pooled) : x).relu();
}

/** norm(pool(conv x)) */
function normed(layer: Layer, x: Tensor, { values, pass }: Applied, pooled = false): Tensor {
  const [weight, ...affine] = tensorsOf(layer, values);
  const map = convolution(x, weight!, layer, pass.mode);
  return layer.norm.apply(pooled ? map.avgPool(2) : map, affine, pass);
}

/** pool(relu(norm(conv x))), fused where the engine has it as one operation and nothing probes it. */
function activated(layer: Layer, x: Tensor, applied: Applied, pooled = false): Tensor {
  const { stride, padding } = layer;
  if (applied.norm === "instance" && !applied.pass.mode.probe) {
    const [weight, scale, shift] = tensorsOf(layer, applied.values) as [Tensor, Tensor, Tensor];
    const pooling = pooled ? "avg" : "none";
    return x.convolvedBlock(weight, { scale, shift, stride, padding, epsilon: normEpsilon, pooling });
  }
  const map = normed(layer, x, applied).relu();
  return pooled ? map.avgPool(2) : map;
}

/** Weight, and scale and shift of the norm where it has them. */
function tensorsOf({ first, norm }: Layer, values: Parameters): Parameters {
  return values.slice(first, first + 1 + norm.parameters.length);
}
