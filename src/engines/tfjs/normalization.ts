import type { InstanceNormReluOptions, LayerOptions, Tensor } from "../engine.ts";
import { checkObject } from "../given.ts";
import { checkNormRelu } from "../operations.ts";
import { conv2d } from "./convolution.ts";
import type { TfjsTensor } from "./tensor.ts";

/** See `Tensor.instanceNormRelu`: its definition, one operation after another. */
export function instanceNormRelu(
  where: string,
  images: TfjsTensor,
  parameters: readonly [scale: Tensor, shift: Tensor],
  options: InstanceNormReluOptions,
): TfjsTensor {
  const [scale, shift] = parameters.map((parameter) => images.engine.own(where, parameter));
  checkNormRelu(where, images.shape, [scale!.shape, shift!.shape], options);
  const { epsilon, pooling } = options;
  const centered = images.sub(images.mean([1, 2], true)); // [n, h, w, c]
  const variance = centered.square().mean([1, 2], true); // [n, 1, 1, c]
  const stretch = variance.add(epsilon).rsqrt().mul(scale!);
  const active = centered.mul(stretch).add(shift!).relu();
  if (pooling === "none") return active;
  return pooling === "avg" ? active.avgPool(2) : active.maxPool(2);
}

/** See `Tensor.convolvedBlock`. */
export function convolvedBlock(images: TfjsTensor, filters: Tensor, options: LayerOptions): TfjsTensor {
  const where = "convolvedBlock";
  checkObject(where, options);
  const { scale, shift } = options;
  return instanceNormRelu(where, conv2d(where, images, filters, options), [scale, shift], options);
}
