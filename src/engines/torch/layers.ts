import type {
  ConvolutionOptions,
  InstanceNormReluOptions,
  LayerOptions,
  Pooling,
  Tensor,
} from "../engine.ts";
import { checkObject } from "../given.ts";
import { checkNormRelu, checkWindows, convolutionGeometry, type Geometry } from "../operations.ts";
import type { TorchTensor } from "./tensor.ts";

interface Convolution extends Geometry {
  readonly images: TorchTensor;
  readonly filters: TorchTensor;
  readonly bias: TorchTensor | undefined;
  readonly operands: readonly TorchTensor[];
}

function convolutionOf(
  where: string,
  input: TorchTensor,
  given: Tensor,
  options: ConvolutionOptions,
): Convolution {
  const { runtime } = input;
  const images = runtime.float(where, input);
  const filters = runtime.float(where, given);
  checkObject(where, options);
  const bias = options.bias === undefined ? undefined : runtime.float(`${where}.bias`, options.bias);
  const geometry = convolutionGeometry(where, images.shape, filters.shape, options);
  const operands = bias === undefined ? [images, filters] : [images, filters, bias];
  return { images, filters, bias, operands, ...geometry };
}

/** See `Tensor.conv2d`. */
export function conv2d(input: TorchTensor, given: Tensor, options: ConvolutionOptions): Tensor {
  const { runtime } = input;
  const convolution = convolutionOf("conv2d", input, given, options);
  const { images, filters, bias, stride, padding, operands } = convolution;
  return runtime.call("conv2d", operands, () =>
    runtime.native.conv2d(images.handle, filters.handle, bias?.handle ?? 0, stride, padding),
  );
}

/** See `Tensor.convolvedBlock`. */
export function convolvedBlock(input: TorchTensor, given: Tensor, options: LayerOptions): Tensor {
  const where = "convolvedBlock";
  const { runtime } = input;
  const { images, filters, bias, stride, padding, operands, shape } = convolutionOf(
    where,
    input,
    given,
    options,
  );
  const gain = runtime.float(where, options.scale);
  const offset = runtime.float(where, options.shift);
  checkNormRelu(where, shape, [gain.shape, offset.shape], options);
  const { epsilon, pooling } = options;
  runtime.lists([filters.handle, bias?.handle ?? 0]);
  return runtime.call(where, [...operands, gain, offset], () =>
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
  checkWindows(kind, images.shape, size);
  return runtime.call(kind, [images], () => runtime.native[kind](images.handle, size));
}

/** See `Tensor.instanceNormRelu`. */
export function instanceNormRelu(
  input: TorchTensor,
  scale: Tensor,
  shift: Tensor,
  options: InstanceNormReluOptions,
): Tensor {
  const where = "instanceNormRelu";
  const { runtime } = input;
  const images = runtime.float(where, input);
  const gain = runtime.float(where, scale);
  const offset = runtime.float(where, shift);
  checkNormRelu(where, images.shape, [gain.shape, offset.shape], options);
  const { epsilon, pooling } = options;
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
