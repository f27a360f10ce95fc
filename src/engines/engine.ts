import type { Shape } from "../core/shape.ts";

/** Element type: the engine's float type, or int32 for indices. */
export type DType = "float32" | "float64" | "int32";

/** Host copy of a tensor, row-major. */
export type Values = Float32Array | Float64Array | Int32Array;

/** What a binary operation accepts on its right: a tensor of the same engine, or a number. */
export type Operand = Tensor | number;

/** Reduction axes: one, several, or all where omitted. Negative axes count from the end. */
export type Axes = number | readonly number[];

/** How a convolution moves over the images. */
export interface ConvolutionOptions {
  /** Added to every output position, [outputs]. */
  readonly bias?: Tensor;
  /** Step between windows, the same along both axes. Default 1. */
  readonly stride?: number;
  /** Zeros added on every side. Default 0. */
  readonly padding?: number;
}

/** What closes a block: 2×2 windows at stride 2 give their mean or their maximum, or nothing is pooled. */
export type Pooling = "avg" | "max" | "none";

/** Constants of the block that follows every convolution of a ConvNet. */
export interface InstanceNormReluOptions {
  /** Added to the variance. */
  readonly epsilon: number;
  /** Of what relu leaves, as in `avgPool` and `maxPool`. */
  readonly pooling: Pooling;
}

/** A ConvNet's layer: a convolution and the block that follows it. */
export interface LayerOptions extends ConvolutionOptions, InstanceNormReluOptions {
  /** As in `instanceNormRelu`, [outputs]. */
  readonly scale: Tensor;
  /** As in `instanceNormRelu`, [outputs]. */
  readonly shift: Tensor;
}

/**
 * An immutable array on an engine. Every method returns a new tensor (memory may be shared) and is differentiable to
 * any order in its floating-point operands, unless its description says otherwise. Binary operations broadcast as in
 * NumPy. Images are [n, height, width, channels]; filters are [outputs, height, width, inputs].
 */
export interface Tensor {
  /** The engine that it lives on. */
  readonly engine: Engine;
  /** Lengths of its axes, outermost first. */
  readonly shape: Shape;
  /** Type of its elements. */
  readonly dtype: DType;

  /** this + other. */
  add(other: Operand): Tensor;
  /** this − other. */
  sub(other: Operand): Tensor;
  /** this · other, element by element. */
  mul(other: Operand): Tensor;
  /** this / other. */
  div(other: Operand): Tensor;
  /** The larger of the two; where they are equal, the gradient goes to neither or half to each (engines differ). */
  maximum(other: Operand): Tensor;
  /** The smaller of the two; ties as in `maximum`. */
  minimum(other: Operand): Tensor;
  /** this^exponent for a constant exponent. */
  pow(exponent: number): Tensor;
  /** 1 where this > other, else 0, in the engine's float type; its gradient is zero. */
  greater(other: Operand): Tensor;
  /** 1 where equal, else 0, in the engine's float type; its gradient is zero. */
  equal(other: Operand): Tensor;

  /** −this. */
  neg(): Tensor;
  /** e^this. */
  exp(): Tensor;
  /** Natural logarithm. */
  log(): Tensor;
  /** Square root. */
  sqrt(): Tensor;
  /** 1/√this. */
  rsqrt(): Tensor;
  /** this². */
  square(): Tensor;
  /** Absolute value; derivative 0 at 0. */
  abs(): Tensor;
  /** Sine, of radians. */
  sin(): Tensor;
  /** Cosine, of radians. */
  cos(): Tensor;
  /** Hyperbolic tangent. */
  tanh(): Tensor;
  /** 1/(1 + e^−this). */
  sigmoid(): Tensor;
  /** max(x, 0); derivative 0 at 0. NaN stays NaN. */
  relu(): Tensor;

  /** Sum over the axes. */
  sum(axes?: Axes, keepAxes?: boolean): Tensor;
  /** Mean over the axes. */
  mean(axes?: Axes, keepAxes?: boolean): Tensor;
  /** Largest element; not differentiable: the result is detached. */
  max(axes?: Axes, keepAxes?: boolean): Tensor;
  /** Position of the largest element along the axis, int32; the first one where several are equal. */
  argmax(axis: number): Tensor;

  /** The same elements in another shape of as many. */
  reshape(shape: Shape): Tensor;
  /** Axes in the given order; by default reversed. */
  transpose(order?: readonly number[]): Tensor;
  /** Repeated along axes of length 1, and along new outer ones. */
  broadcastTo(shape: Shape): Tensor;
  /** Elements begin … begin + size − 1 along every axis. */
  slice(begin: Shape, size: Shape): Tensor;
  /** Zeros before and after along every axis. */
  pad(margins: readonly (readonly [before: number, after: number])[]): Tensor;
  /** Rows (or entries along `axis`) at the given int32 positions, [count]; repeated positions allowed. Axis default 0. */
  gather(indices: Tensor, axis?: number): Tensor;
  /** Matrix product over the last two axes; leading axes must be equal, or absent on one side. */
  matMul(other: Tensor): Tensor;

