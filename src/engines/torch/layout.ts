import type { Shape } from "../../core/shape.ts";
import type { Tensor } from "../engine.ts";
import { axisOrder, broadcastTarget, checkNotEmpty, gatherAxis, padMargins } from "../operations.ts";
import { type Margins, rangeOf, reshapedShape, sliceBounds } from "../operations.ts";
import { axisOf } from "../shapes.ts";
import type { TorchTensor } from "./tensor.ts";

export function reshape(x: TorchTensor, to: Shape): Tensor {
  const { runtime } = x;
  const { handle } = runtime.own("reshape", x);
  runtime.lists(reshapedShape(x.shape, to));
  return runtime.call("reshape", [x], () => runtime.native.reshape(handle));
}

export function transpose(x: TorchTensor, order: readonly number[] | undefined): Tensor {
  const { runtime } = x;
  const { handle } = runtime.own("transpose", x);
  runtime.lists(axisOrder(x.shape, order));
  return runtime.call("transpose", [x], () => runtime.native.transpose(handle));
}

export function broadcastTo(x: TorchTensor, to: Shape): Tensor {
  const { runtime } = x;
  const { handle } = runtime.own("broadcastTo", x);
  runtime.lists(broadcastTarget(x.shape, to));
  return runtime.call("broadcastTo", [x], () => runtime.native.broadcastTo(handle));
}

export function slice(x: TorchTensor, from: Shape, lengths: Shape): Tensor {
  const { runtime } = x;
  const { handle } = runtime.own("slice", x);
  const { begin, size } = sliceBounds(x.shape, from, lengths);
  runtime.lists(begin, size);
  return runtime.call("slice", [x], () => runtime.native.slice(handle));
}

export function pad(x: TorchTensor, margins: Margins): Tensor {
  const { runtime } = x;
  const { handle } = runtime.own("pad", x);
  runtime.lists(padMargins(x.shape, margins).toReversed().flat());
  return runtime.call("pad", [x], () => runtime.native.pad(handle));
}

export function gather(x: TorchTensor, positions: Tensor, axis: number): Tensor {
  const { runtime } = x;
  const { handle } = runtime.own("gather", x);
  const at = runtime.own("gather", positions);
  const along = gatherAxis(x, at, axis, () => at.range ?? rangeOf(at.values()));
  return runtime.call("gather", [x, at], () => runtime.native.gather(handle, at.handle, along));
}

export function argmax(x: TorchTensor, axis: number): Tensor {
  const { runtime } = x;
  const { handle } = runtime.own("argmax", x);
  const along = axisOf("argmax", axis, x.shape);
  checkNotEmpty("argmax", x.shape, [along]);
  return runtime.call("argmax", [x], () => runtime.native.argmax(handle, along));
}
