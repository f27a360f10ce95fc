import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import type * as Tf from "@tensorflow/tfjs-core";
import { InputError } from "../../core/errors.ts";
import type { Availability } from "../engine.ts";

export type BackendName = "node-gpu" | "node" | "wasm";

/** A TensorFlow.js backend that is loaded and set. */
export interface Backend {
  readonly name: `tfjs-${BackendName}`;
  readonly description: string;
  readonly tf: typeof Tf;
}

/** Fastest first. */
export const backendNames: readonly BackendName[] = ["node-gpu", "node", "wasm"];

const require = createRequire(import.meta.url);

const loaders: Readonly<Record<BackendName, () => Promise<Backend>>> = {
  "node-gpu": () => loadNative("node-gpu", "@tensorflow/tfjs-node-gpu"),
  node: () => loadNative("node", "@tensorflow/tfjs-node"),
  wasm: loadWasm,
};

/**
 * Loads a backend's package and makes it the current one of TensorFlow.js, which has one at a time.
 *
 * @throws InputError where the package is not installed or does not load.
 */
export async function loadBackend(name: BackendName): Promise<Backend> {
  try {
    return await loaders[name]();
  } catch (error) {
    throw new InputError(`tfjs: backend ${name} does not load: ${firstLine(error)}`);
  }
}

/** Which backends load here; the current backend stays as it was. */
export async function probeTfjs(): Promise<Availability[]> {
  const core = exportsOf(await import("@tensorflow/tfjs-core"));
  const before = core.engine().backendName;
  const found: Availability[] = [];
  for (const name of backendNames) {
    found.push(
      await loadBackend(name).then(
        (backend) => ({ name: backend.name, available: true, detail: backend.description }),
        (error: unknown) => ({ name: `tfjs-${name}`, available: false, detail: firstLine(error) }),
      ),
    );
  }
  if (before !== null && before !== undefined) await core.setBackend(before);
  return found;
}

/** TensorFlow's C library. The package is the user's to install, so it is looked up by name when asked for. */
async function loadNative(name: "node" | "node-gpu", packageName: string): Promise<Backend> {
  require.resolve(packageName);
  const tf = exportsOf((await import(packageName)) as typeof Tf & { version: Record<string, string> });
  await tf.setBackend("tensorflow");
  return { name: `tfjs-${name}`, description: `TensorFlow.js ${tf.version_core}, ${packageName}`, tf };
}

async function loadWasm(): Promise<Backend> {
  const tf = exportsOf(await import("@tensorflow/tfjs-core"));
  const wasm = exportsOf(await import("@tensorflow/tfjs-backend-wasm"));
  if (tf.findBackend("wasm") === null) {
    wasm.setWasmPaths(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  }
  if (!(await tf.setBackend("wasm"))) throw new Error("the WebAssembly module does not start");
  guardMemory(tf.backend() as unknown as { wasm: Allocator });
  const vector = (await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")) === true ? "SIMD" : "no SIMD";
  const description = `TensorFlow.js ${tf.version_core}, WebAssembly, ${vector}, 1 thread`;
  return { name: "tfjs-wasm", description, tf };
}

interface Allocator {
  _malloc(bytes: number): number;
  _free(address: number): void;
}

const guarded = new WeakSet<Allocator>();

/**
 * WebAssembly's memory ends at 4 GiB. Address 0 says that there is no more; the backend would take it for an address like
 * another and write over other tensors.
 */
function guardMemory({ wasm }: { wasm: Allocator }): void {
  if (guarded.has(wasm)) return;
  guarded.add(wasm);
  wasm._free(wasm._malloc(1)); // the first call puts another function in its place
  const allocate = wasm._malloc.bind(wasm);
  wasm._malloc = (bytes) => {
    const address = bytes < 2 ** 32 ? allocate(bytes) : 0;
    if (address === 0) throw new Error(`WebAssembly has no memory left for ${bytes} bytes`);
    return address;
  };
}

/** A CommonJS module's exports, however the loader presents them. */
function exportsOf<T extends object>(module: T): T {
  return "default" in module ? (module.default as T) : module;
}

/** Node's messages about missing packages go on with the stack of requires. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
}
