import { check, wholeNumber } from "../../core/errors.ts";
import type { ConvolutionOptions, InstanceNormReluOptions, Pooling, Tensor } from "../engine.ts";
import { checkNormRelu, text } from "../shapes.ts";
import type { TorchTensor } from "./tensor.ts";

/** See `Tensor.conv2d`. */
export function conv2d(input: TorchTensor, filters: Tensor, options: ConvolutionOptions): Tensor {
  const { runtime } = input;
  const { stride = 1, padding = 0 } = options;
  const images = runtime.float("conv2d", input);
  const weights = runtime.float("conv2d", filters);
  const bias = options.bias === undefined ? undefined : runtime.float("conv2d", options.bias);
  wholeNumber("conv2d.stride", stride, 1);
  wholeNumber("conv2d.padding", padding);
  check(
    images.shape.length === 4 && weights.shape.length === 4 && images.shape[3] === weights.shape[3],
    () =>
      `conv2d: expected [n, h, w, inputs] and [outputs, fh, fw, inputs], ` +
      `got ${text(images.shape)} and ${text(weights.shape)}`,
  );
  const operands = bias === undefined ? [images, weights] : [images, weights, bias];
  return runtime.call("conv2d", operands, () =>
    runtime.native.conv2d(images.handle, weights.handle, bias?.handle ?? 0, stride, padding),
  );
}

/** See `Tensor.avgPool` and `Tensor.maxPool`. */
export function pool(kind: "avgPool" | "maxPool", input: TorchTensor, size: number): Tensor {
  const { runtime } = input;
  const images = runtime.float(kind, input);
  wholeNumber(`${kind}.size`, size, 1);
  check(images.shape.length === 4, () => `${kind}: expected [n, h, w, c], got ${text(images.shape)}`);
  return runtime.call(kind, [images], () => runtime.native[kind](images.handle, size));
}

/** See `Tensor.instanceNormRelu`. */
export function instanceNormRelu(
  input: TorchTensor,
  scale: Tensor,
  shift: Tensor,
  { epsilon, pooling }: InstanceNormReluOptions,
): Tensor {
  const where = "instanceNormRelu";
  const { runtime } = input;
  const images = runtime.float(where, input);
  const gain = runtime.float(where, scale);
  const offset = runtime.float(where, shift);
  checkNormRelu(images.shape, gain.shape, offset.shape, pooling);
  return runtime.call(where, [images, gain, offset], () =>
    runtime.native.instanceNormRelu(
      images.handle,
      gain.handle,
      offset.handle,
      epsilon,
      poolingCodes[pooling],
    ),
  );
}

/** Code of a kind of pooling, as native/simd/normReluPool.h orders them. */
const poolingCodes: Readonly<Record<Pooling, number>> = { none: 0, avg: 1, max: 2 };
