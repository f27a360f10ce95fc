import { z } from "zod";
import { check } from "../core/errors.ts";
import type { ImageShape, Shape } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import {
  activations,
  type Activation,
  batchNorm,
  frozenBatchNorm,
  normEpsilon,
  normGroups,
  poolings,
  runningStatistic,
  sampleNorms,
} from "./layers.ts";
import type { Mode, Network, Parameters, ParameterSpec } from "./network.ts";

const namesOf = <T extends object>(table: T): [keyof T & string] => Object.keys(table) as [keyof T & string];

export const convNetOptions = z.strictObject({
  depth: z
    .int()
    .min(1)
    .max(5)
    .default(3)
    .describe("Blocks of convolution, norm, activation and pooling, 1 to 5."),
  width: z.int().min(1).default(128).describe("Channels of every convolution."),
  activation: z.enum(namesOf(activations)).default("relu").describe("Nonlinearity after every norm."),
  norm: z
    .enum(["batch", "none", ...namesOf(sampleNorms)])
    .default("instance")
    .describe("Normalization after every convolution; group norm has 4 groups."),
  pooling: z
    .enum(namesOf(poolings))
    .default("avg")
    .describe("2×2 pooling at stride 2 that closes every block."),
});

/** Every option of a ConvNet: depth, width, activation, norm, pooling. */
export type ConvNetOptions = z.infer<typeof convNetOptions>;

/** What a classifier is for. */
export interface Task {
  /** Height, width and channels of the images. */
  readonly imageShape: ImageShape;
  /** Number of classes. */
  readonly classes: number;
}

/**
 * The network of dataset condensation (Zhao et al. 2021, after Gidaris & Komodakis 2018): blocks of 3×3 convolution, norm,
 * activation and 2×2 pooling, then one linear layer on the flattened feature map.
 *
 * Convolutions pad by 1; the first pads by 3 where images have one channel, so that 28×28 digits become 32×32 there.
 * Convolution and linear layers start uniform on ±1/√fanIn, norms as the identity (PyTorch's defaults).
 *
 * @throws InputError for unknown options, for a width that group norm cannot split, and for images that depth poolings
 *   leave nothing of.
 */
export function convNet(given: z.input<typeof convNetOptions>, task: Task): Network {
  const options = parsed(given);
  const { imageShape, classes } = task;
  const { depth, width } = options;
  const blocks = blocksOf(options, imageShape);
  const [h, w] = blocks.at(-1)!.pooled;
  const embedding = h * w * width;
  const parameters = [...blocks.flatMap(parametersOf), ...linearSpecs(embedding, classes)];
  const applied = blocks.map((block, i) => blockFunction(options, block, i));
  const perBlock = parametersOf(blocks[0]!).length;

  const featureMap = (values: Parameters, images: Tensor, mode: Mode = { use: "batch" }): Tensor => {
    check(
      images.shape.slice(1).join() === imageShape.join(),
      () => `convNet: expected images [n, ${imageShape.join(", ")}], got [${images.shape.join(", ")}]`,
    );
    const statistics: Tensor[] = [];
    const map = applied.reduce(
      (x, block, i) => block(values.slice(i * perBlock, (i + 1) * perBlock), x, { mode, statistics }),
      images,
    );
    if (mode.use === "batch" && mode.update) mode.update.statistics = statistics;
    return map;
  };
  const embed: Network["embed"] = (values, images, mode) => {
    const map = featureMap(values, images, mode);
    return map.transpose([0, 3, 1, 2]).reshape([map.shape[0]!, embedding]);
  };
  const classify: Network["classify"] = (values, embeddings) => {
    const [weight, bias] = values.slice(-2) as [Tensor, Tensor];
    return embeddings.matMul(weight.transpose()).add(bias);
  };
  return {
    name: `convNet-d${depth}-w${width}-${options.activation}-${options.norm}-${options.pooling}`,
    imageShape,
    classes,
    width: embedding,
    channels: width,
    largest: Math.max(...blocks.map(({ map: [rows, columns] }) => rows * columns * width)),
    flattenOrder: "chw",
    parameters,
    statistics: options.norm === "batch" ? blocks.flatMap(statisticsOf) : [],
    featureMap,
    embed,
    classify,
    logits: (values, images, mode) => classify(values, embed(values, images, mode)),
  };
}

function parsed(given: z.input<typeof convNetOptions>): ConvNetOptions {
  const result = convNetOptions.safeParse(given);
  check(result.success, () => `convNet: ${z.prettifyError(result.error!)}`);
  const { norm, width } = result.data;
  check(
    norm !== "group" || width % normGroups === 0,
    () => `convNet.width: expected a multiple of ${normGroups} for group norm, got ${width}`,
  );
  return result.data;
}