  /**
   * Empirical characteristic functions of groups of consecutive rows x, at frequencies ω, by parts: means of cos⟨ω, x⟩
   * and of sin⟨ω, x⟩; without a table of all angles where the engine can.
   *
   * @param frequencies [f, d], where this is [Σ counts, d]. @param counts rows of each group, ≥ 1.
   * @returns two tensors [groups, f].
   */
  characteristic(
    frequencies: Tensor,
    counts: readonly number[],
  ): { readonly re: Tensor; readonly im: Tensor };

  /** log softmax over the last axis. */
  logSoftmax(): Tensor;
  /** Cross-correlation of [n, h, w, inputs] with filters [outputs, fh, fw, inputs], plus bias. */
  conv2d(filters: Tensor, options?: ConvolutionOptions): Tensor;
  /** Means of size×size windows at stride `size`; a remainder at the lower or right edge is dropped. */
  avgPool(size: number): Tensor;
  /** Maxima of size×size windows at stride `size`, remainder dropped; the gradient goes to the window's first maximum. */
  maxPool(size: number): Tensor;
  /**
   * Pooling of relu(instance norm): the block that follows every convolution of a ConvNet, in one pass where the engine
   * has it. Each (sample, channel) is normalized over its own positions with the biased variance:
   *
   *     pool(relu(scale · (x − mean) / √(variance + epsilon) + shift))
   *
   * @param scale per channel, [c]. @param shift per channel, [c].
   */
  instanceNormRelu(scale: Tensor, shift: Tensor, options: InstanceNormReluOptions): Tensor;
  /**
   * conv2d, then instanceNormRelu. Where no gradient is recorded, an engine may do both image by image, without ever
   * holding the convolution's whole result.
   */
  convolvedBlock(filters: Tensor, options: LayerOptions): Tensor;

  /** The same values as a constant: no gradient flows through it. */
  detach(): Tensor;
  /** Copies the values to the host; waits for the device. */
  values(): Values;
  /** The value of a tensor with one element. */
  item(): number;
  /** Frees the tensor now. Using it afterwards throws. Disposing twice is allowed. */
  dispose(): void;
}

/** How convolutions compute: in the engine's type, or from operands rounded to bfloat16. */
export type Precision = "full" | "bf16";

/** A structure with tensors at its leaves. */
export type Tree =
  Tensor | number | string | boolean | null | undefined | readonly Tree[] | { readonly [key: string]: Tree };

/** What `Engine.gradients` finds. */
export interface ValueAndGradients {
  /** What f returned. */
  readonly value: Tensor;
  /** ∂value/∂input, one per input, of its shape; zeros where f does not depend on it. */
  readonly gradients: readonly Tensor[];
}

/** A tensor backend: the only code that knows a device. */
export interface Engine {
  /** Name for result rows: "torch-cpu", "torch-cuda", "tfjs-node-gpu", "tfjs-node", "tfjs-wasm". */
  readonly name: string;
  /** Library versions, device and threads, in one line. */
  readonly description: string;
  /** Type of every floating-point tensor of this engine. */
  readonly dtype: "float32" | "float64";

  /** A constant float tensor from row-major values. */
  tensor(shape: Shape, values: ArrayLike<number>): Tensor;
  /** A constant int32 vector. */
  indices(values: ArrayLike<number>): Tensor;
  /** A constant float tensor with one value everywhere. */
  fill(shape: Shape, value: number): Tensor;
  /** Joins along an axis. */
  concat(tensors: readonly Tensor[], axis?: number): Tensor;

  /**
   * Value and gradients of a scalar function. Calls nest: gradients taken inside `f` can be differentiated by the
   * outer call, to any order.
   *
   * @param f receives the inputs, and must use what it receives; returns a tensor with one element.
   * @param inputs float tensors.
   */
  gradients(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): ValueAndGradients;
  /**
   * Runs without recording for gradients; results are constants.
   *
   * @param precision of convolutions: "bf16" rounds their images and filters to bfloat16 (8 significant bits) and sums in
   *   float32, where the engine can. An engine that cannot throws an InputError.
   */
  noGrad<T>(f: () => T, precision?: Precision): T;
  /** Runs f and frees every tensor created inside, except those in the tree it returns. f must be synchronous. */
  scope<T>(f: () => T): T;

  /** Tensors alive on this engine now; flat over steps unless something leaks. */
  liveTensors(): number;
  /** Frees what the engine holds beyond tensors. The engine must not be used afterwards. */
  close(): void;
}

/** Whether an engine works on this machine. */
export interface Availability {
  /** As in `Engine.name`. */
  readonly name: string;
  /** Whether it can be selected. */
  readonly available: boolean;
  /** What it runs on, or why it does not. */
  readonly detail: string;
}
