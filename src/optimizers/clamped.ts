import { check } from "../core/errors.ts";
import type { Tensor } from "../engines/index.ts";
import type { Optimizer } from "./optimizer.ts";

/** Least and largest value of each channel, along the last axis. */
export interface Bounds {
  /** Least value of each channel. */
  readonly low: readonly number[];
  /** Largest value of each channel. */
  readonly high: readonly number[];
}

/**
 * A rule whose values stay within bounds: what lies beyond is set to the bound, before the gradient is taken and after the
 * update. The rule's own state, such as momentum, is left as it is.
 */
export function clamped(rule: Optimizer, { low, high }: Bounds): Optimizer {
  const within = (value: Tensor): Tensor => {
    const { engine } = value;
    const [least, most] = [engine.tensor([low.length], low), engine.tensor([high.length], high)];
    return value.maximum(least).minimum(most);
  };
  return {
    name: `clamped(${rule.name})`,
    init(value) {
      check(
        value.shape.at(-1) === low.length && low.length === high.length,
        () =>
          `clamped: expected bounds for the ${value.shape.at(-1)} channels of shape ${value.shape.join("×")}, got ` +
          `${low.length} and ${high.length}`,
      );
      return rule.init(value);
    },
    approach(value, state, loss) {
      const bounded = value.engine.scope(() => within(value));
      return rule.approach?.(bounded, state, loss) ?? { value: bounded, state };
    },
    update(value, gradient, state) {
      const updated = rule.update(value, gradient, state);
      return { value: value.engine.scope(() => within(updated.value)), state: updated.state };
    },
  };
}
