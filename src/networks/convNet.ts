import { z } from "zod";
import { check } from "../core/errors.ts";
import type { ImageShape } from "../core/shape.ts";
import type { Tensor } from "../engines/index.ts";
import { activations, type Activation, normEpsilon, normGroups, poolings } from "./layers.ts";
import { linearClassifier } from "./linearClassifier.ts";
import type { Network, Parameters, ParameterSpec, Task } from "./network.ts";
import { type Norm, normNames, normOf, type Pass } from "./norm.ts";
import { convolution } from "./probe.ts";

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
    .enum(normNames)
    .default("instance")
    .describe("Normalization after every convolution; group norm has 4 groups."),
  pooling: z
    .enum(namesOf(poolings))
    .default("avg")
    .describe("2×2 pooling at stride 2 that closes every block."),
});

/** Every option of a ConvNet: depth, width, activation, norm, pooling. */
export type ConvNetOptions = z.infer<typeof convNetOptions>;

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
  const { depth, width } = options;
  const blocks = blocksOf(options, task.imageShape);
  const applied = blocks.map((block) => blockFunction(options, block));
  const perBlock = parametersOf(blocks[0]!).length;
  return linearClassifier(
    {
      name: `convNet-d${depth}-w${width}-${options.activation}-${options.norm}-${options.pooling}`,
      map: [...blocks.at(-1)!.pooled, width],
      largest: Math.max(...blocks.map(({ map: [rows, columns] }) => rows * columns * width)),
      parameters: blocks.flatMap(parametersOf),
      statistics: blocks.flatMap(({ norm }) => norm.statistics),
      featureMap: (values, images, pass) =>
        applied.reduce(
          (x, block, i) => block(values.slice(i * perBlock, (i + 1) * perBlock), x, pass),
          images,
        ),
    },
    task,
  );
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
  readonly norm: Norm;
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
    blocks.push({
      number: i + 1,
      inputs: i === 0 ? channels : width,
      outputs: width,
      padding,
      norm: normOf(norm, `norm${i + 1}`, [h, w, width], i),
      map: [h, w],
      pooled: size,
    });
  }
  return blocks;
}

function parametersOf({ number, inputs, outputs, norm }: Block): ParameterSpec[] {
  const fanIn = 9 * inputs;
  return [
    { name: `conv${number}.weight`, shape: [outputs, 3, 3, inputs], initial: { fanIn } },
    { name: `conv${number}.bias`, shape: [outputs], initial: { fanIn } },
    ...norm.parameters,
  ];
}

type BlockFunction = (parameters: Parameters, x: Tensor, pass: Pass) => Tensor;

/** The function of a block, chosen once: fused where the engine has the block as one operation and nothing probes it. */
function blockFunction(options: ConvNetOptions, { padding, norm }: Block): BlockFunction {
  const { activation, pooling } = options;
  const activate = activations[activation as Activation];
  const pool = poolings[pooling];
  const inSteps: BlockFunction = ([weight, bias, ...affine], x, pass) =>
    pool(activate(norm.apply(convolution(x, weight!, { bias, padding }, pass.mode), affine, pass)));
  if (options.norm !== "instance" || activation !== "relu") return inSteps;
  return (parameters, x, pass) => {
    if (pass.mode.probe) return inSteps(parameters, x, pass);
    const [weight, bias, scale, shift] = parameters as [Tensor, Tensor, Tensor, Tensor];
    return x.convolvedBlock(weight, { bias, scale, shift, padding, epsilon: normEpsilon, pooling });
  };
}
