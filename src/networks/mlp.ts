import { z } from "zod";
import { parsed } from "../core/parse.ts";
import { withHidden } from "./hidden.ts";
import { linearClassifier } from "./linearClassifier.ts";
import type { Network, Task } from "./network.ts";
import { nameOf } from "./naming.ts";

const usual = { depth: 2, width: 128 };

export const mlpOptions = z.strictObject({
  depth: z.int().min(1).default(usual.depth).describe("Hidden layers."),
  width: z.int().min(1).default(usual.width).describe("Units of every hidden layer."),
});

/** Every option of an MLP: depth, width. */
export type MlpOptions = z.infer<typeof mlpOptions>;

/**
 * The multilayer perceptron of dataset condensation (Zhao et al. 2021): two hidden layers of 128 units with ReLU on the
 * pixels, which are flattened channel by channel, then a linear layer.
 *
 * Its embedding is the last hidden layer, and so is its feature map, as one position with a channel for each unit. Layers
 * start uniform on ±1/√fanIn (PyTorch's default).
 *
 * @throws InputError for unknown options.
 */
export function mlp(given: z.input<typeof mlpOptions>, task: Task): Network {
  const { depth, width } = parsed("mlp", mlpOptions, given);
  const pixels = {
    name: nameOf("mlp", { d: [depth, usual.depth], w: [width, usual.width] }),
    map: task.imageShape,
    largest: 0,
    parameters: [],
    statistics: [],
    featureMap: <T>(_: unknown, images: T): T => images,
  };
  return linearClassifier(withHidden(pixels, Array<number>(depth).fill(width)), task);
}
