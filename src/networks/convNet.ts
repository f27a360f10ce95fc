import { z } from "zod";
import { parsed } from "../core/parse.ts";
import { convolutions } from "./convolutions.ts";
import { activations, poolings } from "./layers.ts";
import { linearClassifier } from "./linearClassifier.ts";
import type { Network, Task } from "./network.ts";
import { checkGroups, normNames } from "./norm.ts";

const namesOf = <T extends object>(table: T): [keyof T & string] => Object.keys(table) as [keyof T & string];

export const convNetOptions = z.strictObject({
  depth: z
    .int()
    .min(1)
    .max(8)
    .default(3)
    .describe(
      "Blocks of convolution, norm, activation and pooling, 1 to 8. Each pooling halves the map: 32×32 has room for 5, 64×64 for 6.",
    ),
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
  const { depth, width, activation, norm, pooling } = parsed("convNet", convNetOptions, given);
  checkGroups("convNet.width", norm, width);
  const first = { channels: width, pooling, padding: task.imageShape[2] === 1 ? 3 : 1 };
  const later = { channels: width, pooling };
  const layers = Array.from({ length: depth }, (_, i) => (i === 0 ? first : later));
  const name = `convNet-d${depth}-w${width}-${activation}-${norm}-${pooling}`;
  const body = convolutions(layers, { where: "convNet.depth", norm, activation }, task);
  return linearClassifier({ name, ...body }, task);
}
