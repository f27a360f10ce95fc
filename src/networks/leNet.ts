import { z } from "zod";
import { parsed } from "../core/parse.ts";
import { convolutions } from "./convolutions.ts";
import { withHidden } from "./hidden.ts";
import { linearClassifier } from "./linearClassifier.ts";
import type { Network, Task } from "./network.ts";

/** A LeNet has no options. */
export const leNetOptions = z.strictObject({});

/**
 * LeNet (LeCun et al. 1998) as dataset condensation judges by it (Zhao et al. 2021): two 5×5 convolutions to 6 and 16
 * channels, each followed by ReLU and 2×2 max pooling, hidden layers of 120 and 84 units with ReLU, a linear layer. The
 * first convolution pads by 2 where images have one channel, so that 28×28 digits and 32×32 images both become 5×5 maps.
 *
 * Its embedding is the second hidden layer, and so is its feature map, as one position of 84 channels. Layers start uniform
 * on ±1/√fanIn (PyTorch's default).
 *
 * @throws InputError for options, and for images that are too small.
 */
export function leNet(given: z.input<typeof leNetOptions>, task: Task): Network {
  parsed("leNet", leNetOptions, given);
  const layer = { side: 5, padding: 0, pooling: "max" } as const;
  const first = { ...layer, channels: 6, padding: task.imageShape[2] === 1 ? 2 : 0 };
  const second = { ...layer, channels: 16 };
  const body = convolutions([first, second], { where: "leNet", norm: "none", activation: "relu" }, task);
  return linearClassifier({ name: "leNet", ...withHidden(body, [120, 84]) }, task);
}
