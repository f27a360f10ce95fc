import { check } from "../core/errors.ts";
import { type Engine, forEachTensor, mapTensors, type Tensor, type Tree } from "../engines/index.ts";
import type { NamedArrays } from "./array.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

/** Version of the structure. */
const VERSION = "1";

/** A tree as safetensors bytes: its tensors as arrays, all else as metadata. Exact to the bit. */
export function encodeTree(tree: Tree, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const arrays: NamedArrays = {};
  forEachTensor(tree, (tensor, path) => {
    arrays[path] = { shape: tensor.shape, data: tensor.values() };
  });
  const structure = JSON.stringify(mapTensors(tree, (_, path) => ({ $tensor: path })));
  return writeSafetensors(arrays, { ...metadata, version: VERSION, structure });
}

/**
 * The tree that `encodeTree` wrote, on an engine, and the metadata given there.
 *
 * @throws InputError for bytes that are no checkpoint, or one of another version or float type.
 */
export function decodeTree(
  bytes: Uint8Array,
  engine: Engine,
): { readonly tree: Tree; readonly metadata: Readonly<Record<string, string>> } {
  const { arrays, metadata } = readSafetensors(bytes);
  const { version, structure, ...rest } = metadata;
  check(
    version === VERSION && structure !== undefined,
    () => `checkpoint: expected version ${VERSION}, got ${version ?? "no version"}`,
  );
  const tensorAt = (path: string): Tensor => {
    const array = arrays[path];
    check(
      array !== undefined,
      () => `checkpoint: expected an array ${path}, found none; the file is damaged`,
    );
    const { shape, data } = array;
    if (data instanceof Int32Array) return engine.indices(data).reshape(shape);
    const type = data instanceof Float64Array ? "float64" : "float32";
    check(
      type === engine.dtype && (data instanceof Float32Array || data instanceof Float64Array),
      () =>
        `checkpoint: ${path}: expected ${engine.dtype}, got ${type}; resume with the engine that wrote it`,
    );
    return engine.tensor(shape, data);
  };
  const tree = engine.scope(() => restore(JSON.parse(structure) as Tree, tensorAt));
  return { tree, metadata: rest };
}

function restore(node: Tree, tensorAt: (path: string) => Tensor): Tree {
  if (Array.isArray(node)) return node.map((child: Tree) => restore(child, tensorAt));
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node as Record<string, Tree>);
  const [key, path] = entries[0] ?? [];
  if (entries.length === 1 && key === "$tensor" && typeof path === "string") return tensorAt(path);
  return Object.fromEntries(entries.map(([key, child]) => [key, restore(child, tensorAt)]));
}
