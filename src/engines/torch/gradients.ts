import { check } from "../../core/errors.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Precision, Tensor, ValueAndGradients } from "../engine.ts";
import { checkFunction, checkList, checkPrecision, text } from "../given.ts";
import { firstList } from "./addon.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Value and gradients of f at the inputs; see `Engine.gradients`.
 *
 * Inside another call that records, the graph of the gradients is kept, so that they can be differentiated in turn;
 * otherwise value and gradients come out as constants.
 */
export function gradients(
  runtime: Runtime,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
): ValueAndGradients {
  runtime.checkOpen("gradients");
  checkFunction("gradients", f);
  checkList("gradients", inputs);
  const own = Array.from(inputs, (input) => runtime.own("gradients", input));
  for (const { dtype, shape } of own) {
    check(dtype !== "int32", () => `gradients: expected float inputs, got int32 ${text(shape)}`);
  }
  const { native } = runtime;
  const nested = runtime.recording;
  return recording(runtime, true, () => {
    const variables = own.map(({ handle }) => runtime.wrap(native.variable(handle, nested)));
    const value = runtime.own("gradients", f(...variables));
    check(
      sizeOf(value.shape) === 1 && value.dtype !== "int32",
      () => `gradients: expected f to return one float, got ${value.dtype} ${text(value.shape)}`,
    );
    runtime.lists(variables.map((variable) => runtime.own("gradients", variable).handle));
    runtime.attempt("gradients", own, () => native.differentiate(value.handle, nested));
    const handles = native.scratch.slice(firstList + 1, firstList + 1 + variables.length);
    return {
      value: nested ? value : value.detach(),
      gradients: variables.map((variable, i) => runtime.adopt(handles[i]!, variable.shape, runtime.dtype)),
    };
  });
}

/** Runs f without recording; see `Engine.noGrad`. */
export function noGrad<T>(runtime: Runtime, f: () => T, precision: Precision = "full"): T {
  runtime.checkOpen("noGrad");
  checkFunction("noGrad", f);
  checkPrecision(precision);
  return recording(runtime, false, f, precision);
}

function recording<T>(runtime: Runtime, on: boolean, f: () => T, precision: Precision = "full"): T {
  const { native, recording: outer } = runtime;
  const before = native.record(on);
  const rounded = native.roundConvolutions(precision === "bf16");
  runtime.recording = on;
  try {
    return f();
  } finally {
    runtime.recording = outer;
    native.record(before);
    native.roundConvolutions(rounded);
  }
}
