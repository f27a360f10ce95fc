import { check, InputError } from "../../core/errors.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type {
  Axes,
  ConvolutionOptions,
  DType,
  Engine,
  InstanceNormReluOptions,
  LayerOptions,
  Operand,
  Tensor,
  Values,
} from "../engine.ts";
import {
  type BinaryName,
  type ComparisonName,
  hostArrays,
  type ReductionName,
  typeCodes,
  type UnaryName,
} from "./addon.ts";
import type { Handle } from "./addon.ts";
import { characteristic } from "./characteristic.ts";
import { conv2d, convolvedBlock, instanceNormRelu, pool } from "./layers.ts";
import type { Runtime } from "./runtime.ts";
import { axesOf, axisOf, checkBroadcast, checkMatMul, checkRange, checkReshape } from "../shapes.ts";
import { type Range, rangeOf, text } from "../shapes.ts";

/** A tensor of libtorch. Arithmetic takes an int32 operand as the engine's float type. */
export class TorchTensor implements Tensor {
  readonly runtime: Runtime;
  readonly shape: Shape;
  readonly dtype: DType;
  /** 0 once disposed. */
  handle: Handle;
  /** Whether a finalizer stands ready, for tensors outside every scope. */
  watched = false;
  /** Of positions that came from the host; others are read back where it matters. */
  range: Range | undefined = undefined;

  constructor(runtime: Runtime, handle: Handle, shape: Shape, dtype: DType) {
    this.runtime = runtime;
    this.handle = handle;
    this.shape = shape;
    this.dtype = dtype;
  }

  get engine(): Engine {
    return this.runtime.engine;
  }

  add(other: Operand): Tensor {
    return this.binary("add", other);
  }
  sub(other: Operand): Tensor {
    return this.binary("sub", other);
  }
  mul(other: Operand): Tensor {
    return this.binary("mul", other);
  }
  div(other: Operand): Tensor {
    return this.binary("div", other);
  }
  maximum(other: Operand): Tensor {
    return this.binary("maximum", other);
  }
  minimum(other: Operand): Tensor {
    return this.binary("minimum", other);
  }
  pow(exponent: number): Tensor {
    check(typeof exponent === "number", () => `pow: expected a number as exponent, got ${typeof exponent}`);
    const x = this.runtime.float("pow", this);
    return this.runtime.wrap(this.runtime.native.pow(x.handle, exponent));
  }
  greater(other: Operand): Tensor {
    return this.comparison("greater", other);
  }
  equal(other: Operand): Tensor {
    return this.comparison("equal", other);
  }

  neg(): Tensor {
    return this.unary("neg");
  }
  exp(): Tensor {
    return this.unary("exp");
  }
  log(): Tensor {
    return this.unary("log");
  }
  sqrt(): Tensor {
    return this.unary("sqrt");
  }
  rsqrt(): Tensor {
    return this.unary("rsqrt");
  }
  square(): Tensor {
    return this.unary("square");
  }
  abs(): Tensor {
    return this.unary("abs");
  }
  sin(): Tensor {
    return this.unary("sin");
  }
  cos(): Tensor {
    return this.unary("cos");
  }
  tanh(): Tensor {
    return this.unary("tanh");
  }
  sigmoid(): Tensor {
    return this.unary("sigmoid");
  }
  relu(): Tensor {
    return this.unary("relu");
  }

  sum(axes?: Axes, keepAxes = false): Tensor {
    return this.reduction("sum", axes, keepAxes);
  }
  mean(axes?: Axes, keepAxes = false): Tensor {
    return this.reduction("mean", axes, keepAxes);
  }
  max(axes?: Axes, keepAxes = false): Tensor {
    return this.reduction("max", axes, keepAxes);
  }
  argmax(axis: number): Tensor {
    const { runtime } = this;
    const { handle } = runtime.own("argmax", this);
    const along = axisOf("argmax", axis, this.shape);
    return runtime.call("argmax", [this], () => runtime.native.argmax(handle, along));
  }

  reshape(shape: Shape): Tensor {
    const { runtime } = this;
    const { handle } = runtime.own("reshape", this);
    checkReshape(this.shape, shape);
    runtime.lists(shape);
    return runtime.wrap(runtime.native.reshape(handle));
  }

  transpose(order: readonly number[] = this.shape.map((_, axis) => this.shape.length - 1 - axis)): Tensor {
    const { runtime } = this;
    const { handle } = runtime.own("transpose", this);
    check(
      order.length === this.shape.length && new Set(order).size === order.length,
      () => `transpose: expected every axis of ${text(this.shape)} once, got order ${text(order)}`,
    );
    runtime.lists(order.map((axis) => axisOf("transpose", axis, this.shape)));
    return runtime.wrap(runtime.native.transpose(handle));
  }

  broadcastTo(shape: Shape): Tensor {
    const { runtime } = this;
    const { handle } = runtime.own("broadcastTo", this);
    runtime.lists(shape);
    return runtime.call("broadcastTo", [this, { shape } as Tensor], () => runtime.native.broadcastTo(handle));
  }

