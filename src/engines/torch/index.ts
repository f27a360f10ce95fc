import { availableParallelism, totalmem } from "node:os";
import { check, InputError, wholeNumber } from "../../core/errors.ts";
import type { Availability, Engine, Tensor } from "../engine.ts";
import { checkList, numberOf, numbersOf, shapeOf } from "../given.ts";
import { concatAxis, rangeOf } from "../operations.ts";
import { loadAddon, typeCodes } from "./addon.ts";
import { gradients, noGrad } from "./gradients.ts";
import { Runtime } from "./runtime.ts";

export interface TorchOptions {
  /** Type of every floating-point tensor. float64 is for gradient checks: several times slower. */
  readonly dtype?: "float32" | "float64";
  /**
   * CPU threads, for all torch engines of this JavaScript thread: the last one made decides. Those of a worker have a
   * number of their own. Sums may differ in their last bits between numbers of threads. Default: all cores.
   */
  readonly threads?: number;
  /** Where tensors live: in the machine's memory, or in that of the first GPU that CUDA_VISIBLE_DEVICES leaves. */
  readonly device?: "cpu" | "cuda";
  /**
   * Lets float32 convolutions on a GPU that can do so round their factors to TF32, 10 bits after the leading one, as
   * PyTorch does by default. For all torch engines of this process: the last one made on a GPU decides. Default true.
   */
  readonly tf32?: boolean;
}

/**
 * The engine over libtorch. The first call on a machine compiles the addon, which takes some ten seconds.
 *
 * @throws InputError where libtorch, a compiler or the device is missing.
 */
export function torchEngine(options: TorchOptions = {}): Engine {
  const { native, dtype, threads, device, tf32, ...names } = prepared(options);
  const cuda = device === "cuda";
  native.setThreads(threads);
  if (cuda) native.setGpuArithmetic(tf32);
  const runtime = new Runtime(native, { dtype, cuda });
  runtime.engine = engineOf(runtime, names);
  return runtime.engine;
}

/** Whether libtorch works here, on a GPU and on the CPU. */
export function probeTorch(): Availability[] {
  return (["cuda", "cpu"] as const).map((device) => {
    try {
      const { name, description } = prepared({ device });
      return { name, available: true, detail: description };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { name: `torch-${device}`, available: false, detail: error.message };
    }
  });
}

/** The options with their defaults and what they stand for, where that works here. */
function prepared(options: TorchOptions) {
  const { dtype = "float32", threads = availableParallelism(), device = "cpu", tf32 = true } = options;
  wholeNumber("torch.threads", threads, 1);
  const native = loadAddon();
  const version = native.version();
  check(
    device !== "cuda" || native.cudaDevices() > 0,
    () =>
      `torch engine: libtorch ${version} finds no CUDA device; install a libtorch for CUDA, or use the CPU`,
  );
  const hardware = device === "cuda" ? native.gpu() : cpuText(threads);
  const precision =
    device === "cuda" && tf32 && dtype === "float32" ? "float32, convolutions in TF32" : dtype;
  const [name, description] = [`torch-${device}`, `libtorch ${version}, ${hardware}, ${precision}`];
  return { native, dtype, threads, device, tf32, name, description };
}

function cpuText(threads: number): string {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `CPU, ${threads} ${threads === 1 ? "thread" : "threads"}, ${gibibytes} GiB`;
}

function engineOf(runtime: Runtime, { name, description }: { name: string; description: string }): Engine {
  const { native, dtype, cuda } = runtime;
  return {
    name,
    description,
    dtype,
    tensor(given, values) {
      const shape = shapeOf("tensor", given);
      return runtime.upload("tensor", shape, numbersOf("tensor", values, dtype, shape), dtype);
    },
    indices(values) {
      const positions = numbersOf("indices", values, "int32");
      const shape = shapeOf("indices", [positions.length]);
      const tensor = runtime.upload("indices", shape, positions, "int32");
      tensor.range = rangeOf(positions);
      return tensor;
    },
    fill(given, value) {
      runtime.checkOpen("fill");
      const shape = shapeOf("fill", given);
      numberOf("fill", value);
      runtime.lists(shape);
      return runtime.call("fill", [{ shape }], () => native.full(value, typeCodes[dtype], cuda));
    },
    concat: (tensors, axis = 0) => concat(runtime, tensors, axis),
    gradients: (f, inputs) => gradients(runtime, f, inputs),
    noGrad: (f, precision) => noGrad(runtime, f, precision),
    scope: (f) => runtime.inScope(f),
    liveTensors: () => runtime.live,
    close() {
      runtime.closed = true;
    },
  };
}

function concat(runtime: Runtime, tensors: readonly Tensor[], axis: number): Tensor {
  runtime.checkOpen("concat");
  checkList("concat", tensors);
  const own = Array.from(tensors, (tensor) => runtime.own("concat", tensor));
  const along = concatAxis(own, axis);
  runtime.lists(own.map(({ handle }) => handle));
  return runtime.call("concat", own, () => runtime.native.concat(along));
}
