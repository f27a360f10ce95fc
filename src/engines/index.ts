import type { Availability, Engine } from "./engine.ts";
import { InputError } from "../core/errors.ts";
import { type EngineTable, type Selection, selectFrom } from "./select.ts";
import { prepareAddon } from "./torch/addon.ts";
import { probeTorch, torchEngine } from "./torch/index.ts";

export type {
  Availability,
  Axes,
  ConvolutionOptions,
  DType,
  Engine,
  InstanceNormReluOptions,
  LayerOptions,
  Operand,
  Pooling,
  Precision,
  Tensor,
  Tree,
  Values,
  ValueAndGradients,
} from "./engine.ts";
export type { Selection } from "./select.ts";
export { disposeExcept, forEachTensor, isTensor, mapTensors, tensorsOf } from "./tree.ts";

/** What can be chosen about an engine. */
export interface EngineOptions {
  /** Type of every floating-point tensor; float64 on torch engines only. Default float32. */
  readonly dtype?: "float32" | "float64";
  /** CPU threads of a torch engine. Default: all cores. */
  readonly threads?: number;
  /** Whether convolutions of a torch engine on a GPU may round their factors to TF32. Default true. */
  readonly tf32?: boolean;
}

/**
 * The engine with this name, or the best that works: torch on a GPU, torch on the CPU, TensorFlow.js on a GPU, on the
 * CPU, in WebAssembly. The first time on a machine, torch is compiled, which takes about half a minute and is said on
 * standard error; where libtorch or a compiler is missing, TensorFlow.js does the work, and the selection says what to install.
 *
 * @param name "auto", "torch", "tfjs", or an engine's name, as in `Engine.name`.
 * @throws InputError where the name is unknown, or nothing it stands for works here; it says why.
 */
export async function selectEngine(name = "auto", options: EngineOptions = {}): Promise<Selection> {
  const tfjs = async (backend: "node-gpu" | "node" | "wasm"): Promise<Engine> => {
    if (options.dtype === "float64") throw new InputError("TensorFlow.js engines compute in float32 only");
    return (await import("./tfjs/index.ts")).tfjsEngine({ backend });
  };
  const torch = async (device: "cuda" | "cpu"): Promise<Engine> => {
    await prepareAddon();
    return torchEngine({ ...options, device });
  };
  const table: EngineTable = {
    "torch-cuda": () => torch("cuda"),
    "torch-cpu": () => torch("cpu"),
    "tfjs-node-gpu": () => tfjs("node-gpu"),
    "tfjs-node": () => tfjs("node"),
    "tfjs-wasm": () => tfjs("wasm"),
  };
  return selectFrom(table, name);
}

/** Which engines work on this machine, best first, and why the others do not. */
export async function engineReport(): Promise<Availability[]> {
  const { probeTfjs } = await import("./tfjs/index.ts");
  await prepareAddon();
  return [...probeTorch(), ...(await probeTfjs())];
}
