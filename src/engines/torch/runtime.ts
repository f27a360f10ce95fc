import { check, InputError } from "../../core/errors.ts";
import type { Shape } from "../../core/shape.ts";
import type { DType, Engine, Tensor } from "../engine.ts";
import { checkFunction, originOf, text } from "../given.ts";
import { tensorsOf } from "../tree.ts";
import { type Addon, firstList, type Handle, typeCodes, types } from "./addon.ts";
import { TorchTensor } from "./tensor.ts";

export interface RuntimeOptions {
  readonly dtype: "float32" | "float64";
  readonly cuda: boolean;
}

/** What the tensors of one torch engine share: the addon, open scopes, and whether gradients are recorded. */
export class Runtime {
  readonly native: Addon;
  readonly dtype: "float32" | "float64";
  readonly cuda: boolean;
  /** Set by the engine that owns this runtime. */
  engine!: Engine;
  /** Tensors alive. */
  live = 0;
  /** Whether a surrounding `gradients` call records what is computed now. */
  recording = false;
  closed = false;

  private scope: TorchTensor[] | undefined;
  /** Frees tensors that were dropped outside every scope, some time after. */
  private readonly abandoned = new FinalizationRegistry<Handle>((handle) => this.free(handle));

  constructor(native: Addon, options: RuntimeOptions) {
    this.native = native;
    this.dtype = options.dtype;
    this.cuda = options.cuda;
  }

  /** A tensor around the native result just made, whose shape and type stand in the scratch array. */
  wrap(handle: Handle): TorchTensor {
    const { scratch } = this.native;
    const axes = scratch[0]!;
    const shape = new Array<number>(axes);
    for (let axis = 0; axis < axes; axis++) shape[axis] = scratch[2 + axis]!;
    return this.adopt(handle, shape, types[scratch[1]!]!);
  }

  /** A tensor around a native one of known shape and type. */
  adopt(handle: Handle, shape: Shape, dtype: DType): TorchTensor {
    const tensor = new TorchTensor(this, handle, shape, dtype);
    this.live++;
    if (this.scope !== undefined) this.scope.push(tensor);
    else this.watch(tensor);
    return tensor;
  }

  /** Writes lists for the next native call. */
  lists(...lists: readonly (readonly number[])[]): void {
    const { scratch } = this.native;
    let cursor = firstList;
    for (const list of lists) {
      check(
        cursor + list.length < scratch.length,
        () => `torch engine: lists of ${cursor + list.length} numbers are too long`,
      );
      scratch[cursor++] = list.length;
      for (const number of list) {
        scratch[cursor] = number;
        if (scratch[cursor++] !== number) {
          throw new InputError(`torch engine: expected whole numbers of 32 bits, got ${text(list)}`);
        }
      }
    }
  }

  /** The tensor as one of this engine's, still alive, while the engine is open. */
  own(where: string, tensor: Tensor): TorchTensor {
    if (tensor instanceof TorchTensor && tensor.runtime === this && tensor.handle !== 0 && !this.closed) {
      return tensor;
    }
    throw this.unusable(where, tensor);
  }

  /** The tensor in the engine's float type; int32 is converted. */
  float(where: string, tensor: Tensor): TorchTensor {
    const ours = this.own(where, tensor);
    if (ours.dtype !== "int32") return ours;
    return this.call(where, [ours], () => this.native.cast(ours.handle, typeCodes[this.dtype]));
  }

  /** Runs a native call; what libtorch says against it becomes an error that names the operation and the shapes. */
  attempt<T>(where: string, operands: readonly Shaped[], run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw refusal(where, operands, error);
    }
  }

  /** The tensor that a native call returns. */
  call(where: string, operands: readonly Shaped[], run: () => Handle): TorchTensor {
    return this.wrap(this.attempt(where, operands, run));
  }

  upload(where: string, shape: Shape, values: ArrayBufferView, type: DType): TorchTensor {
    this.checkOpen(where);
    this.lists(shape);
    return this.call(where, [{ shape }], () => this.native.upload(values, typeCodes[type], this.cuda));
  }

  checkOpen(where: string): void {
    check(!this.closed, () => `${where}: the ${this.engine.name} engine was closed`);
  }

  private unusable(where: string, tensor: Tensor): InputError {
    if (!(tensor instanceof TorchTensor) || tensor.runtime !== this) {
      return new InputError(
        `${where}: expected a tensor of this ${this.engine.name} engine, got ${originOf(tensor)}`,
      );
    }
    return new InputError(
      tensor.handle === 0
        ? `${where}: the tensor of shape ${text(tensor.shape)} was used after it was disposed`
        : `${where}: the ${this.engine.name} engine was closed`,
    );
  }

  dispose(tensor: TorchTensor): void {
    const { handle } = tensor;
    if (handle === 0) return;
    tensor.handle = 0;
    if (tensor.watched) this.abandoned.unregister(tensor);
    this.free(handle);
  }

  /** Runs f; frees all tensors made inside except those it returns, or all if it throws. */
  inScope<T>(f: () => T): T {
    this.checkOpen("scope");
    checkFunction("scope", f);
    const outer = this.scope;
    const inside: TorchTensor[] = [];
    this.scope = inside;
    let kept = new Set<Tensor>();
    try {
      const result = f();
      check(
        !isPromise(result),
        () =>
          "scope: expected a synchronous function, got one that returns a promise; open scopes inside it instead",
      );
      kept = new Set(tensorsOf(result));
      return result;
    } finally {
      this.scope = outer;
      for (const tensor of inside) {
        if (!kept.has(tensor)) this.dispose(tensor);
        else if (outer !== undefined) outer.push(tensor);
        else if (tensor.handle !== 0) this.watch(tensor);
      }
    }
  }

  private watch(tensor: TorchTensor): void {
    tensor.watched = true;
    this.abandoned.register(tensor, tensor.handle, tensor);
  }

  private free(handle: Handle): void {
    this.native.release(handle);
    this.live--;
  }
}

interface Shaped {
  readonly shape: Shape;
}

function refusal(where: string, operands: readonly Shaped[], error: unknown): Error {
  const { message } = error as Error;
  if (message.startsWith("internal:")) return error as Error;
  return new InputError(`${where} of ${operands.map(({ shape }) => text(shape)).join(" and ")}: ${message}`);
}

function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value;
}
