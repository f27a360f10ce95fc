import type { Engine, Tensor } from "../../src/engines/engine.ts";
import { seeded } from "../../src/core/rng.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";

/** A tensor of standard normal numbers. */
export function normal(engine: Engine, shape: Shape, name: string): Tensor {
  return engine.tensor(
    shape,
    seeded(1)
      .stream(name)
      .fillNormal(new Float64Array(sizeOf(shape))),
  );
}

/** ∂f/∂input for each input by central differences, one element at a time: independent of any derivative code. */
export function centralDifferences(
  engine: Engine,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  step = 1e-5,
): number[][] {
  const values = inputs.map((input) => Array.from(input.values()));
  const at = (which: number, element: number, change: number): number =>
    engine.scope(() => {
      const moved = inputs.map(({ shape }, i) => {
        const shifted = [...values[i]!];
        if (i === which) shifted[element]! += change;
        return engine.tensor(shape, shifted);
      });
      return f(...moved).item();
    });
  return values.map((own, which) =>
    own.map((_, element) => (at(which, element, step) - at(which, element, -step)) / (2 * step)),
  );
}

/** A scalar whose derivative sees every element of a result: its product with fixed random weights. */
export function weighted(engine: Engine, result: Tensor, name = "weights"): Tensor {
  return result.mul(normal(engine, result.shape, name)).sum();
}

/** Largest difference between two lists of arrays, relative to the largest number in the second. */
export function deviation(
  actual: readonly ArrayLike<number>[],
  expected: readonly ArrayLike<number>[],
): number {
  let largest = 1e-30;
  let apart = 0;
  expected.forEach((list, i) => {
    if (actual[i]!.length !== list.length)
      throw new Error(`${actual[i]!.length} numbers against ${list.length}`);
    for (let j = 0; j < list.length; j++) {
      largest = Math.max(largest, Math.abs(list[j]!));
      const difference = Math.abs(actual[i]![j]! - list[j]!);
      apart = Number.isNaN(difference) ? Infinity : Math.max(apart, difference);
    }
  });
  return apart / largest;
}
