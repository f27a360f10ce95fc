import type * as Tf from "@tensorflow/tfjs-core";
import { check, InputError } from "../../core/errors.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type { Engine, Precision, Tensor, ValueAndGradients } from "../engine.ts";
import { tensorsOf } from "../tree.ts";
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
    check(
      sizeOf(shape) === values.length,
      () => `tensor: expected ${sizeOf(shape)} values for shape [${shape.join(", ")}], got ${values.length}`,
    );
    // A copy, because some backends keep the array they are given.
    return this.#wrap(this.#tf.tensor(Float32Array.from(values), [...shape], "float32"));
  }

  indices(values: ArrayLike<number>): TfjsTensor {
    return this.#wrap(this.#tf.tensor(Int32Array.from(values), [values.length], "int32"));
  }

  fill(shape: Shape, value: number): TfjsTensor {
    return this.run("Fill", {}, { shape: [...shape], value, dtype: "float32" });
  }

  concat(tensors: readonly Tensor[], axis = 0): TfjsTensor {
    const parts = tensors.map((tensor) => this.own("concat", tensor));
    return concat(this, parts, axis);
  }

  gradients(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): ValueAndGradients {
    const own = inputs.map((input) => this.own("gradients", input));
    for (const { dtype } of own) {
      check(dtype === "float32", () => `gradients: expected float inputs, got ${dtype}`);
    }
    return this.tape.gradients(f, own);
  }

  noGrad<T>(f: () => T, precision: Precision = "full"): T {
    check(precision === "full", () => `noGrad: ${this.name} convolves in float32 only, got ${precision}`);
    return this.tape.pause(f);
  }

  scope<T>(f: () => T): T {
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
    check(!this.#closed, () => `${this.name}: used after it was closed`);
    return this.#wrap(
      this.#tf
        .engine()
        .runKernel<Tf.Tensor>(kernel, inputs as Tf.NamedTensorMap, attributes as Tf.NamedAttrMap),
    );
  }

  /** What `f` computes, as a constant, without its intermediate tensors. */
  constant(f: () => TfjsTensor): TfjsTensor {
    return this.tape.pause(() => this.scope(f));
  }

  /** Narrows an argument to this engine's tensors. */
  own(where: string, tensor: Tensor): TfjsTensor {
    if (tensor instanceof TfjsTensor && tensor.engine === this) return tensor;
    throw new InputError(
      `${where}: expected a tensor of ${this.name}, got ${describe(tensor)}; move it with tensor(shape, values())`,
    );
  }

  #wrap(memory: Tf.Tensor): TfjsTensor {
    const tensor = new TfjsTensor(this, memory);
    this.#created?.push(tensor);
    return tensor;
  }
}

function describe(value: unknown): string {
  const engine = (value as Partial<Tensor> | null | undefined)?.engine;
  if (engine === undefined) return String(value);
  return engine.name.startsWith("tfjs") ? "one of another tfjs engine" : `one of ${engine.name}`;
}
