import type { Pooling } from "../../src/engines/index.ts";
import { array, type Op } from "./engineOp.ts";

/** 1, …, 9 as one image of one channel. */
const image = array("1 3 3 1", 1, 2, 3, 4, 5, 6, 7, 8, 9);
/** Upper left pixel minus lower right one. */
const diagonal = array("1 2 2 1", 1, 0, 0, -1);
const double = array("1 1 1 1", 2);

const convolutions: Op[] = [
  {
    name: "conv2d",
    f: ([x, w]) => x!.conv2d(w!),
    inputs: [image, diagonal],
    output: array("1 2 2 1", -4, -4, -4, -4),
    at: ["2 4 5 2", "3 3 2 2"],
  },
  {
    name: "conv2d with bias",
    f: ([x, w, bias]) => x!.conv2d(w!, { bias: bias! }),
    inputs: [image, diagonal, array("1", 10)],
    output: array("1 2 2 1", 6, 6, 6, 6),
    at: ["2 3 3 2", "3 2 2 2", "3"],
  },
  {
    name: "conv2d with padding 1",
    f: ([x, w]) => x!.conv2d(w!, { padding: 1 }),
    inputs: [image, diagonal],
    output: array("1 4 4 1", -1, -2, -3, 0, -4, -4, -4, 3, -7, -4, -4, 6, 0, 7, 8, 9),
    at: ["2 4 3 2", "2 3 3 2"],
  },
  {
    name: "conv2d with stride 2",
    f: ([x, w]) => x!.conv2d(w!, { stride: 2, padding: 1 }),
    inputs: [image, diagonal],
    output: array("1 2 2 1", -1, -3, -7, -4),
    at: ["2 5 6 2", "2 3 3 2"],
  },
  {
    name: "conv2d with stride 2 and pixels left over",
    f: ([x, w]) => x!.conv2d(w!, { stride: 2 }),
    inputs: [image, diagonal],
    output: array("1 1 1 1", -4),
    at: ["1 6 5 2", "2 3 2 2"],
  },
  {
    name: "conv2d with more padding than filter",
    f: ([x, w]) => x!.conv2d(w!, { stride: 3, padding: 3 }),
    inputs: [image, double],
    output: array("1 3 3 1", 0, 0, 0, 0, 2, 0, 0, 0, 0),
    at: ["2 4 3 2", "3 1 1 2"],
  },
  {
    name: "conv2d with 1×1 filters",
    f: ([x, w]) => x!.conv2d(w!),
    inputs: [image, double],
    output: array("1 3 3 1", 2, 4, 6, 8, 10, 12, 14, 16, 18),
    at: ["2 3 2 3", "2 1 1 3"],
  },
];

const pools: Op[] = [
  {
    name: "avgPool with pixels left over",
    f: ([x]) => x!.avgPool(2),
    inputs: [image],
    output: array("1 1 1 1", 3),
    at: ["2 5 4 2"],
  },
  {
    name: "avgPool of 3×3 windows",
    f: ([x]) => x!.avgPool(3),
    inputs: [image],
    output: array("1 1 1 1", 5),
    at: ["1 7 6 2"],
  },
  {
    name: "maxPool with pixels left over",
    f: ([x]) => x!.maxPool(2),
    inputs: [image],
    output: array("1 1 1 1", 5),
    at: ["2 5 4 2"],
  },
  {
    name: "maxPool of 3×3 windows",
    f: ([x]) => x!.maxPool(3),
    inputs: [image],
    output: array("1 1 1 1", 9),
    at: ["1 7 6 2"],
  },
];

/** Mean 0 and variance 5 make 2x/√5 + 1 of the image. */
function block(pooling: Pooling): Op {
  const active = [0, 1 - 2 / Math.sqrt(5), 1 + 2 / Math.sqrt(5), 1 + 6 / Math.sqrt(5)];
  const outputs = {
    avg: array("1 1 1 1", active.reduce((a, b) => a + b) / 4),
    max: array("1 1 1 1", active[3]!),
    none: array("1 2 2 1", ...active),
  };
  return {
    name: `instanceNormRelu with ${pooling} pooling`,
    f: ([x, scale, shift]) => x!.instanceNormRelu(scale!, shift!, { epsilon: 0, pooling }),
    inputs: [array("1 2 2 1", -3, -1, 1, 3), array("1", 2), array("1", 1)],
    output: outputs[pooling],
    at: ["2 5 4 2", "2", "2"],
  };
}

const blocks: Op[] = [
  ...(["avg", "max", "none"] as const).map(block),
  {
    name: "convolvedBlock",
    f: ([x, w, bias, scale, shift]) =>
      x!.convolvedBlock(w!, {
        bias: bias!,
        padding: 1,
        scale: scale!,
        shift: shift!,
        epsilon: 0,
        pooling: "avg",
      }),
    // Filters that double the image and a bias that the norm takes away: the block above.
    inputs: [
      array("1 2 2 1", -3, -1, 1, 3),
      array("1 3 3 1", 0, 0, 0, 0, 2, 0, 0, 0, 0),
      array("1", 7),
      array("1", 2),
      array("1", 1),
    ],
    output: block("avg").output,
    at: ["2 5 4 2", "3 3 3 2", "3", "3", "3"],
  },
  {
    name: "a small network",
    f: ([x, w, v]) => {
      const features = x!.conv2d(w!, { padding: 1 }).sigmoid().avgPool(2); // [n, 2, 2, 3]
      return features.reshape([x!.shape[0]!, 12]).matMul(v!).logSoftmax();
    },
    // Every feature is σ(0) = 1/2; the logits are 12/2 and 0.
    inputs: [
      array("1 4 4 1", ...Array<number>(16).fill(0)),
      array("3 3 3 1", ...Array<number>(27).fill(1)),
      array("12 2", ...Array.from({ length: 24 }, (_, i) => 1 - (i % 2))),
    ],
    output: array("1 2", -Math.log(1 + Math.exp(-6)), -Math.log(1 + Math.exp(6))),
    at: ["2 4 4 1", "3 3 3 1", "12 2"],
  },
];

/** Operations on images, [n, h, w, c]. */
export const imageOps: readonly Op[] = [...convolutions, ...pools, ...blocks];
