import { check, wholeNumber } from "../../core/errors.ts";
import type {
  ConvolutionOptions,
  InstanceNormReluOptions,
  LayerOptions,
  Pooling,
  Tensor,
} from "../engine.ts";
import { checkNormRelu, text } from "../shapes.ts";
import type { TorchTensor } from "./tensor.ts";

interface Convolution {
  readonly images: TorchTensor;
  readonly filters: TorchTensor;
  readonly bias: TorchTensor | undefined;
  readonly stride: number;
  readonly padding: number;
  readonly operands: readonly TorchTensor[];
}

function convolutionOf(input: TorchTensor, given: Tensor, options: ConvolutionOptions): Convolution {
  const { runtime } = input;
  const { stride = 1, padding = 0 } = options;
  const images = runtime.float("conv2d", input);
  const filters = runtime.float("conv2d", given);
  const bias = options.bias === undefined ? undefined : runtime.float("conv2d", options.bias);
  wholeNumber("conv2d.stride", stride, 1);
  wholeNumber("conv2d.padding", padding);
  check(
    images.shape.length === 4 && filters.shape.length === 4 && images.shape[3] === filters.shape[3],
    () =>
      `conv2d: expected [n, h, w, inputs] and [outputs, fh, fw, inputs], ` +
      `got ${text(images.shape)} and ${text(filters.shape)}`,
  );
  check(
    bias === undefined || (bias.shape.length === 1 && bias.shape[0] === filters.shape[0]),
    () => `conv2d: expected a bias of shape [${filters.shape[0]!}], got ${text(bias!.shape)}`,
  );
  const operands = bias === undefined ? [images, filters] : [images, filters, bias];
  return { images, filters, bias, stride, padding, operands };
}

/** See `Tensor.conv2d`. */
export function conv2d(input: TorchTensor, given: Tensor, options: ConvolutionOptions): Tensor {
  const { runtime } = input;
  const { images, filters, bias, stride, padding, operands } = convolutionOf(input, given, options);
  return runtime.call("conv2d", operands, () =>
    runtime.native.conv2d(images.handle, filters.handle, bias?.handle ?? 0, stride, padding),
  );
}

/** See `Tensor.convolvedBlock`. */
export function convolvedBlock(input: TorchTensor, given: Tensor, options: LayerOptions): Tensor {
  const { runtime } = input;
  const { scale, shift, epsilon, pooling } = options;
  const { images, filters, bias, stride, padding, operands } = convolutionOf(input, given, options);
  const gain = runtime.float("convolvedBlock", scale);
  const offset = runtime.float("convolvedBlock", shift);
  const [n, h, w] = images.shape as [number, number, number];
  const [outputs, fh, fw] = filters.shape as [number, number, number];
  const length = (from: number, window: number): number =>
    Math.floor((from + 2 * padding - window) / stride) + 1;
  checkNormRelu([n, length(h, fh), length(w, fw), outputs], gain.shape, offset.shape, pooling);
  runtime.lists([filters.handle, bias?.handle ?? 0]);
  return runtime.call("convolvedBlock", [...operands, gain, offset], () =>
    runtime.native.layer(
      images.handle,
      gain.handle,
      offset.handle,
      stride,
      padding,
      epsilon,
      poolingCodes[pooling],
    ),
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
