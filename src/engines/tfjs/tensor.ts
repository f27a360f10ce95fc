import type * as Tf from "@tensorflow/tfjs-core";
import { check } from "../../core/errors.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type {
  Axes,
  ConvolutionOptions,
  DType,
  InstanceNormReluOptions,
  LayerOptions,
  Operand,
  Tensor,
  Values,
} from "../engine.ts";
import { conv2d } from "./convolution.ts";
import { characteristic } from "./characteristic.ts";
import { binary, comparison, power, unary } from "./elementwise.ts";
import type { TfjsEngine } from "./index.ts";
import { broadcastTo, gather, pad, reshape, slice, transpose } from "./layout.ts";
import { instanceNormRelu } from "./normalization.ts";
import { avgPool, maxPool } from "./pooling.ts";
import { argmax, logSoftmax, matMul, max, mean, sum } from "./reductions.ts";

/**
 * A tensor of a TensorFlow.js backend. Arithmetic takes int32 operands as float32. Its memory is counted: one share is the user's, until `dispose`, and one is held
 * by each place of the tape that still needs the values.
 */
export class TfjsTensor implements Tensor {
  readonly engine: TfjsEngine;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Which running `gradients` calls this value depends on: bit d for the call at depth d. */
  calls = 0;
  readonly #memory: Tf.Tensor;
  #holders = 1;
  #disposed = false;

  constructor(engine: TfjsEngine, memory: Tf.Tensor) {
    this.engine = engine;
    this.shape = memory.shape;
    this.dtype = memory.dtype === "int32" ? "int32" : "float32";
    this.#memory = memory;
  }

  /** What TensorFlow.js kernels take. */
  get memory(): Tf.Tensor {
    // Derivatives need values that the user may have disposed of in the meantime; the tape then holds them.
    const readable = !this.#disposed || (this.engine.tape.replaying && this.#holders > 0);
    check(readable, () => `tensor [${this.shape.join(", ")}]: used after it was disposed of`);
    return this.#memory;
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#memory.dispose();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.release();
  }

  /** In the engine's float type, which arithmetic is done in. */
  float(): TfjsTensor {
    return this.dtype === "int32" ? this.engine.run("Cast", { x: this.memory }, { dtype: "float32" }) : this;
  }

  /** The same value as another tensor; differentiable. */
  alias(): TfjsTensor {
    return this.engine.tape.record(this.detach(), [this], [(g) => g]);
  }

  detach(): TfjsTensor {
    return this.engine.run("Identity", { x: this.memory });
  }

  values(): Values {
    return this.memory.dataSync<"float32" | "int32">();
  }

  item(): number {
    check(sizeOf(this.shape) === 1, () => `item: expected one element, got shape [${this.shape.join(", ")}]`);
    return this.values()[0]!;
  }

  add(other: Operand): TfjsTensor {
    return binary("add", this, other);
  }
  sub(other: Operand): TfjsTensor {
    return binary("sub", this, other);
  }
  mul(other: Operand): TfjsTensor {
    return binary("mul", this, other);
  }
  div(other: Operand): TfjsTensor {
    return binary("div", this, other);
  }
  maximum(other: Operand): TfjsTensor {
    return binary("maximum", this, other);
  }
  minimum(other: Operand): TfjsTensor {
    return binary("minimum", this, other);
  }
  pow(exponent: number): TfjsTensor {
    return power(this, exponent);
  }
  greater(other: Operand): TfjsTensor {
    return comparison("greater", this, other);
  }
  equal(other: Operand): TfjsTensor {
    return comparison("equal", this, other);
  }

  neg(): TfjsTensor {
    return unary("neg", this);
  }
  exp(): TfjsTensor {
    return unary("exp", this);
  }
  log(): TfjsTensor {
    return unary("log", this);
  }
  sqrt(): TfjsTensor {
    return unary("sqrt", this);
  }
  rsqrt(): TfjsTensor {
    return unary("rsqrt", this);
  }
  square(): TfjsTensor {
    return unary("square", this);
  }
  abs(): TfjsTensor {
    return unary("abs", this);
  }
  sin(): TfjsTensor {
    return unary("sin", this);
  }
  cos(): TfjsTensor {
    return unary("cos", this);
  }
  tanh(): TfjsTensor {
    return unary("tanh", this);
  }
  sigmoid(): TfjsTensor {
    return unary("sigmoid", this);
  }
  relu(): TfjsTensor {
    return unary("relu", this);
  }

  sum(axes?: Axes, keepAxes = false): TfjsTensor {
    return sum(this, axes, keepAxes);
  }
  mean(axes?: Axes, keepAxes = false): TfjsTensor {
    return mean(this, axes, keepAxes);
  }
  max(axes?: Axes, keepAxes = false): TfjsTensor {
    return max(this, axes, keepAxes);
  }
  argmax(axis: number): TfjsTensor {
    return argmax(this, axis);
  }

  reshape(shape: Shape): TfjsTensor {
    return reshape(this, shape);
  }
  transpose(order?: readonly number[]): TfjsTensor {
    return transpose(this, order);
  }
  broadcastTo(shape: Shape): TfjsTensor {
    return broadcastTo(this, shape);
  }
  slice(begin: Shape, size: Shape): TfjsTensor {
    return slice(this, begin, size);
  }
  pad(margins: readonly (readonly [before: number, after: number])[]): TfjsTensor {
    return pad(this, margins);
  }
  gather(indices: Tensor, axis = 0): TfjsTensor {
    return gather(this, this.engine.own("gather", indices), axis);
  }
  matMul(other: Tensor): TfjsTensor {
    return matMul(this, this.engine.own("matMul", other));
  }

  characteristic(frequencies: Tensor, counts: readonly number[]): { re: TfjsTensor; im: TfjsTensor } {
    return characteristic(this, this.engine.own("characteristic", frequencies), counts);
  }

  logSoftmax(): TfjsTensor {
    return logSoftmax(this);
  }
  conv2d(filters: Tensor, options: ConvolutionOptions = {}): TfjsTensor {
    return conv2d(this, this.engine.own("conv2d", filters), options);
  }
  avgPool(size: number): TfjsTensor {
    return avgPool(this, size);
  }
  maxPool(size: number): TfjsTensor {
    return maxPool(this, size);
  }
  instanceNormRelu(scale: Tensor, shift: Tensor, options: InstanceNormReluOptions): TfjsTensor {
    const where = "instanceNormRelu";
    return instanceNormRelu(this, this.engine.own(where, scale), this.engine.own(where, shift), options);
  }
  convolvedBlock(filters: Tensor, options: LayerOptions): TfjsTensor {
    return this.conv2d(filters, options).instanceNormRelu(options.scale, options.shift, options);
  }
}
