import { z } from "zod";
import { parsed } from "../core/parse.ts";
import { convolutions } from "./convolutions.ts";
import { linearClassifier } from "./linearClassifier.ts";
import { nameOf } from "./naming.ts";
import type { Network, Task } from "./network.ts";
import { checkGroups, normNames } from "./norm.ts";

/** Channels of the first convolution, as published. */
const usualWidth = 64;

/** Convolutions by their channels, as multiples of the width, between the poolings. */
const stages = [[1], [2], [4, 4], [8, 8], [8, 8]];

export const vgg11Options = z.strictObject({
  width: z
    .int()
    .min(1)
    .default(usualWidth)
    .describe("Channels of the first convolution; the later ones have 2, 4 and 8 times as many."),
  norm: z
    .enum(normNames)
    .default("instance")
    .describe("Normalization after every convolution; group norm has 4 groups."),
});

/** Every option of a VGG-11: width, norm. */
export type Vgg11Options = z.infer<typeof vgg11Options>;

/**
 * VGG-11 (Simonyan & Zisserman 2015) for small images, as dataset condensation judges by it (Zhao et al. 2021): eight 3×3
 * convolutions to 64, 128, 256, 256, 512, 512, 512 and 512 channels with norm and ReLU, five 2×2 max poolings, and a linear
 * layer. Images of 32×32 have an embedding of 512 values, those of 64×64 one of 2048.
 *
 * The first convolution pads by 3 where images have one channel, so that 28×28 digits become 32×32 there. Layers start
 * uniform on ±1/√fanIn, norms as the identity (PyTorch's defaults).
 *
 * @throws InputError for unknown options, for a width that group norm cannot split, and for images that five poolings leave
 *   nothing of.
 */
export function vgg11(given: z.input<typeof vgg11Options>, task: Task): Network {
  const { width, norm } = parsed("vgg11", vgg11Options, given);
  checkGroups("vgg11.width", norm, width);
  const layers = stages.flatMap((stage) =>
    stage.map((factor, i) => ({
      channels: factor * width,
      pooling: i === stage.length - 1 ? ("max" as const) : ("none" as const),
    })),
  );
  const padded = layers.map((layer, i) => ({
    ...layer,
    padding: i === 0 && task.imageShape[2] === 1 ? 3 : 1,
  }));
  const body = convolutions(padded, { where: "vgg11", norm, activation: "relu" }, task);
  return linearClassifier({ name: nameOf("vgg11", { w: [width, usualWidth] }, norm), ...body }, task);
}
