import type * as Tf from "@tensorflow/tfjs-core";
import { check, InputError } from "../../core/errors.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type { Engine, Precision, Tensor, ValueAndGradients, Values } from "../engine.ts";
import {
  checkFunction,
  checkList,
  checkPrecision,
  numberOf,
  numbersOf,
  originOf,
  shapeOf,
  text,
} from "../given.ts";
import { tensorsOf } from "../tree.ts";
import type { Described } from "../operations.ts";
import { type Backend, type BackendName, backendNames, loadBackend } from "./backend.ts";
import { concat } from "./layout.ts";
import { Tape } from "./tape.ts";
import { TfjsTensor } from "./tensor.ts";

export { probeTfjs } from "./backend.ts";

/** Inputs of a TensorFlow.js kernel: by name, or a list for those that take any number. */
type KernelInputs = Readonly<Record<string, Tf.Tensor>> | readonly Tf.Tensor[];

/** The backend that open engines use, and how many they are: TensorFlow.js runs one backend at a time. */
let current: { name: string; engines: number } | undefined;

/**
 * An engine on TensorFlow.js, in float32: on the GPU or the CPU with TensorFlow's library, where the user has installed
 * `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node`, else in WebAssembly.
 *
 * @throws InputError where the backend asked for does not load, or an engine on another one is still open.
 */
export async function tfjsEngine(options: { readonly backend?: "auto" | BackendName } = {}): Promise<Engine> {
  const { backend: wanted = "auto" } = options;
  const backend = wanted === "auto" ? await firstOf(backendNames) : await loadBackend(wanted);
  check(
    current === undefined || current.engines === 0 || current.name === backend.name,
    () =>
      `tfjsEngine: expected ${current!.name}, which an open engine uses, got ${backend.name}; close it first`,
  );
  current = { name: backend.name, engines: (current?.engines ?? 0) + 1 };
  return new TfjsEngine(backend);
}