interface Block {
  /** 1 for the first. */
  readonly number: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly padding: number;
  /** Shape of the norm's scale and shift; undefined without norm. */
  readonly affine: Shape | undefined;
  /** Height and width of the convolution's result. */
  readonly map: readonly [height: number, width: number];
  /** Height and width after pooling. */
  readonly pooled: readonly [height: number, width: number];
}

function blocksOf(
  { depth, width, norm, pooling }: ConvNetOptions,
  [height, w0, channels]: ImageShape,
): Block[] {
  const blocks: Block[] = [];
  let size: readonly [number, number] = [height, w0];
  for (let i = 0; i < depth; i++) {
    const padding = i === 0 && channels === 1 ? 3 : 1;
    const [h, w] = size.map((length) => length + 2 * padding - 2) as [number, number];
    size = pooling === "none" ? [h, w] : [Math.floor(h / 2), Math.floor(w / 2)];
    check(
      size[0] > 0 && size[1] > 0,
      () => `convNet.depth: expected images that ${depth} poolings leave a pixel of, got ${height}×${w0}`,
    );
    const affine = norm === "none" ? undefined : norm === "layer" ? [h, w, width] : [width];
    blocks.push({
      number: i + 1,
      inputs: i === 0 ? channels : width,
      outputs: width,
      padding,
      affine,
      map: [h, w],
      pooled: size,
    });
  }
  return blocks;
}

function parametersOf({ number, inputs, outputs, affine }: Block): ParameterSpec[] {
  const fanIn = 9 * inputs;
  const convolution: ParameterSpec[] = [
    { name: `conv${number}.weight`, shape: [outputs, 3, 3, inputs], initial: { fanIn } },
    { name: `conv${number}.bias`, shape: [outputs], initial: { fanIn } },
  ];
  if (affine === undefined) return convolution;
  return [
    ...convolution,
    { name: `norm${number}.scale`, shape: affine, initial: { constant: 1 } },
    { name: `norm${number}.shift`, shape: affine, initial: { constant: 0 } },
  ];
}

function statisticsOf({ number, outputs }: Block): ParameterSpec[] {
  return [
    { name: `norm${number}.mean`, shape: [outputs], initial: { constant: 0 } },
    { name: `norm${number}.variance`, shape: [outputs], initial: { constant: 1 } },
  ];
}

function linearSpecs(inputs: number, outputs: number): ParameterSpec[] {
  return [
    { name: "linear.weight", shape: [outputs, inputs], initial: { fanIn: inputs } },
    { name: "linear.bias", shape: [outputs], initial: { fanIn: inputs } },
  ];
}

interface Pass {
  readonly mode: Mode;
  /** Batch norm's running statistics after this pass, appended block by block. */
  readonly statistics: Tensor[];
}

type BlockFunction = (parameters: Parameters, x: Tensor, pass: Pass) => Tensor;

/** The function of a block, chosen once: fused where the engine has the block as one operation. */
function blockFunction(options: ConvNetOptions, { padding }: Block, index: number): BlockFunction {
  const { norm, activation, pooling } = options;
  const convolved = ([weight, bias]: Parameters, x: Tensor): Tensor =>
    x.conv2d(weight!, { bias: bias!, padding });
  if (norm === "instance" && activation === "relu") {
    return ([weight, bias, scale, shift], x) =>
      x.convolvedBlock(weight!, {
        bias: bias!,
        scale: scale!,
        shift: shift!,
        padding,
        epsilon: normEpsilon,
        pooling,
      });
  }
  const activate = activations[activation as Activation];
  const pool = poolings[pooling];
  if (norm === "none") return (parameters, x) => pool(activate(convolved(parameters, x)));
  const normalize =
    norm === "batch"
      ? (x: Tensor, pass: Pass) => batchNormed(x, index, pass)
      : (x: Tensor) => sampleNorms[norm as keyof typeof sampleNorms](x);
  return (parameters, x, pass) => {
    const normalized = normalize(convolved(parameters, x), pass);
    return pool(activate(normalized.mul(parameters[2]!).add(parameters[3]!)));
  };
}

function batchNormed(x: Tensor, index: number, { mode, statistics }: Pass): Tensor {
  const given = mode.use === "running" ? mode.statistics : mode.update?.statistics;
  const [mean, variance] = (given ?? []).slice(2 * index, 2 * index + 2);
  if (mode.use === "running") return frozenBatchNorm(x, mean!, variance!);
  const batch = batchNorm(x);
  if (given !== undefined) {
    statistics.push(runningStatistic(mean!, batch.mean), runningStatistic(variance!, batch.variance));
  }
  return batch.output;
}
