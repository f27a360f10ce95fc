import { check } from "../../core/errors.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Tensor } from "../engine.ts";
import type { TfjsEngine } from "./index.ts";
import type { TfjsTensor } from "./tensor.ts";

/**
 * The vector-Jacobian product of one input: the gradient with respect to that input, from the gradient with respect to
 * the output. It is written with differentiable operations on its two arguments and the operation's inputs, and on
 * nothing else computed outside: those are what the tape keeps.
 */
export type Rule = (cotangent: TfjsTensor, output: TfjsTensor) => TfjsTensor;

interface Entry {
  readonly output: TfjsTensor;
  readonly inputs: readonly TfjsTensor[];
  readonly rules: readonly Rule[];
}

/** Bits of a number that survive JavaScript's bitwise operators. */
const deepest = 31;

/**
 * Nested reverse-mode differentiation on one list of operations.
 *
 * TensorFlow.js has a tape of its own, but it loses second derivatives without a word: it puts copies of saved outputs
 * on the tape before the operation itself, so that paths through them (exp, sigmoid, tanh, softmax, every custom
 * gradient) are cut, and some of its gradients have no gradient at all. Here every rule is written in operations that
 * have rules, so derivatives of any order are right once the first ones are; TensorFlow.js only runs forward kernels.
 */
export class Tape {
  readonly #engine: TfjsEngine;
  readonly #entries: Entry[] = [];
  /** Bit d: the `gradients` call at depth d records now. */
  #recording = 0;
  #depth = 0;
  #replaying = false;

  constructor(engine: TfjsEngine) {
    this.#engine = engine;
  }

  /** Whether rules are running. */
  get replaying(): boolean {
    return this.#replaying;
  }

  /** Notes how `output`, which is new, was computed; forgets it if no running call depends on the inputs. */
  record(output: TfjsTensor, inputs: readonly TfjsTensor[], rules: readonly Rule[]): TfjsTensor {
    const calls = inputs.reduce((union, input) => union | input.calls, 0) & this.#recording;
    if (calls !== 0) this.#push({ output, inputs, rules }, calls);
    return output;
  }

  /** Runs without recording. */
  pause<T>(f: () => T): T {
    const recording = this.#recording;
    this.#recording = 0;
    try {
      return f();
    } finally {
      this.#recording = recording;
    }
  }

  gradients(
    f: (...inputs: TfjsTensor[]) => Tensor,
    inputs: readonly TfjsTensor[],
  ): { value: TfjsTensor; gradients: TfjsTensor[] } {
    check(this.#depth < deepest, () => `gradients: expected at most ${deepest} nested calls`);
    const start = this.#entries.length;
    const enclosing = this.#recording;
    const call = 1 << this.#depth;
    this.#recording = enclosing | call;
    this.#depth++;
    const variables: TfjsTensor[] = [];
    try {
      for (const input of inputs) {
        const variable = input.detach();
        this.#push(
          { output: variable, inputs: [input], rules: [(g) => g] },
          (input.calls & enclosing) | call,
        );
        variables.push(variable);
      }
      const value = this.#scalar(f(...variables), variables);
      // Only an enclosing call may want to differentiate what follows.
      this.#recording = enclosing;
      const gradients = this.#engine.attempt("gradients", inputs, () =>
        this.#replay(value, variables, start),
      );
      return { value, gradients };
    } finally {
      this.#recording = enclosing;
      this.#depth--;
      for (const variable of variables) variable.dispose();
      if (enclosing === 0) this.#forget(start);
    }
  }

  #scalar(returned: Tensor, variables: readonly TfjsTensor[]): TfjsTensor {
    const value = this.#engine.own("gradients", returned);
    check(
      sizeOf(value.shape) === 1 && value.dtype !== "int32",
      () =>
        `gradients: expected f to return one float, got ${value.dtype} of shape [${value.shape.join(", ")}]`,
    );
    return variables.includes(value) ? value.alias() : value;
  }

  /** ∂value/∂variable from the entries that came after `start`, last one first. */
  #replay(value: TfjsTensor, variables: readonly TfjsTensor[], start: number): TfjsTensor[] {
    const end = this.#entries.length;
    const relevant = new Set(variables);
    for (let i = start; i < end; i++) {
      const { output, inputs } = this.#entries[i]!;
      if (inputs.some((input) => relevant.has(input))) relevant.add(output);
    }
    const cotangents = new Map<TfjsTensor, TfjsTensor>();
    if (relevant.has(value)) cotangents.set(value, this.#engine.fill(value.shape, 1));
    this.#replaying = true;
    try {
      for (let i = end - 1; i >= start + variables.length; i--) {
        const entry = this.#entries[i]!;
        const cotangent = cotangents.get(entry.output);
        if (cotangent === undefined) continue;
        cotangents.delete(entry.output);
        this.#pull(entry, cotangent, relevant, cotangents);
        cotangent.dispose();
      }
    } finally {
      this.#replaying = false;
    }
    return variables.map((variable) => cotangents.get(variable) ?? this.#engine.fill(variable.shape, 0));
  }

  /** Adds an entry's part to the cotangents of those of its inputs that matter. */
  #pull(
    entry: Entry,
    cotangent: TfjsTensor,
    relevant: ReadonlySet<TfjsTensor>,
    cotangents: Map<TfjsTensor, TfjsTensor>,
  ): void {
    entry.inputs.forEach((input, i) => {
      if (!relevant.has(input)) return;
      const result = this.#engine.collected(() => entry.rules[i]!(cotangent, entry.output));
      // Each cotangent is disposed of when used up, so two places must not share one.
      const part = result === cotangent ? cotangent.alias() : result;
      const before = cotangents.get(input);
      if (before === undefined) cotangents.set(input, part);
      else {
        cotangents.set(input, before.add(part));
        before.dispose();
        part.dispose();
      }
    });
  }

  #push(entry: Entry, calls: number): void {
    entry.output.calls = calls;
    entry.output.retain();
    for (const input of entry.inputs) input.retain();
    this.#entries.push(entry);
  }

  #forget(start: number): void {
    for (const { output, inputs } of this.#entries.splice(start)) {
      output.calls = 0;
      output.release();
      for (const input of inputs) input.release();
    }
  }
}