async function firstOf(names: readonly BackendName[]): Promise<Backend> {
  const reasons: string[] = [];
  for (const name of names) {
    try {
      return await loadBackend(name);
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new InputError(reasons.join("; "));
}

/** The engine behind `tfjsEngine`; its tensors know it by this class. */
export class TfjsEngine implements Engine {
  readonly name: string;
  readonly description: string;
  readonly dtype = "float32";
  readonly tape = new Tape(this);
  readonly #tf: typeof Tf;
  /** Tensors of the innermost scope. */
  #created: TfjsTensor[] | undefined;
  #closed = false;
  /** Whether an operation of the interface runs. */
  #attempting = false;

  constructor({ name, description, tf }: Backend) {
    this.name = name;
    this.description = description;
    this.#tf = tf;
  }

  /** WebAssembly lacks some kernels, and is slow at others. */
  get isWasm(): boolean {
    return this.name === "tfjs-wasm";
  }

  tensor(shape: Shape, values: ArrayLike<number>): TfjsTensor {
    const lengths = shapeOf("tensor", shape);
    const numbers = numbersOf("tensor", values, "float32", lengths);
    // A copy, because some backends keep the array they are given.
    return this.#upload("tensor", lengths, numbers === values ? Float32Array.from(numbers) : numbers);
  }

  indices(values: ArrayLike<number>): TfjsTensor {
    const positions = numbersOf("indices", values, "int32");
    const shape = shapeOf("indices", [positions.length]);
    return this.#upload("indices", shape, positions === values ? Int32Array.from(positions) : positions);
  }

  fill(shape: Shape, value: number): TfjsTensor {
    this.checkOpen("fill");
    const attributes = { shape: shapeOf("fill", shape), value: numberOf("fill", value), dtype: "float32" };
    return this.attempt("fill", [attributes], () => this.run("Fill", {}, attributes));
  }

  concat(tensors: readonly Tensor[], axis = 0): TfjsTensor {
    this.checkOpen("concat");
    checkList("concat", tensors);
    const parts = Array.from(tensors, (tensor) => this.own("concat", tensor));
    return this.attempt("concat", parts, () => concat(this, parts, axis));
  }

  gradients(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): ValueAndGradients {
    this.checkOpen("gradients");
    checkFunction("gradients", f);
    checkList("gradients", inputs);
    const own = Array.from(inputs, (input) => this.own("gradients", input));
    for (const { dtype, shape } of own) {
      check(dtype === "float32", () => `gradients: expected float inputs, got ${dtype} ${text(shape)}`);
    }
    return this.tape.gradients(f, own);
  }

  noGrad<T>(f: () => T, precision: Precision = "full"): T {
    this.checkOpen("noGrad");
    checkFunction("noGrad", f);
    checkPrecision(precision);
    check(precision === "full", () => `noGrad: ${this.name} convolves in float32 only, got ${precision}`);
    return this.tape.pause(f);
  }

  scope<T>(f: () => T): T {
    this.checkOpen("scope");
    checkFunction("scope", f);
    return this.collected(f);
  }

  /** Runs f and frees every tensor created inside, except those it returns. */
  collected<T>(f: () => T): T {
    const outer = this.#created;
    const inner: TfjsTensor[] = [];
    this.#created = inner;
    let kept = new Set<Tensor>();
    try {
      const result = f();
      check(
        !(result instanceof Promise),
        () => "scope: expected a synchronous function, got one that returns a promise",
      );
      kept = new Set(tensorsOf(result));
      return result;
    } finally {
      this.#created = outer;
      for (const tensor of inner) {
        if (kept.has(tensor)) outer?.push(tensor);
        else tensor.dispose();
      }
    }
  }

  /** All tensors of TensorFlow.js, those of other engines on the same backend included. */
  liveTensors(): number {
    return this.#tf.memory().numTensors;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (current !== undefined) current.engines--;
  }

  /** Runs a forward kernel; the result is a constant until the tape records it. */
  run(kernel: string, inputs: KernelInputs, attributes: Readonly<Record<string, unknown>> = {}): TfjsTensor {
    return this.#kernel(() =>
      this.#tf
        .engine()
        .runKernel<Tf.Tensor>(kernel, inputs as Tf.NamedTensorMap, attributes as Tf.NamedAttrMap),
    );
  }

  /**
   * Zeros where an operand or the result is empty, sums over nothing and the margins around it; else what f computes.
   * TensorFlow.js's kernels are not made for empty tensors: some give another shape, or whatever lies in memory.
   */
  unlessEmpty(result: Described, operands: readonly TfjsTensor[], f: () => TfjsTensor): TfjsTensor {
    const { shape, dtype } = result;
    if (sizeOf(shape) > 0 && operands.every((operand) => sizeOf(operand.shape) > 0)) return f();
    return this.run("Fill", {}, { shape: [...shape], value: 0, dtype });
  }

  /** What `f` computes, as a constant, without its intermediate tensors. */
  constant(f: () => TfjsTensor): TfjsTensor {
    return this.tape.pause(() => this.collected(f));
  }

  /** Narrows an argument to this engine's tensors that may be used. */
  own(where: string, tensor: Tensor): TfjsTensor {
    if (!(tensor instanceof TfjsTensor) || tensor.engine !== this) {
      throw new InputError(
        `${where}: expected a tensor of this ${this.name} engine, got ${originOf(tensor)}`,
      );
    }
    this.checkOpen(where);
    check(
      tensor.readable,
      () => `${where}: the tensor of shape ${text(tensor.shape)} was used after it was disposed`,
    );
    return tensor;
  }

  checkOpen(where: string): void {
    check(!this.#closed, () => `${where}: the ${this.name} engine was closed`);
  }

  /** Runs an operation; what TensorFlow.js says against it becomes an error that names the operation and its shapes. */
  attempt<T>(where: string, operands: readonly { readonly shape: Shape }[], f: () => T): T {
    // An operation made of others: the outermost one is what the caller knows.
    if (this.#attempting) return f();
    this.#attempting = true;
    try {
      return f();
    } catch (error) {
      if (!(error instanceof KernelFailure)) throw error;
      const shapes = operands.map(({ shape }) => text(shape)).join(" and ");
      throw new InputError(`${where} of ${shapes}: ${error.message}`);
    } finally {
      this.#attempting = false;
    }
  }

  #upload(where: "tensor" | "indices", shape: Shape, values: Values): TfjsTensor {
    this.checkOpen(where);
    const dtype = where === "tensor" ? "float32" : "int32";
    return this.attempt(where, [{ shape }], () =>
      this.#kernel(() => this.#tf.tensor(values as Float32Array, [...shape], dtype)),
    );
  }

  #kernel(run: () => Tf.Tensor): TfjsTensor {
    try {
      return this.#wrap(run());
    } catch (error) {
      throw new KernelFailure((error as Error).message, { cause: error });
    }
  }

  #wrap(memory: Tf.Tensor): TfjsTensor {
    const tensor = new TfjsTensor(this, memory);
    this.#created?.push(tensor);
    return tensor;
  }
}

/** What TensorFlow.js threw. */
class KernelFailure extends Error {
  override readonly name = "KernelFailure";
}
