import { z } from "zod";
import { check } from "../core/errors.ts";
import { parsed } from "../core/parse.ts";
import { linearClassifier } from "./linearClassifier.ts";
import { nameOf } from "./naming.ts";
import type { Network, Task } from "./network.ts";
import { residual, type ResidualOptions } from "./residual.ts";

/** Channels of the first stage, as published. */
const usualWidth = 64;

export const resNetAp10Options = z.strictObject({
  width: z
    .int()
    .min(1)
    .default(usualWidth)
    .describe("Channels of the first stage; each later one has twice as many."),
  norm: z.enum(["instance", "batch"]).default("instance").describe("Normalization after every convolution."),
});

/** Every option of a ResNetAP-10: width, norm. */
export type ResNetAp10Options = z.infer<typeof resNetAp10Options>;

/**
 * ResNetAP-10, by which distilled subsets of ImageNet are judged (IDC, Kim et al. 2022, from its code; Minimax and DGS
 * since): a convolution, four stages of one residual block with 64, 128, 256 and 512 channels, the mean of the last feature
 * map, a linear layer. Maps are halved by 2×2 average pooling after convolutions at stride 1.
 *
 * The first convolution depends on the longer side of the images: 3×3 up to 64 pixels, 3×3 with 2×2 average pooling up to
 * 128, 7×7 with 4×4 average pooling above. Filters start normal with variance 2/(side² · outputs) (He et al. 2015), the
 * linear layer uniform on ±1/√fanIn, norms as the identity. The authors' code has another network by that name for CIFAR,
 * with 32 channels in the first stage.
 *
 * @throws InputError for unknown options, and for images smaller than 8×8.
 */
export function resNetAp10(given: z.input<typeof resNetAp10Options>, task: Task): Network {
  const { width, norm } = parsed("resNetAp10", resNetAp10Options, given);
  const [height, wide] = task.imageShape;
  const deviation = (side: number, outputs: number): number => Math.sqrt(2 / (side * side * outputs));
  const body = residual(
    {
      blocks: [1, 1, 1, 1],
      width,
      norm,
      downsampling: "avg",
      stem: stemFor(Math.max(height, wide)),
      deviation,
    },
    task,
  );
  check(
    body.map.every((length) => length > 0),
    () => `resNetAp10: expected images of at least 8×8 for three poolings, got ${height}×${wide}`,
  );
  return linearClassifier(
    {
      ...body,
      name: nameOf("resNetAp10", { w: [width, usualWidth] }, norm),
      map: [1, 1, body.map[2]!],
      featureMap: (...passed) => body.featureMap(...passed).mean([1, 2], true),
    },
    task,
  );
}

/** First convolution and pooling for images whose longer side has so many pixels. */
function stemFor(pixels: number): NonNullable<ResidualOptions["stem"]> {
  if (pixels <= 64) return { side: 3, pooling: 1 };
  return pixels <= 128 ? { side: 3, pooling: 2 } : { side: 7, pooling: 4 };
}
