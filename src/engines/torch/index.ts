import { availableParallelism } from "node:os";
import { check, InputError, wholeNumber } from "../../core/errors.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import type { Availability, Engine, Tensor, Values } from "../engine.ts";
import { loadAddon, typeCodes } from "./addon.ts";
import { gradients, noGrad } from "./gradients.ts";
import { Runtime } from "./runtime.ts";
import { axisOf, text } from "../shapes.ts";

export interface TorchOptions {
  /** Type of every floating-point tensor. float64 is for gradient checks: several times slower. */
  readonly dtype?: "float32" | "float64";
  /** CPU threads, for all torch engines of this thread: the last one made decides. Default: all cores. */
  readonly threads?: number;
  /** Where tensors live. */
  readonly device?: "cpu" | "cuda";
}

/**
 * The engine over libtorch. The first call on a machine compiles the addon, which takes some ten seconds.
 *
 * @throws InputError where libtorch, a compiler or the device is missing.
 */
export function torchEngine(options: TorchOptions = {}): Engine {
  const { dtype = "float32", threads = availableParallelism(), device = "cpu" } = options;
  wholeNumber("torch.threads", threads, 1);
  const native = loadAddon();
  const cuda = device === "cuda";
  check(
    !cuda || native.cudaDevices() > 0,
    () =>
      `torch engine: libtorch ${native.version()} finds no CUDA device; install a libtorch for CUDA, or use the CPU`,
  );
  native.setThreads(threads);
  const runtime = new Runtime(native, { dtype, cuda });
  runtime.engine = engineOf(runtime, {
    name: `torch-${device}`,
    description: `libtorch ${native.version()}, ${cuda ? "CUDA" : `CPU, ${threads} ${threads === 1 ? "thread" : "threads"}`}, ${dtype}`,
  });
  return runtime.engine;
}

/** Whether libtorch works here, on a GPU and on the CPU. */
export function probeTorch(): Availability[] {
  return (["cuda", "cpu"] as const).map((device) => {
    try {
      const engine = torchEngine({ device });
      engine.close();
      return { name: engine.name, available: true, detail: engine.description };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { name: `torch-${device}`, available: false, detail: error.message };
    }
  });
}

function engineOf(runtime: Runtime, { name, description }: { name: string; description: string }): Engine {
  const { native, dtype, cuda } = runtime;
  return {
    name,
    description,
    dtype,
    tensor(shape, values) {
      checkShape("tensor", shape);
      const size = sizeOf(shape);
      check(
        values.length === size,
        () => `tensor: expected ${size} values for shape ${text(shape)}, got ${values.length}`,
      );
      return runtime.upload("tensor", shape, asType(values, dtype), dtype);
    },
    indices: (values) => runtime.upload("indices", [values.length], asType(values, "int32"), "int32"),
    fill(shape, value) {
      runtime.checkOpen("fill");
      checkShape("fill", shape);
      runtime.lists(shape);
      return runtime.wrap(native.full(value, typeCodes[dtype], cuda));
    },
    concat: (tensors, axis = 0) => concat(runtime, tensors, axis),
    gradients: (f, inputs) => gradients(runtime, f, inputs),
    noGrad: (f) => noGrad(runtime, f),
    scope: (f) => runtime.inScope(f),
    liveTensors: () => runtime.live,
    close() {
      runtime.closed = true;
    },
  };
}

function concat(runtime: Runtime, tensors: readonly Tensor[], axis: number): Tensor {
  const own = tensors.map((tensor) => runtime.own("concat", tensor));
  const first = own[0];
  check(first !== undefined, () => "concat: expected at least one tensor, got none");
  const along = axisOf("concat", axis, first.shape);
  for (const { shape, dtype } of own) {
    check(
      dtype === first.dtype &&
        shape.length === first.shape.length &&
        shape.every((length, i) => i === along || length === first.shape[i]),
      () =>
        `concat: expected ${first.dtype} shapes equal to ${text(first.shape)} except along axis ${along}, ` +
        `got ${dtype} ${text(shape)}`,
    );
  }
  runtime.lists(own.map(({ handle }) => handle));
  return runtime.call("concat", own, () => runtime.native.concat(along));
}

function checkShape(where: string, shape: Shape): void {
  check(
    shape.every((length) => Number.isSafeInteger(length) && length >= 0),
    () => `${where}: expected whole lengths >= 0, got shape ${text(shape)}`,
  );
}

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array };
const arrayNames = { float32: "Float32Array", float64: "Float64Array", int32: "Int32Array" };

/** The values as a typed array: the same array where its type fits (known by its tag, as it may be of another realm). */
function asType(values: ArrayLike<number>, type: keyof typeof arrays): Values {
  const tag = (values as { [Symbol.toStringTag]?: string })[Symbol.toStringTag];
  return tag === arrayNames[type] ? (values as Values) : arrays[type].from(values);
}
