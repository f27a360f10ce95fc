import type { Engine, Tensor } from "../../src/engines/index.ts";

/** Values on the host, row-major. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** An operation that all engines must agree on. */
export interface Op {
  readonly name: string;
  readonly f: (inputs: Tensor[], engine: Engine) => Tensor;
  /** A case worked out by hand: inputs, and what must come out. */
  readonly inputs: readonly HostArray[];
  readonly output: HostArray;
  /** Input shapes at which derivatives are checked, as in "2 3". Default: those of the case. */
  readonly at?: readonly string[];
  /** Where the inputs of that check lie. Default [−1.5, 1.5]. */
  readonly range?: readonly [low: number, high: number];
  /** Whether the result is a constant: the gradient is then zero, whatever the inputs. */
  readonly constant?: true;
}

/** The shape that "2 3" writes. */
export const shapeOf = (text: string): number[] => text.split(" ").filter(Boolean).map(Number);

export const array = (shape: string, ...values: number[]): HostArray => ({ shape: shapeOf(shape), values });
