import { z } from "zod";
import { parsed } from "../core/parse.ts";
import { convolutions } from "./convolutions.ts";
import { normGroups } from "./layers.ts";
import { linearClassifier } from "./linearClassifier.ts";
import { nameOf } from "./naming.ts";
import type { Network, Task } from "./network.ts";
import { checkGroups, normNames } from "./norm.ts";

const usual = { width: 128, norm: "none" } as const;

export const alexNetOptions = z.strictObject({
  width: z
    .int()
    .min(2)
    .multipleOf(2)
    .default(usual.width)
    .describe("Channels of the first convolution, even; the others have 3/2, 2, 3/2 and 3/2 as many."),
  norm: z
    .enum(normNames)
    .default(usual.norm)
    .describe("Normalization after every convolution; group norm has 4 groups."),
});

/** Every option of an AlexNet: width, norm. */
export type AlexNetOptions = z.infer<typeof alexNetOptions>;

/**
 * AlexNet (Krizhevsky et al. 2012) for small images, as dataset condensation judges by it (Zhao et al. 2021): 5×5
 * convolutions to 128 and 192 channels, 3×3 ones to 256, 192 and 192, each followed by ReLU, the first two and the last by
 * 2×2 max pooling too, and a linear layer. It has no norm and no dropout; with batch norm it is that paper's AlexNetBN.
 *
 * The first convolution pads by 4 where images have one channel, so that 28×28 digits become 32×32 there. Layers start
 * uniform on ±1/√fanIn, norms as the identity (PyTorch's defaults).
 *
 * @throws InputError for unknown options, for a width that group norm cannot split, and for images that three poolings
 *   leave nothing of.
 */
export function alexNet(given: z.input<typeof alexNetOptions>, task: Task): Network {
  const { width, norm } = parsed("alexNet", alexNetOptions, given);
  checkGroups("alexNet.width", norm, width, 2 * normGroups);
  const wide = { side: 5, padding: 2, pooling: "max" } as const;
  const layers = [
    { ...wide, channels: width, padding: task.imageShape[2] === 1 ? 4 : 2 },
    { ...wide, channels: 1.5 * width },
    { channels: 2 * width },
    { channels: 1.5 * width },
    { channels: 1.5 * width, pooling: "max" },
  ] as const;
  const name = nameOf("alexNet", { w: [width, usual.width] }, norm === usual.norm ? undefined : norm);
  const body = convolutions(layers, { where: "alexNet", norm, activation: "relu" }, task);
  return linearClassifier({ name, ...body }, task);
}
