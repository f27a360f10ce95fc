import type { Tensor } from "../engine.ts";
import { characteristicCounts } from "../operations.ts";
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
  const groups = characteristicCounts(features, omega, counts);
  runtime.lists(groups);
  runtime.attempt("characteristic", [features, omega], () =>
    runtime.native.characteristic(features.handle, omega.handle),
  );
  const { scratch } = runtime.native;
  const part = (i: number): Tensor =>
    runtime.adopt(scratch[firstList + i]!, [groups.length, omega.shape[0]!], runtime.dtype);
  return { re: part(0), im: part(1) };
}
