import type { InstanceNormReluOptions } from "../engine.ts";
import { checkNormRelu } from "../shapes.ts";
import type { TfjsTensor } from "./tensor.ts";

/** See `Tensor.instanceNormRelu`: its definition, one operation after another. */
export function instanceNormRelu(
  images: TfjsTensor,
  scale: TfjsTensor,
  shift: TfjsTensor,
  { epsilon, pooling }: InstanceNormReluOptions,
): TfjsTensor {
  checkNormRelu(images.shape, scale.shape, shift.shape, pooling);
  const centered = images.sub(images.mean([1, 2], true)); // [n, h, w, c]
  const variance = centered.square().mean([1, 2], true); // [n, 1, 1, c]
  const stretch = variance.add(epsilon).rsqrt().mul(scale);
  const active = centered.mul(stretch).add(shift).relu();
  if (pooling === "none") return active;
  return pooling === "avg" ? active.avgPool(2) : active.maxPool(2);
}