  slice(begin: Shape, size: Shape): Tensor {
    const { runtime } = this;
    const { handle } = runtime.own("slice", this);
    const fits =
      begin.length === this.shape.length &&
      size.length === begin.length &&
      begin.every(
        (first, axis) => first >= 0 && size[axis]! >= 0 && first + size[axis]! <= this.shape[axis]!,
      );
    check(
      fits,
      () => `slice: expected a part of ${text(this.shape)}, got begin ${text(begin)}, size ${text(size)}`,
    );
    runtime.lists(begin, size);
    return runtime.wrap(runtime.native.slice(handle));
  }

  pad(margins: readonly (readonly [before: number, after: number])[]): Tensor {
    const { runtime } = this;
    const { handle } = runtime.own("pad", this);
    check(
      margins.length === this.shape.length && margins.every(([before, after]) => before >= 0 && after >= 0),
      () =>
        `pad: expected two margins >= 0 for every axis of ${text(this.shape)}, got ${JSON.stringify(margins)}`,
    );
    runtime.lists(margins.toReversed().flat());
    return runtime.call("pad", [this], () => runtime.native.pad(handle));
  }

  gather(indices: Tensor, axis = 0): Tensor {
    const { runtime } = this;
    const { handle } = runtime.own("gather", this);
    const at = runtime.own("gather", indices);
    check(
      at.dtype === "int32" && at.shape.length === 1,
      () => `gather: expected int32 indices of shape [count], got ${at.dtype} ${text(at.shape)}`,
    );
    const along = axisOf("gather", axis, this.shape);
    checkRange(at.range ?? rangeOf(at.values()), this.shape[along]!);
    return runtime.call("gather", [this, at], () => runtime.native.gather(handle, at.handle, along));
  }

  matMul(other: Tensor): Tensor {
    const { runtime } = this;
    const left = runtime.float("matMul", this);
    const right = runtime.float("matMul", other);
    checkMatMul(left.shape, right.shape);
    return runtime.call("matMul", [left, right], () => runtime.native.matMul(left.handle, right.handle));
  }

  characteristic(
    frequencies: Tensor,
    counts: readonly number[],
  ): { readonly re: Tensor; readonly im: Tensor } {
    return characteristic(this, frequencies, counts);
  }

  logSoftmax(): Tensor {
    const { runtime } = this;
    const x = runtime.float("logSoftmax", this);
    return runtime.call("logSoftmax", [x], () => runtime.native.logSoftmax(x.handle));
  }

  conv2d(filters: Tensor, options: ConvolutionOptions = {}): Tensor {
    return conv2d(this, filters, options);
  }
  avgPool(size: number): Tensor {
    return pool("avgPool", this, size);
  }
  maxPool(size: number): Tensor {
    return pool("maxPool", this, size);
  }
  instanceNormRelu(scale: Tensor, shift: Tensor, options: InstanceNormReluOptions): Tensor {
    return instanceNormRelu(this, scale, shift, options);
  }
  convolvedBlock(filters: Tensor, options: LayerOptions): Tensor {
    return convolvedBlock(this, filters, options);
  }

  detach(): Tensor {
    const { handle } = this.runtime.own("detach", this);
    return this.runtime.wrap(this.runtime.native.detach(handle));
  }

  values(): Values {
    const { handle } = this.runtime.own("values", this);
    const target = new hostArrays[this.dtype](sizeOf(this.shape));
    this.runtime.native.download(handle, target);
    return target;
  }

  item(): number {
    const { handle } = this.runtime.own("item", this);
    check(
      sizeOf(this.shape) === 1,
      () => `item: expected a tensor with one element, got shape ${text(this.shape)}`,
    );
    return this.runtime.native.item(handle);
  }

  dispose(): void {
    this.runtime.dispose(this);
  }

  private unary(name: UnaryName): Tensor {
    const { runtime } = this;
    return runtime.wrap(runtime.native[name](runtime.float(name, this).handle));
  }

  private binary(name: BinaryName, other: Operand): Tensor {
    const { runtime } = this;
    const left = runtime.float(name, this);
    if (typeof other === "number") return runtime.wrap(runtime.native[name](left.handle, other, true));
    const right = runtime.float(name, other);
    checkBroadcast(name, left.shape, right.shape);
    return runtime.wrap(runtime.native[name](left.handle, right.handle, false));
  }

  private comparison(name: ComparisonName, other: Operand): Tensor {
    const { runtime } = this;
    const left = runtime.own(name, this);
    const type = typeCodes[runtime.dtype];
    if (typeof other === "number") return runtime.wrap(runtime.native[name](left.handle, other, true, type));
    const right = runtime.own(name, other);
    checkBroadcast(name, left.shape, right.shape);
    return runtime.wrap(runtime.native[name](left.handle, right.handle, false, type));
  }

  private reduction(name: ReductionName, axes: Axes | undefined, keepAxes: boolean): Tensor {
    const { runtime } = this;
    const x = runtime.float(name, this);
    const along = axesOf(name, axes, x.shape);
    if (along.length === 0) return name === "max" ? x.detach() : x.reshape(x.shape);
    if (name === "max" && sizeOf(x.shape) === 0)
      throw new InputError(`max: got an empty tensor ${text(x.shape)}`);
    runtime.lists(along);
    return runtime.call(name, [x], () => runtime.native[name](x.handle, keepAxes));
  }
}
