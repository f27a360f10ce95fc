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
import { text } from "../given.ts";
import type { Margins } from "../operations.ts";
import { conv2d } from "./convolution.ts";
import { characteristic } from "./characteristic.ts";
import { binary, comparison, power, unary } from "./elementwise.ts";
import type { TfjsEngine } from "./index.ts";
import { broadcastTo, gather, pad, reshape, slice, transpose } from "./layout.ts";
import { convolvedBlock, instanceNormRelu } from "./normalization.ts";
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

  /** Whether the values are there. Derivatives need some that the user has disposed of: the tape then holds them. */
  get readable(): boolean {
    return !this.#disposed || (this.engine.tape.replaying && this.#holders > 0);
  }

  /** What TensorFlow.js kernels take. */
  get memory(): Tf.Tensor {
    check(this.readable, () => `tensor ${text(this.shape)}: used after it was disposed`);
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
    return this.#perform("detach", () => this.engine.run("Identity", { x: this.memory }));
  }

  values(): Values {
    return this.#perform("values", () => this.memory.dataSync<"float32" | "int32">());
  }

  item(): number {
    this.engine.own("item", this);
    check(
      sizeOf(this.shape) === 1,
      () => `item: expected a tensor with one element, got shape ${text(this.shape)}`,
    );
    return this.values()[0]!;
  }

  add(other: Operand): TfjsTensor {
    return this.#perform("add", () => binary("add", this, other));
  }
  sub(other: Operand): TfjsTensor {
    return this.#perform("sub", () => binary("sub", this, other));
  }
  mul(other: Operand): TfjsTensor {
    return this.#perform("mul", () => binary("mul", this, other));
  }
  div(other: Operand): TfjsTensor {
    return this.#perform("div", () => binary("div", this, other));
  }
  maximum(other: Operand): TfjsTensor {
    return this.#perform("maximum", () => binary("maximum", this, other));
  }
  minimum(other: Operand): TfjsTensor {
    return this.#perform("minimum", () => binary("minimum", this, other));
  }
  pow(exponent: number): TfjsTensor {
    return this.#perform("pow", () => power(this, exponent));
  }
  greater(other: Operand): TfjsTensor {
    return this.#perform("greater", () => comparison("greater", this, other));
  }
  equal(other: Operand): TfjsTensor {
    return this.#perform("equal", () => comparison("equal", this, other));
  }

  neg(): TfjsTensor {
    return this.#perform("neg", () => unary("neg", this));
  }
  exp(): TfjsTensor {
    return this.#perform("exp", () => unary("exp", this));
  }
  log(): TfjsTensor {
    return this.#perform("log", () => unary("log", this));
  }
  sqrt(): TfjsTensor {
    return this.#perform("sqrt", () => unary("sqrt", this));
  }
  rsqrt(): TfjsTensor {
    return this.#perform("rsqrt", () => unary("rsqrt", this));
  }
  square(): TfjsTensor {
    return this.#perform("square", () => unary("square", this));
  }
  abs(): TfjsTensor {
    return this.#perform("abs", () => unary("abs", this));
  }
  sin(): TfjsTensor {
    return this.#perform("sin", () => unary("sin", this));
  }
  cos(): TfjsTensor {
    return this.#perform("cos", () => unary("cos", this));
  }
  tanh(): TfjsTensor {
    return this.#perform("tanh", () => unary("tanh", this));
  }
  sigmoid(): TfjsTensor {
    return this.#perform("sigmoid", () => unary("sigmoid", this));
  }
  relu(): TfjsTensor {
    return this.#perform("relu", () => unary("relu", this));
  }

  sum(axes?: Axes, keepAxes = false): TfjsTensor {
    return this.#perform("sum", () => sum(this, axes, keepAxes));
  }
  mean(axes?: Axes, keepAxes = false): TfjsTensor {
    return this.#perform("mean", () => mean(this, axes, keepAxes));
  }
  max(axes?: Axes, keepAxes = false): TfjsTensor {
    return this.#perform("max", () => max(this, axes, keepAxes));
  }
  argmax(axis: number): TfjsTensor {
    return this.#perform("argmax", () => argmax(this, axis));
  }

  reshape(shape: Shape): TfjsTensor {
    return this.#perform("reshape", () => reshape(this, shape));
  }
  transpose(order?: readonly number[]): TfjsTensor {
    return this.#perform("transpose", () => transpose(this, order));
  }
  broadcastTo(shape: Shape): TfjsTensor {
    return this.#perform("broadcastTo", () => broadcastTo(this, shape));
  }
  slice(begin: Shape, size: Shape): TfjsTensor {
    return this.#perform("slice", () => slice(this, begin, size));
  }
  pad(margins: Margins): TfjsTensor {
    return this.#perform("pad", () => pad(this, margins));
  }
  gather(indices: Tensor, axis = 0): TfjsTensor {
    return this.#perform("gather", () => gather(this, this.engine.own("gather", indices), axis));
  }
  matMul(other: Tensor): TfjsTensor {
    return this.#perform("matMul", () => matMul(this, this.engine.own("matMul", other)));
  }

  characteristic(frequencies: Tensor, counts: readonly number[]): { re: TfjsTensor; im: TfjsTensor } {
    const where = "characteristic";
    return this.#perform(where, () => characteristic(this, this.engine.own(where, frequencies), counts));
  }

  logSoftmax(): TfjsTensor {
    return this.#perform("logSoftmax", () => logSoftmax(this));
  }
  conv2d(filters: Tensor, options: ConvolutionOptions = {}): TfjsTensor {
    return this.#perform("conv2d", () => conv2d("conv2d", this, filters, options));
  }
  avgPool(size: number): TfjsTensor {
    return this.#perform("avgPool", () => avgPool(this, size));
  }
  maxPool(size: number): TfjsTensor {
    return this.#perform("maxPool", () => maxPool(this, size));
  }
  instanceNormRelu(scale: Tensor, shift: Tensor, options: InstanceNormReluOptions): TfjsTensor {
    const where = "instanceNormRelu";
    return this.#perform(where, () => instanceNormRelu(where, this, [scale, shift], options));
  }
  convolvedBlock(filters: Tensor, options: LayerOptions): TfjsTensor {
    return this.#perform("convolvedBlock", () => convolvedBlock(this, filters, options));
  }

  /** Runs an operation on this tensor, which must be alive. */
  #perform<T>(where: string, f: () => T): T {
    return this.engine.own(where, this).engine.attempt(where, [this], f);
  }
}
