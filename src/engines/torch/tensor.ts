import { check } from "../../core/errors.ts";
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
import type { BinaryName, ComparisonName, Handle, ReductionName, UnaryName } from "./addon.ts";
import { allocated, flagOf, numberOf, text } from "../given.ts";
import { checkNotEmpty, type Margins, productShape, type Range } from "../operations.ts";
import { axesOf, axisOf, broadcastShape } from "../shapes.ts";
import { typeCodes } from "./addon.ts";
import { characteristic } from "./characteristic.ts";
import { conv2d, convolvedBlock, instanceNormRelu, pool } from "./layers.ts";
import { argmax, broadcastTo, gather, pad, reshape, slice, transpose } from "./layout.ts";
import type { Runtime } from "./runtime.ts";

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
    const { runtime } = this;
    const x = runtime.float("pow", this);
    numberOf("pow", exponent);
    return runtime.call("pow", [x], () => runtime.native.pow(x.handle, exponent));
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
    return argmax(this, axis);
  }

  reshape(shape: Shape): Tensor {
    return reshape(this, shape);
  }
  transpose(order?: readonly number[]): Tensor {
    return transpose(this, order);
  }
  broadcastTo(shape: Shape): Tensor {
    return broadcastTo(this, shape);
  }
  slice(begin: Shape, size: Shape): Tensor {
    return slice(this, begin, size);
  }
  pad(margins: Margins): Tensor {
    return pad(this, margins);
  }
  gather(indices: Tensor, axis = 0): Tensor {
    return gather(this, indices, axis);
  }

  matMul(other: Tensor): Tensor {
    const { runtime } = this;
    const left = runtime.float("matMul", this);
    const right = runtime.float("matMul", other);
    productShape(left.shape, right.shape);
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
    axisOf("logSoftmax", -1, x.shape);
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
    const { runtime } = this;
    const { handle } = runtime.own("detach", this);
    return runtime.call("detach", [this], () => runtime.native.detach(handle));
  }

  values(): Values {
    const { runtime } = this;
    const { handle } = runtime.own("values", this);
    const target = allocated("values", this.dtype, sizeOf(this.shape));
    return runtime.attempt("values", [this], () => {
      runtime.native.download(handle, target);
      return target;
    });
  }

  item(): number {
    const { runtime } = this;
    const { handle } = runtime.own("item", this);
    check(
      sizeOf(this.shape) === 1,
      () => `item: expected a tensor with one element, got shape ${text(this.shape)}`,
    );
    return runtime.attempt("item", [this], () => runtime.native.item(handle));
  }

  dispose(): void {
    this.runtime.dispose(this);
  }

  private unary(name: UnaryName): Tensor {
    const { runtime } = this;
    const x = runtime.float(name, this);
    return runtime.call(name, [x], () => runtime.native[name](x.handle));
  }

  private binary(name: BinaryName, other: Operand): Tensor {
    const { runtime } = this;
    const left = runtime.float(name, this);
    if (typeof other === "number") {
      return runtime.call(name, [left], () => runtime.native[name](left.handle, other, true));
    }
    const right = runtime.float(name, other);
    broadcastShape(name, left.shape, right.shape);
    return runtime.call(name, [left, right], () => runtime.native[name](left.handle, right.handle, false));
  }

  private comparison(name: ComparisonName, other: Operand): Tensor {
    const { runtime } = this;
    const left = runtime.own(name, this);
    const type = typeCodes[runtime.dtype];
    if (typeof other === "number") {
      return runtime.call(name, [left], () => runtime.native[name](left.handle, other, true, type));
    }
    const right = runtime.own(name, other);
    broadcastShape(name, left.shape, right.shape);
    return runtime.call(name, [left, right], () =>
      runtime.native[name](left.handle, right.handle, false, type),
    );
  }

  private reduction(name: ReductionName, axes: Axes | undefined, keepAxes: boolean): Tensor {
    const { runtime } = this;
    const x = runtime.float(name, this);
    const along = axesOf(name, axes, x.shape);
    flagOf(name, keepAxes);
    if (name === "max") checkNotEmpty(name, x.shape, along);
    if (along.length === 0) return name === "max" ? x.detach() : x.reshape(x.shape);
    runtime.lists(along);
    return runtime.call(name, [x], () => runtime.native[name](x.handle, keepAxes));
  }
}
