import type { Engine, Tree } from "../engines/index.ts";
import { decodeTree, encodeTree } from "../formats/tree.ts";
import type { Progress } from "./distill.ts";

/** A progress as safetensors bytes: the tensors as arrays, all else as metadata. Exact to the bit. */
export function encodeProgress(
  progress: Progress,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return encodeTree(progress as unknown as Tree, metadata);
}

/**
 * The progress that `encodeProgress` wrote, on an engine, and the metadata given there.
 *
 * @throws InputError for bytes that are no checkpoint, or one of another version or float type.
 */
export function decodeProgress(
  bytes: Uint8Array,
  engine: Engine,
): { readonly progress: Progress; readonly metadata: Readonly<Record<string, string>> } {
  const { tree, metadata } = decodeTree(bytes, engine);
  return { progress: tree as unknown as Progress, metadata };
}
