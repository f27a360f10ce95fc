import type { Tensor, Tree } from "./engine.ts";

/** Whether a value is a tensor: by its methods, so that every engine's tensors qualify. */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "engine" in value && "matMul" in value;
}

/** Calls `visit` for each tensor in the tree, in a fixed order, with its path (keys joined by "/"). */
export function forEachTensor(tree: unknown, visit: (tensor: Tensor, path: string) => void, path = ""): void {
  if (isTensor(tree)) visit(tree, path);
  else if (Array.isArray(tree) || isPlainObject(tree)) {
    for (const [key, child] of Object.entries(tree)) {
      forEachTensor(child, visit, path === "" ? key : `${path}/${key}`);
    }
  }
}

/** The tensors of a tree, in the order of `forEachTensor`. */
export function tensorsOf(tree: unknown): Tensor[] {
  const found: Tensor[] = [];
  forEachTensor(tree, (tensor) => found.push(tensor));
  return found;
}

/** The tree with each tensor replaced by `map`'s result, and all else kept. */
export function mapTensors<R>(tree: Tree, map: (tensor: Tensor, path: string) => R, path = ""): unknown {
  if (isTensor(tree)) return map(tree, path);
  const inside = (key: string): string => (path === "" ? key : `${path}/${key}`);
  if (Array.isArray(tree)) return tree.map((child: Tree, i) => mapTensors(child, map, inside(String(i))));
  if (isPlainObject(tree)) {
    return Object.fromEntries(
      Object.entries(tree).map(([key, child]) => [key, mapTensors(child as Tree, map, inside(key))]),
    );
  }
  return tree;
}

/** Frees the tensors of `old` that `kept` does not hold. */
export function disposeExcept(old: unknown, kept: unknown): void {
  const keep = new Set(tensorsOf(kept));
  for (const tensor of tensorsOf(old)) if (!keep.has(tensor)) tensor.dispose();
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
