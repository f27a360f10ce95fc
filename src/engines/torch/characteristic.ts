import { bind, checkCounts } from "../../core/shape.ts";
import type { Tensor } from "../engine.ts";
import { firstList } from "./addon.ts";
import type { TorchTensor } from "./tensor.ts";

/** See `Tensor.characteristic`. */
export function characteristic(
  input: TorchTensor,
  frequencies: Tensor,
  counts: readonly number[],
): { readonly re: Tensor; readonly im: Tensor } {
  const { runtime } = input;
  const features = runtime.float("characteristic", input);
  const omega = runtime.float("characteristic", frequencies);
  const { n, f } = bind("characteristic", [features, "n d"], [omega, "f d"]);
  checkCounts("characteristic", counts, n!);
  runtime.lists(counts);
  runtime.native.characteristic(features.handle, omega.handle);
  const { scratch } = runtime.native;
  const part = (i: number): Tensor =>
    runtime.adopt(scratch[firstList + i]!, [counts.length, f!], runtime.dtype);
  return { re: part(0), im: part(1) };
}
