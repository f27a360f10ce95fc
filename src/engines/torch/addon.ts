import { createRequire } from "node:module";
import { addonFile, build, buildNow } from "../../../native/build.mjs";
import { InputError } from "../../core/errors.ts";
import type { DType } from "../engine.ts";

/** Number of a tensor inside the addon; 0 is none. */
export type Handle = number;

/** Code of an element type, as native/call.h reads it. */
export const typeCodes: Readonly<Record<DType, number>> = { float32: 0, float64: 1, int32: 2 };
export const types: readonly DType[] = ["float32", "float64", "int32"];

/** First element of the scratch array's lists; before them lies the header of the last result: axes, type, lengths. */
export const firstList = 16;

type Unary = (x: Handle) => Handle;
type Binary = (x: Handle, y: number, isNumber: boolean) => Handle;
type Comparison = (x: Handle, y: number, isNumber: boolean, type: number) => Handle;
type Reduction = (x: Handle, keepAxes: boolean) => Handle;

export type UnaryName =
  "neg" | "exp" | "log" | "sqrt" | "rsqrt" | "square" | "abs" | "sin" | "cos" | "tanh" | "sigmoid" | "relu";
export type BinaryName = "add" | "sub" | "mul" | "div" | "maximum" | "minimum";
export type ComparisonName = "greater" | "equal";
export type ReductionName = "sum" | "mean" | "max";

/**
 * The functions of native/. Tensors are handles; shapes, axes and other lists go through `scratch`. A function that
 * returns a handle leaves the result's shape and type there.
 */
export interface Addon
  extends
    Record<UnaryName, Unary>,
    Record<BinaryName, Binary>,
    Record<ComparisonName, Comparison>,
    Record<ReductionName, Reduction> {
  readonly scratch: Int32Array;

  upload(values: ArrayBufferView, type: number, cuda: boolean): Handle;
  full(value: number, type: number, cuda: boolean): Handle;
  download(x: Handle, target: ArrayBufferView): void;
  item(x: Handle): number;
  release(x: Handle): void;
  /** CPU threads of the operations that this JavaScript thread calls; other threads keep theirs. */
  setThreads(count: number): void;
  threads(): number;
  cudaDevices(): number;
  setGpuArithmetic(tf32Convolutions: boolean): void;
  gpu(): string;
  version(): string;

  pow(x: Handle, exponent: number): Handle;
  cast(x: Handle, type: number): Handle;
  argmax(x: Handle, axis: number): Handle;
  matMul(x: Handle, y: Handle): Handle;
  logSoftmax(x: Handle): Handle;
  characteristic(features: Handle, frequencies: Handle): void;

  reshape(x: Handle): Handle;
  transpose(x: Handle): Handle;
  broadcastTo(x: Handle): Handle;
  slice(x: Handle): Handle;
  pad(x: Handle): Handle;
  gather(x: Handle, indices: Handle, axis: number): Handle;
  concat(axis: number): Handle;

  conv2d(images: Handle, filters: Handle, bias: Handle, stride: number, padding: number): Handle;
  convolutionSeconds(): number;
  avgPool(images: Handle, size: number): Handle;
  maxPool(images: Handle, size: number): Handle;
  layer(
    images: Handle,
    scale: Handle,
    shift: Handle,
    stride: number,
    padding: number,
    epsilon: number,
    pooling: number,
  ): Handle;
  instanceNormRelu(images: Handle, scale: Handle, shift: Handle, epsilon: number, pooling: number): Handle;

  variable(x: Handle, tracked: boolean): Handle;
  detach(x: Handle): Handle;
  record(on: boolean): boolean;
  roundConvolutions(on: boolean): boolean;
  differentiate(value: Handle, differentiable: boolean): void;
}

/** The addon or why there is none, once known. */
let outcome: { readonly addon: Addon } | { readonly reason: string } | undefined;

/**
 * The addon, compiled first where that has not been done on this machine.
 *
 * @throws InputError that says what is missing.
 */
export function loadAddon(): Addon {
  outcome ??= attempt(buildNow);
  if ("addon" in outcome) return outcome.addon;
  throw new InputError(`torch engine: ${outcome.reason}`);
}

/** Compiles the addon where that has not been done on this machine, while the program goes on with other things. */
export async function prepareAddon(): Promise<void> {
  if (outcome) return;
  const reason = await build().then(() => undefined, reasonOf);
  outcome ??= reason === undefined ? attempt(() => {}) : { reason };
}

function attempt(ready: () => void): { addon: Addon } | { reason: string } {
  try {
    ready();
    return { addon: createRequire(import.meta.url)(addonFile()) as Addon };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
