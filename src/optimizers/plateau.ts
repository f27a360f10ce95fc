import { z } from "zod";
import type { Tree } from "../engines/index.ts";
import type { Optimizer } from "./optimizer.ts";

export const plateauOptions = z.strictObject({
  factor: z.number().positive().lt(1).default(0.5).describe("That the rate is multiplied by, 0 to 1"),
  patience: z
    .int()
    .min(0)
    .default(500)
    .describe("Steps in a row without a better loss before the rate falls"),
  threshold: z
    .number()
    .min(0)
    .lt(1)
    .default(1e-4)
    .describe("Share by which a better loss is lower; 0 to below 1"),
});

interface PlateauState {
  /** Least loss so far; null before the first. */
  readonly best: number | null;
  /** Steps in a row that had no better one. */
  readonly waited: number;
  /** How often the rate has fallen. */
  readonly falls: number;
  /** State of the rule. */
  readonly inner: Tree;
}

/**
 * A rule whose learning rate falls where the loss no longer does, as PyTorch's ReduceLROnPlateau:
 *
 *     better: L < (1 − threshold) · best;   η ← factor · η  after more than `patience` steps in a row that are not
 *
 * A step's rate depends on the losses of the steps before it.
 *
 * @param ruleAt the rule at a multiple of its learning rate.
 */
export function plateau(
  { factor, patience, threshold }: z.infer<typeof plateauOptions>,
  ruleAt: (scale: number) => Optimizer,
): Optimizer {
  const at = ({ falls }: PlateauState): Optimizer => ruleAt(factor ** falls);
  const advanced = (state: PlateauState, loss: number | null): PlateauState => {
    if (loss === null) return state;
    if (state.best === null || loss < state.best * (1 - threshold))
      return { ...state, best: loss, waited: 0 };
    const waited = state.waited + 1;
    return waited > patience ? { ...state, waited: 0, falls: state.falls + 1 } : { ...state, waited };
  };
  return {
    name: `plateau(${ruleAt(1).name}, ${factor}, ${patience}, ${threshold})`,
    init: (value) => ({ best: null, waited: 0, falls: 0, inner: ruleAt(1).init(value) }),
    approach(value, last, loss = null) {
      const state = advanced(last as unknown as PlateauState, loss);
      const inner = at(state).approach?.(value, state.inner, loss) ?? { value, state: state.inner };
      return { value: inner.value, state: { ...state, inner: inner.state } };
    },
    update(value, gradient, last) {
      const state = last as unknown as PlateauState;
      const inner = at(state).update(value, gradient, state.inner);
      return { value: inner.value, state: { ...state, inner: inner.state } };
    },
  };
}
