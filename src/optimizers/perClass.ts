import { check } from "../core/errors.ts";
import { disposeExcept, mapTensors, type Tensor, tensorsOf, type Tree } from "../engines/index.ts";
import type { Optimizer } from "./optimizer.ts";

/** A value, or some of its rows, and a rule's state for it. */
type Moving = ReturnType<Optimizer["update"]>;

/**
 * A rule that steps class after class: for each class in turn it updates all rows, by a gradient that is zero outside of the
 * class. So in one step a class goes one time by its own gradient and classes − 1 times by none, carried on by momentum. With
 * U one update of the rule, the class at position p does
 *
 *     (x, s) ← U(x, 0, s)  p times,   then U(x, ∇L(x), s),   then U(x, 0, s)  classes − 1 − p times
 *
 * as IDM's code has it (Zhao et al., CVPR 2023; no equation in the paper). There a gradient g moves its class by
 * ηg(1 + μ + μ² + …) in all, most of it in the same step.
 *
 * Where the gradient of a class does not depend on the images of others, this needs no pass for each class: `approach` gives
 * the points where all of them are taken, and one pass finds them.
 *
 * @param rule any with a state of tensors of the value's shape, as velocities are, and of plain numbers.
 * @param classes equal parts of the value's rows, class after class; ≥ 1.
 * @throws InputError from `init`, of rows that are not so many or a state of another kind.
 */
export function perClass(rule: Optimizer, classes: number): Optimizer {
  return {
    name: `perClass(${rule.name})`,
    init(value) {
      const state = rule.init(value);
      const shape = value.shape.join("×");
      check(
        value.shape[0]! % classes === 0,
        () => `perClass: expected as many rows of each of ${classes} classes, got shape ${shape}`,
      );
      const other = tensorsOf(state).find((tensor) => tensor.shape.join("×") !== shape);
      check(
        other === undefined,
        () =>
          `perClass: expected an optimizer with state of shape ${shape}, got ${other!.shape.join("×")} in that of ` +
          `${rule.name}; its steps must be joint`,
      );
      return state;
    },
    approach(value, state) {
      const all = eachPart({ value, state }, classes);
      const arrived = all.map((own, p) => value.engine.scope(() => coasted(rule, own, p)));
      return {
        value: value.engine.concat(arrived.map((own) => own.value)),
        state: arrived.map((own) => own.state),
      };
    },
    update(value, gradient, states) {
      const gradients = eachPart(gradient, classes);
      const ends = eachPart(value, classes).map((own, p) =>
        value.engine.scope(() => {
          const stepped = rule.update(own, gradients[p]!, (states as readonly Tree[])[p]!);
          return coasted(rule, stepped, classes - 1 - p);
        }),
      );
      return joined(ends);
    },
  };
}

/** After some updates by no gradient. */
function coasted(rule: Optimizer, start: Moving, times: number): Moving {
  if (rule.coast) return rule.coast(start.value, start.state, times);
  let at = start;
  for (let i = 0; i < times; i++) {
    const { value, state } = at;
    const next = value.engine.scope(() => rule.update(value, value.engine.fill(value.shape, 0), state));
    disposeExcept(at, [next, start]);
    at = next;
  }
  return at;
}

/** As many equal parts of the rows of all tensors. */
function eachPart<T extends Tensor | Moving>(all: T, parts: number): T[] {
  const part = (tensor: Tensor, p: number): Tensor => {
    const [rows, ...rest] = tensor.shape as [number, ...number[]];
    return tensor.slice([(p * rows) / parts, ...rest.map(() => 0)], [rows / parts, ...rest]);
  };
  return Array.from({ length: parts }, (_, p) => mapTensors(all, (tensor) => part(tensor, p)) as T);
}

/** Rows of all one after the other; plain numbers, which are the same in all, once. */
function joined(parts: readonly Moving[]): Moving {
  const tensors = parts.map(tensorsOf);
  let i = 0;
  return mapTensors(parts[0]!, ({ engine }) => {
    const rows = engine.concat(tensors.map((of) => of[i]!));
    i++;
    return rows;
  }) as Moving;
}
