import { z } from "zod";
import { check } from "../core/errors.ts";
import { parsed } from "../core/parse.ts";
import type { Tensor } from "../engines/index.ts";
import { type Body, linearClassifier } from "./linearClassifier.ts";
import type { Network, Task } from "./network.ts";
import { checkGroups, normNames } from "./norm.ts";
import { residual } from "./residual.ts";

/** Channels of the first stage, as published. */
const usualWidth = 64;

/** Side of the windows whose means are the embedding. */
const meanSide = 4;

export const resNet18Options = z.strictObject({
  width: z
    .int()
    .min(1)
    .default(usualWidth)
    .describe("Channels of the first stage; each later one has twice as many."),
  norm: z
    .enum(normNames)
    .default("instance")
    .describe("Normalization after every convolution; group norm has 4 groups."),
  downsampling: z
    .enum(["stride", "avg"])
    .default("stride")
    .describe(
      "What halves the map: convolutions at stride 2, or 2×2 average pooling after ones at stride 1 (ResNet-18-AP).",
    ),
});

/** Every option of a ResNet-18: width, norm, downsampling. */
export type ResNet18Options = z.infer<typeof resNet18Options>;

/**
 * ResNet-18 (He et al. 2016) for small images, as dataset condensation judges by it (Zhao et al. 2021): a 3×3 convolution,
 * four stages of two residual blocks with 64, 128, 256 and 512 channels, means over 4×4 windows, a linear layer. Images of
 * 32×32 have an embedding of 512 values, those of 64×64 one of 2048.
 *
 * With average pooling it is that paper's ResNet-18-AP, which has no means at the end: the last feature map is the
 * embedding, 8192 values of images of 32×32. Convolutions and the linear layer start uniform on ±1/√fanIn, norms as the
 * identity (PyTorch's defaults).
 *
 * @throws InputError for unknown options, for a width that group norm cannot split, and for images whose last feature map
 *   4×4 windows do not tile.
 */
export function resNet18(given: z.input<typeof resNet18Options>, task: Task): Network {
  const { width, norm, downsampling } = parsed("resNet18", resNet18Options, given);
  checkGroups("resNet18.width", norm, width);
  const body = residual({ blocks: [2, 2, 2, 2], width, norm, downsampling }, task);
  const pooled = downsampling === "avg";
  const name = [`resNet18${pooled ? "Ap" : ""}`, ...(width === usualWidth ? [] : [`w${width}`]), norm].join(
    "-",
  );
  return linearClassifier({ name, ...(pooled ? mapped(body, task) : averaged(body, task)) }, task);
}

type Nameless = Omit<Body, "name">;

/** The body with means over windows of its last feature map. */
function averaged(body: Nameless, { imageShape }: Task): Nameless {
  const [h, w, channels] = body.map as [number, number, number];
  check(
    h % meanSide === 0 && w % meanSide === 0,
    () =>
      `resNet18: expected images whose last feature map is tiled by ${meanSide}×${meanSide} windows, such as 32×32 or ` +
      `64×64, got ${imageShape.slice(0, 2).join("×")} with a map of ${h}×${w}; resize them`,
  );
  const featureMap = (...given: Parameters<Body["featureMap"]>): Tensor =>
    body.featureMap(...given).avgPool(meanSide);
  return { ...body, map: [h / meanSide, w / meanSide, channels], featureMap };
}

function mapped(body: Nameless, { imageShape }: Task): Nameless {
  check(
    body.map.every((length) => length > 0),
    () =>
      `resNet18: expected images of at least 8×8 for three poolings, got ${imageShape.slice(0, 2).join("×")}`,
  );
  return body;
}
