import type { Tensor, Tree } from "../engines/index.ts";

/**
 * A first-order update rule for one tensor, as a pair of pure functions. State is threaded by the caller; being a tree of
 * tensors and numbers, it can be saved and restored.
 */
export interface Optimizer {
  /** Rule with its options, as in "sgd(0.01, 0.9)". */
  readonly name: string;
  /** State before the first update of `value`. */
  init(value: Tensor): Tree;
  /**
   * One step against the gradient. Arguments are left as they are.
   *
   * @param gradient of the loss in `value`, of its shape.
   * @param state what `init` or the last update returned.
   */
  update(value: Tensor, gradient: Tensor, state: Tree): { readonly value: Tensor; readonly state: Tree };
}
