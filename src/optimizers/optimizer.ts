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
   * What a step does before it has its gradient, for rules that take it elsewhere than the last step ended: the point where
   * it is taken, and the state there. Absent: it is taken where the last step ended.
   *
   * @param state what `init` or the last update returned.
   * @param loss of the step before; null before the first.
   */
  approach?(
    value: Tensor,
    state: Tree,
    loss?: number | null,
  ): { readonly value: Tensor; readonly state: Tree };
  /**
   * One step against the gradient. Arguments are left as they are.
   *
   * @param gradient of the loss in `value`, of its shape.
   * @param state what `init` or the last update returned; for value and state, what `approach` did, where there is one.
   */
  update(value: Tensor, gradient: Tensor, state: Tree): { readonly value: Tensor; readonly state: Tree };
  /**
   * As many updates by a zero gradient at once, for rules that have a closed form of them: momentum carries the value on.
   * Absent: they are made one by one.
   */
  coast?(value: Tensor, state: Tree, times: number): { readonly value: Tensor; readonly state: Tree };
}
